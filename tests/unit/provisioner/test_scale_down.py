from datetime import timedelta
from typing import Any

import pytest

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core.model import Node, Owner, Pod
from provisioner.core.plan import CORDON, MARK, TERMINATE, UNCORDON, UNMARK
from provisioner.core.policy import Policy
from provisioner.core.pools import Instance, Pool
from tests.support.provision import NOW, OKE, node, planned, pod, pods

POLICY = Policy(node_unneeded_s=300, registration_s=900, empty_pool_s=600)
SPEC = planned(pods(1, "400m", "4G")).nodes[0].spec


def ours(**changes: Any) -> Node:
    return node("n1", "760m", "4G", provider_id="i1", **changes)


def marked(seconds: float) -> dict[str, str]:
    return {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=seconds)).isoformat()}


def actions(there: Node, *wanted: Pod, instance: Instance | None = None) -> list[str]:
    pool = Pool("p1", "p1", SPEC, 1, (instance or Instance("i1"),))
    return [step.action for step in planned(wanted, OKE, POLICY, nodes=(there,), pools=(pool,)).steps]


def test_an_empty_node_is_marked_first() -> None:
    assert actions(ours()) == [MARK]


def test_a_marked_node_waits() -> None:
    assert actions(ours(annotations=marked(299))) == []


def test_when_it_has_waited_it_takes_no_more_pods() -> None:
    assert actions(ours(annotations=marked(300))) == [CORDON]


def test_when_it_is_seen_empty_and_closed_it_is_given_back() -> None:
    assert actions(ours(annotations=marked(302), is_cordoned=True)) == [TERMINATE]


def test_a_mark_that_cannot_be_read_is_made_anew() -> None:
    assert actions(ours(annotations={REMOVABLE_SINCE_KEY: "yesterday"})) == [MARK]


def test_a_node_with_a_pod_stays() -> None:
    assert actions(ours(), pod("r", node_name="n1", phase="Running")) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": Owner("DaemonSet", "d", "u")},
        {"annotations": {"kubernetes.io/config.mirror": "x"}},
        {"phase": "Succeeded"},
        {"phase": "Failed"},
    ],
)
def test_a_node_with_nothing_but_its_own_is_empty(changes: dict[str, Any]) -> None:
    running = {"phase": "Running", **changes}
    assert actions(ours(), pod("r", node_name="n1", **running)) == [MARK]


def test_a_pod_that_is_leaving_still_counts() -> None:
    assert actions(ours(), pod("r", node_name="n1", phase="Running", is_deleting=True)) == []


def test_a_pod_that_came_takes_the_mark_away() -> None:
    assert actions(ours(annotations=marked(10)), pod("r", node_name="n1", phase="Running")) == [UNMARK]


def test_a_pod_that_came_at_the_last_moment_reopens_the_node() -> None:
    there = ours(annotations=marked(400), is_cordoned=True)
    assert actions(there, pod("r", node_name="n1", phase="Running")) == [UNCORDON, UNMARK]


def test_a_pending_pod_that_will_come_keeps_the_node() -> None:
    assert actions(ours(annotations=marked(400)), pod("p", "400m", "1G")) == [UNMARK]


def test_a_pending_pod_reopens_a_closed_node_instead_of_buying() -> None:
    there = ours(annotations=marked(400), is_cordoned=True)
    pool = Pool("p1", "p1", SPEC, 1, (Instance("i1"),))
    plan = planned([pod("p", "400m", "1G")], OKE, POLICY, nodes=(there,), pools=(pool,))
    assert ([step.action for step in plan.steps], plan.nodes) == ([UNCORDON, UNMARK], ())


def test_a_node_that_is_being_given_back_is_not_taken_up_again() -> None:
    leaving = Instance("i1", is_leaving=True)
    there = ours(annotations=marked(400), is_cordoned=True)
    pool = Pool("p1", "p1", SPEC, 0, (leaving,))
    plan = planned([pod("p", "400m", "1G")], OKE, POLICY, nodes=(there,), pools=(pool,))
    assert (plan.steps, len(plan.nodes)) == ((), 1)


def test_a_node_that_is_not_ours_is_left_alone() -> None:
    assert planned([], OKE, POLICY, nodes=(node("management"),)).steps == ()


def test_a_node_that_refuses_stays() -> None:
    assert actions(ours(annotations={"karpenter.sh/do-not-disrupt": "true"})) == []


@pytest.mark.parametrize(("seconds", "count"), [(899, 0), (900, 1)])
def test_a_machine_that_never_became_a_node_is_given_back(seconds: int, count: int) -> None:
    instance = Instance("i1", first_seen=NOW - timedelta(seconds=seconds))
    plan = planned([], OKE, POLICY, pools=(Pool("p1", "p1", SPEC, 1, (instance,)),))
    assert len(plan.overdue) == count


def test_a_registered_machine_is_never_overdue() -> None:
    instance = Instance("i1", first_seen=NOW - timedelta(hours=9))
    plan = planned([], OKE, POLICY, nodes=(ours(),), pools=(Pool("p1", "p1", SPEC, 1, (instance,)),))
    assert plan.overdue == ()


@pytest.mark.parametrize(("seconds", "count"), [(599, 0), (600, 1)])
def test_a_pool_that_is_empty_for_long_is_deleted(seconds: int, count: int) -> None:
    pool = Pool("p1", "p1", SPEC, 0, empty_since=NOW - timedelta(seconds=seconds))
    assert len(planned([], OKE, POLICY, pools=(pool,)).disused) == count


def test_an_empty_pool_that_is_about_to_be_used_stays() -> None:
    pool = Pool("p1", "p1", SPEC, 0, empty_since=NOW - timedelta(hours=1))
    plan = planned(pods(1, "400m", "4G"), OKE, POLICY, pools=(pool,))
    assert (plan.nodes[0].spec, plan.disused) == (SPEC, ())
