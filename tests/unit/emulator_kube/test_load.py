import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.kube.load import Demand, NotALoad, demand_of, divide, usages
from tests.support.kube_objects import load_pod, model_pod, pod


def test_demand_is_shared_by_the_ready_pods_of_the_model() -> None:
    pods = [
        load_pod("load", "vgg16", "2.0"),
        model_pod("a"),
        model_pod("b"),
        model_pod("starting", ready=False),
        model_pod("ending", deletion_requested=True),
        model_pod("other", "squeezenet1_1"),
    ]
    assert usages(pods) == {
        "inference/a": 1000,
        "inference/b": 1000,
        "inference/starting": 0,
        "inference/ending": 0,
        "inference/other": 0,
    }


@pytest.mark.parametrize(
    "over",
    [{"phase": "Pending"}, {"phase": "Succeeded"}, {"deletion_requested": True}],
)
def test_a_load_that_does_not_run_demands_nothing(over: dict[str, object]) -> None:
    assert usages([load_pod("load", "vgg16", "2.0", **over), model_pod("a")]) == {"inference/a": 0}


def test_loads_of_one_model_add_up_and_stay_in_their_namespace() -> None:
    pods = [
        load_pod("one", "vgg16", "0.5"),
        load_pod("two", "vgg16", "0.25"),
        load_pod("elsewhere", "vgg16", "4", namespace="other"),
        model_pod("a"),
    ]
    assert usages(pods) == {"inference/a": 750}


def test_a_load_pod_is_no_model_pod_though_it_has_the_label() -> None:
    load = load_pod("load", "vgg16", "1", labels={"rightsize.io/model": "vgg16"})
    assert usages([load, model_pod("a")]) == {"inference/a": 1000}


def test_a_load_that_cannot_be_read_stops_no_other() -> None:
    broken = load_pod("broken", "vgg16", "much")
    assert usages([broken, load_pod("good", "vgg16", "1"), model_pod("a")]) == {"inference/a": 1000}


def test_arguments_may_be_joined_by_an_equals_sign() -> None:
    assert demand_of(pod(args=("--model=vgg16", "--demand-cores=0.5"))) == Demand("inference", "vgg16", 500)


@pytest.mark.parametrize("args", [(), ("--model", "vgg16"), ("--model", "vgg16", "--demand-cores", "x")])
def test_unreadable_arguments_are_named_with_what_was_expected(args: tuple[str, ...]) -> None:
    with pytest.raises(NotALoad, match=r"load pod inference/p: .*--model NAME --demand-cores NUMBER"):
        demand_of(pod("p", args=args))


@given(st.integers(0, 10**6), st.sets(st.text(min_size=1), min_size=1, max_size=20))
def test_shares_are_equal_to_one_millicore_and_nothing_is_lost(millicores: int, keys: set[str]) -> None:
    shares = divide(millicores, keys)
    assert shares.keys() == keys
    assert sum(shares.values()) == millicores
    assert max(shares.values()) - min(shares.values()) <= 1
