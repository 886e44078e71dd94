"""Steady state: what counts, what breaks it, and every history against the definition."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.timing import CLOUD, DEMO
from experiments.observation import Node, Observation, Served
from experiments.steady import OBSERVATIONS, judge, longest_wait_s, look_alike, under_way

NO_LOAD: frozenset[str] = frozenset()


def served(model: str = "vgg16", replicas: int = 2, **overrides: object) -> Served:
    pods = frozenset(f"{model}-{i}" for i in range(replicas))
    plain = Served(
        model=model,
        desired=replicas,
        current=replicas,
        utilisation=40,
        blocked="",
        ready_pods=pods,
        measured_pods=pods,
    )
    return replace(plain, **overrides)  # type: ignore[arg-type]


def seen(at_s: float = 0, **overrides: object) -> Observation:
    plain = Observation(
        at_s=at_s,
        models=(served(),),
        nodes=(Node("a", ready=True), Node("b", ready=True)),
        loads=NO_LOAD,
        pending=(),
        ending=(),
        instances=2,
        price_per_hour=Decimal("0.152"),
    )
    return replace(plain, **overrides)  # type: ignore[arg-type]


def test_three_alike_that_span_more_than_the_wait_are_steady() -> None:
    assert judge([seen(0), seen(20), seen(31)], NO_LOAD, 30).steady


def test_a_span_of_just_the_wait_is_not_enough() -> None:
    verdict = judge([seen(0), seen(20), seen(30)], NO_LOAD, 30)
    assert not verdict.steady
    assert verdict.waits_for == ("30 s without change, 30 so far",)


def test_two_observations_are_not_enough_however_far_apart() -> None:
    assert not judge([seen(0), seen(1000)], NO_LOAD, 30).steady


def test_nothing_seen_is_not_steady() -> None:
    assert judge([], NO_LOAD, 30).waits_for == ("the first observation",)


def test_what_was_before_does_not_matter() -> None:
    before = [seen(-9, price_per_hour=Decimal(9)), seen(-8, pending=("inference/vgg16-x",))]
    assert judge([*before, seen(0), seen(20), seen(31)], NO_LOAD, 30).steady


CHANGES: dict[str, Callable[[Observation], Observation]] = {
    "another price": lambda o: replace(o, price_per_hour=Decimal("0.2")),
    "another node of the same number": lambda o: replace(o, nodes=(o.nodes[0], Node("c", ready=True))),
    "a node and its instance more": lambda o: replace(
        o, nodes=(*o.nodes, Node("c", ready=True)), instances=3
    ),
    "another replica": lambda o: replace(o, models=(served(replicas=3),)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_change_inside_the_window_breaks_it(change: Callable[[Observation], Observation], at: int) -> None:
    history = [seen(0), seen(20), seen(31)]
    history[at] = change(history[at])
    assert not judge(history, NO_LOAD, 30).steady


DISTURBANCES: dict[str, tuple[Observation, str]] = {
    "pending pod": (seen(pending=("inference/a", "inference/b")), "pending pod inference/a and 1 more"),
    "ending pod": (seen(ending=("inference/a",)), "ending pod inference/a"),
    "booting node": (
        seen(nodes=(Node("a", ready=True), Node("b", ready=False))),
        "node b to be Ready",
    ),
    "instance without a node": (seen(instances=3), "3 instances and 2 nodes to agree"),
    "node without an instance": (seen(instances=1), "1 instances and 2 nodes to agree"),
    "removal candidate": (
        seen(nodes=(Node("a", ready=True), Node("b", ready=True, leaving="which the autoscaler may remove"))),
        "node b, which the autoscaler may remove",
    ),
    "autoscaler on its way": (seen(models=(served(desired=4),)), "vgg16 to go from 2 to 4 replicas"),
    "pod not ready": (
        seen(models=(served(ready_pods=frozenset({"vgg16-0"})),)),
        "vgg16: 1 of 2 pods ready",
    ),
    "pod without metrics": (
        seen(models=(served(measured_pods=frozenset({"vgg16-0"})),)),
        "metrics of 1 of 2 pods of vgg16",
    ),
    "no utilisation": (
        seen(models=(served(utilisation=None),)),
        "the autoscaler of vgg16 to see CPU metrics",
    ),
    "autoscaler blocked": (
        seen(models=(served(blocked="FailedGetResourceMetric"),)),
        "the autoscaler of vgg16 (FailedGetResourceMetric)",
    ),
    "load that should not be": (seen(loads=frozenset({"vgg16"})), "the load of vgg16 to end"),
    "no models": (seen(models=()), "the models' autoscalers (there are none)"),
}


@pytest.mark.parametrize(("observation", "reason"), DISTURBANCES.values(), ids=DISTURBANCES)
def test_what_is_under_way_is_named(observation: Observation, reason: str) -> None:
    assert under_way(observation, NO_LOAD) == (reason,)


@pytest.mark.parametrize("observation", [o for o, _ in DISTURBANCES.values()], ids=DISTURBANCES)
def test_unchanged_is_not_steady_while_something_is_under_way(observation: Observation) -> None:
    history = [replace(observation, at_s=at) for at in (0, 500, 1000)]
    assert not judge(history, NO_LOAD, 30).steady


def test_a_load_must_run() -> None:
    assert under_way(seen(), frozenset({"vgg16"})) == ("the load of vgg16 to run",)
    assert under_way(seen(loads=frozenset({"vgg16"})), frozenset({"vgg16"})) == ()


def test_without_a_bill_the_nodes_are_what_runs() -> None:
    assert under_way(seen(instances=None), NO_LOAD) == ()


@pytest.mark.parametrize(("timing", "wait_s"), [(DEMO, 30), (CLOUD, 600)])
def test_the_wait_is_the_longest_of_the_pace_and_the_metrics_of_a_new_pod(
    timing: object, wait_s: int
) -> None:
    assert longest_wait_s(timing) == wait_s  # type: ignore[arg-type]


KINDS = (
    seen(),
    seen(price_per_hour=Decimal(1)),
    seen(models=(served(replicas=3),)),
    seen(pending=("inference/a",)),
    seen(loads=frozenset({"vgg16"})),
)
HISTORIES = st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0.5, 20)), max_size=12)


def history_of(steps: list[tuple[Observation, float]]) -> list[Observation]:
    at_s, history = 0.0, []
    for kind, gap_s in steps:
        at_s += gap_s
        history.append(replace(kind, at_s=at_s))
    return history


@given(HISTORIES, st.floats(0, 60))
def test_the_verdict_is_the_definition(steps: list[tuple[Observation, float]], wait_s: float) -> None:
    history = history_of(steps)
    tails = [history[-k:] for k in range(OBSERVATIONS, len(history) + 1)]
    expected = any(
        all(look_alike(one, tail[0]) and not under_way(one, NO_LOAD) for one in tail)
        and tail[-1].at_s - tail[0].at_s > wait_s
        for tail in tails
    )
    verdict = judge(history, NO_LOAD, wait_s)
    assert verdict.steady is expected
    assert verdict.steady is not bool(verdict.waits_for)


@given(HISTORIES, HISTORIES, st.floats(0, 60))
def test_an_older_past_never_makes_a_steady_state_unsteady(
    past: list[tuple[Observation, float]], steps: list[tuple[Observation, float]], wait_s: float
) -> None:
    recent = history_of(steps)
    longer = history_of([*past, *steps])
    assert judge(longer, NO_LOAD, wait_s).steady >= judge(recent, NO_LOAD, wait_s).steady
