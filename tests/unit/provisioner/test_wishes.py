"""Annotations by which a pod says what node may be bought for it: Luna's words, in every mode."""

from dataclasses import replace
from decimal import Decimal

import pytest

from provisioner.core.model import CAPACITY_TYPE, Pod
from provisioner.core.plan import CODES, Plan
from provisioner.core.policy import BIN_PACK, BIN_SELECT, MODES, OPTIMAL
from tests.support import provision
from tests.support.provision import ANY_ARCH, bought, catalog, codes, flexible, node, offering, pod

MARKET = catalog(
    offering("t2a-standard-1", "1", family="t2a"),
    offering("c4a-standard-1", "2", family="c4a"),
    offering("c4a-standard-2", "3", family="c4a", vcpus=2),
    offering("c4a-standard-1", "0.5", family="c4a", capacity_type="spot"),
    offering("n1-2+t4x1", "5", family="n1-t4", vcpus=2, gpus=1, gpu_model="T4", machine_type="n1-2"),
    offering("n1-2+t4x4", "9", family="n1-t4", vcpus=2, gpus=4, gpu_model="T4", machine_type="n1-2"),
    offering("a10", "4", vcpus=2, gpus=1, gpu_model="A10"),
)
every_mode = pytest.mark.parametrize("mode", MODES)


def asking(domain: str = "node.elotl.co", gpus: int = 0, name: str = "p", **words: str) -> Pod:
    annotations = {f"{domain}/instance-{word.replace('_', '-')}": text for word, text in words.items()}
    return pod(name, gpus=gpus, annotations=annotations)


def planned(*wanted: Pod, mode: str = BIN_SELECT, **snapshot: object) -> Plan:
    return provision.planned(wanted, MARKET, replace(ANY_ARCH, mode=mode), **snapshot)


@every_mode
@pytest.mark.parametrize("domain", ["node.elotl.co", "rightsize.io"])
@pytest.mark.parametrize(
    ("words", "gpus", "shape"),
    [
        ({"family_inclusions": "c4a"}, 0, "c4a-standard-1"),
        ({"family_inclusions": "c4a, t2a"}, 0, "t2a-standard-1"),
        ({"family_exclusions": "t2a"}, 0, "c4a-standard-1"),
        ({"type_regexp": "^c4a-.*-2$"}, 0, "c4a-standard-2"),
        ({"type_regexp": "standard-2"}, 0, "c4a-standard-2"),
        ({"family_inclusions": "c4a", "type_regexp": "-2$"}, 0, "c4a-standard-2"),
        ({"offerings": "spot"}, 0, "c4a-standard-1 (spot)"),
        ({"offerings": "on-demand,spot"}, 0, "c4a-standard-1 (spot)"),
        ({"offerings": "on-demand"}, 0, "t2a-standard-1"),
        ({"gpu_skus": "T4"}, 1, "n1-2+t4x1"),
        ({"gpu_skus": "v100,t4"}, 1, "n1-2+t4x1"),
        ({"gpu_skus": "nvidia-tesla-t4"}, 1, "n1-2+t4x1"),
        ({"family_inclusions": "n1"}, 1, "n1-2+t4x1"),
        ({"max_gpus": "1"}, 1, "a10"),
        ({"max_gpus": "0"}, 0, "t2a-standard-1"),
        ({"max_cost": "1.0"}, 0, "t2a-standard-1"),
    ],
)
def test_annotations_narrow_what_is_bought(
    mode: str, domain: str, words: dict[str, str], gpus: int, shape: str
) -> None:
    assert bought(planned(asking(domain, gpus, **words), mode=mode)) == {shape: 1}


@every_mode
@pytest.mark.parametrize(
    ("words", "gpus", "code", "said"),
    [
        ({"family_inclusions": "e9"}, 0, "no-offering", "instance-family-inclusions: 'e9'"),
        ({"family_exclusions": "t2a,c4a,n1,a10"}, 0, "no-offering", "instance-family-exclusions"),
        ({"type_regexp": "^x"}, 0, "no-offering", "instance-type-regexp: '^x'"),
        ({"gpu_skus": "H100"}, 1, "no-offering", "instance-gpu-skus: 'H100'"),
        ({"gpu_skus": "A10", "offerings": "spot"}, 1, "no-offering", "instance-offerings: 'spot'"),
        ({"gpu_skus": "T4", "max_gpus": "0"}, 1, "no-offering", "instance-max-gpus: '0'"),
        ({"max_cost": "0.99"}, 0, "budget", "instance-max-cost: '0.99' is below the $1 an hour of t2a"),
    ],
)
def test_a_refusal_names_the_annotation(
    mode: str, words: dict[str, str], gpus: int, code: str, said: str
) -> None:
    plan = planned(asking(gpus=gpus, **words), mode=mode)
    ((reason,),) = (left.reasons for left in plan.unplaced)
    assert (plan.nodes, reason.code) == ((), code)
    assert code in CODES
    assert said in reason.text


@every_mode
@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("type_regexp", "["),
        ("type_regexp", "*"),
        ("type_regexp", "(a+)+$"),
        ("type_regexp", "a?" * 30),
        ("type_regexp", "a" * 1000),
        ("max_cost", "-1"),
        ("max_cost", "NaN"),
        ("max_cost", "Infinity"),
        ("max_cost", "cheap"),
        ("max_cost", ""),
        ("max_gpus", "-1"),
        ("max_gpus", "1.5"),
        ("max_gpus", "9" * 5000),
        ("offerings", "fargate"),
        ("family_inclusions", " , "),
        ("gpu_skus", ""),
    ],
)
def test_what_cannot_be_read_leaves_the_pod_pending_and_others_served(
    mode: str, word: str, text: str
) -> None:
    plan = planned(asking("node.elotl.co", 0, "bad", **{word: text}), pod("good", gpus=1), mode=mode)
    assert codes(plan) == {"bad": ["no-offering"]}
    assert f"node.elotl.co/instance-{word.replace('_', '-')}" in plan.unplaced[0].reasons[0].text
    assert [each.name for planned_node in plan.nodes for each in planned_node.pods] == ["good"]


@every_mode
def test_ours_wins_where_both_say_something(mode: str) -> None:
    both = pod(
        annotations={
            "node.elotl.co/instance-family-inclusions": "not(there",
            "rightsize.io/instance-family-inclusions": "c4a",
        }
    )
    assert bought(planned(both, mode=mode)) == {"c4a-standard-1": 1}


@every_mode
def test_room_that_is_there_is_used_whatever_annotations_say(mode: str) -> None:
    plan = planned(asking(family_inclusions="e9", max_cost="-1"), mode=mode, nodes=(node("n"),))
    assert [each.node for each in plan.existing] == ["n"]


def test_a_dear_node_of_this_plan_is_not_shared_by_a_pod_that_may_not_have_it() -> None:
    large = pod("large", "1500m", "100Mi")
    plan = planned(large, asking(max_cost="1", name="cheap"), mode=OPTIMAL)
    assert {each.size.offering.shape: [one.name for one in each.pods] for each in plan.nodes} == {
        "c4a-standard-2": ["large"],
        "t2a-standard-1": ["cheap"],
    }


def test_pods_with_different_wishes_share_a_node_that_both_allow() -> None:
    one = asking(family_exclusions="c4a", name="one")
    other = asking(type_regexp="t2a", name="other")
    assert bought(planned(one, other, mode=OPTIMAL)) == {"t2a-standard-1": 1}


def test_a_flexible_shape_is_bought_up_to_the_price_that_is_allowed() -> None:
    market = catalog(flexible(price_per_ocpu_hour=Decimal(1), price_per_gib_hour=Decimal(0)))
    wanted = [pod(f"p{at}", f"{at}", annotations={"rightsize.io/instance-max-cost": "2"}) for at in (1, 2, 3)]
    plan = provision.planned(wanted, market)
    assert (len(plan.nodes), codes(plan)) == (2, {"p3": ["budget"]})


def test_in_bin_packing_a_pod_with_a_wish_does_not_share() -> None:
    market = catalog(offering("small", "1"), offering("shared", "5", vcpus=4, memory_gib=Decimal(8)))
    wanted = [pod("plain"), asking(family_exclusions="x", name="wish")]
    plan = provision.planned(wanted, market, replace(ANY_ARCH, mode=BIN_PACK))
    assert bought(plan) == {"shared": 1, "small": 1}


@pytest.mark.parametrize(
    ("annotations", "planned_pods"),
    [
        ({"pod.elotl.co/ignore": "true"}, 0),
        ({"rightsize.io/ignore": "true"}, 0),
        ({"rightsize.io/ignore": "false", "pod.elotl.co/ignore": "true"}, 1),
        ({"rightsize.io/ignore": "true", "pod.elotl.co/ignore": "false"}, 0),
        ({"pod.elotl.co/ignore": "yes"}, 1),
    ],
)
def test_pods_may_ask_to_be_ignored(annotations: dict[str, str], planned_pods: int) -> None:
    assert len(planned(pod(annotations=annotations)).nodes) == planned_pods


def test_a_selector_and_an_annotation_have_to_hold_both() -> None:
    contradiction = replace(asking(offerings="spot"), node_selector={CAPACITY_TYPE: "on-demand"})
    assert codes(planned(contradiction)) == {"p": ["no-offering"]}
