"""Room for workloads that an autoscaler is raising: what is planned for them, and what is never said of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from provisioner.core import explain, parse
from provisioner.core.model import Owner, Pod, Scaler
from provisioner.core.plan import MARK, Plan
from provisioner.core.policy import DESIRED, MAX, MODES, OFF, OPTIMAL, Policy
from provisioner.core.surge import TEMPLATE_HASH
from provisioner.report import document
from tests.support.provision import NOW, bought, catalog, node, offering, pod
from tests.support.provision import planned as planned_for
from tests.support.world import World

MARKET = catalog(offering("small", "1", vcpus=1), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
POLICY = Policy(mode=OPTIMAL, node_unneeded_s=60)
MAXIMAL = replace(POLICY, growth=MAX)


def web(name: str, **changes: Any) -> Pod:
    values = {"owner": Owner("ReplicaSet", "web-7f", "rs"), "labels": {TEMPLATE_HASH: "7f"}, **changes}
    return pod(name, "700m", "2Gi", **values)


def running(name: str, at: str) -> Pod:
    return web(name, node_name=at, phase="Running", is_ready=True)


def scaler(current: int = 1, desired: int = 3, **changes: Any) -> Scaler:
    values = {"minimum": 1, "maximum": 4, "scaled": NOW, **changes}
    return Scaler("default", "hpa", "Deployment", "web", current, desired, **values)


def planned(*pods: Pod, policy: Policy = POLICY, by: Scaler | None = None, **snapshot: Any) -> Plan:
    nodes = (node("n1", "800m", "3Gi"),)
    return planned_for(pods, MARKET, policy, nodes=nodes, scalers=(by or scaler(),), **snapshot)


def room_for(plan: Plan) -> int:
    return sum(len(each.kept_for) for each in plan.nodes)


def test_pods_that_an_autoscaler_has_asked_for_are_planned_with_those_that_wait() -> None:
    plan = planned(running("a", "n1"), web("b"))
    assert (bought(plan), room_for(plan)) == ({"large": 1}, 1)


def test_without_growth_only_those_that_wait_are() -> None:
    plan = planned(running("a", "n1"), web("b"), policy=replace(POLICY, growth=OFF))
    assert (bought(plan), room_for(plan)) == ({"small": 1}, 0)


def test_room_for_the_most_replicas_is_made_when_one_more_is_asked_for() -> None:
    plan = planned(running("a", "n1"), web("b"), policy=MAXIMAL, by=scaler(1, 2))
    assert (bought(plan), room_for(plan)) == ({"large": 1}, 2)


def test_pods_to_come_are_in_no_list_of_pods() -> None:
    plan = planned(running("a", "n1"), web("b"))
    said = document(plan, 0)
    assert said["existing"] == said["unplaced"] == []
    assert [each["pods"] for each in said["nodes"]] == [["default/b"]]


def test_a_node_for_pods_to_come_alone_says_so() -> None:
    plan = planned(running("a", "n1"))
    assert [each["pods"] for each in document(plan, 0)["nodes"]] == [[]]
    assert "for growth of default/web (2 pods)" in explain.purchase(plan.nodes[0])


def test_room_that_is_there_already_is_not_bought() -> None:
    large = node("n2", "4", "16Gi")
    plan = planned_for([running("a", "n2")], MARKET, MAXIMAL, nodes=(large,), scalers=(scaler(),))
    assert (plan.nodes, plan.existing) == ((), ())


@pytest.mark.parametrize(
    "by",
    [
        pytest.param(scaler(3, 3), id="all replicas are seen"),
        pytest.param(scaler(3, 1), id="it shrinks"),
        pytest.param(scaler(scaled=NOW - timedelta(seconds=60)), id="it was asked for long ago"),
        pytest.param(scaler(scaled=None), id="it never scaled"),
        pytest.param(replace(scaler(), namespace="other"), id="another namespace"),
        pytest.param(replace(scaler(), workload="other"), id="another workload"),
        pytest.param(replace(scaler(), kind="StatefulSet"), id="another kind of workload"),
    ],
)
@pytest.mark.parametrize("growth", [DESIRED, MAX])
def test_no_room_is_made_when(by: Scaler, growth: str) -> None:
    assert planned(running("a", "n1"), policy=replace(POLICY, growth=growth), by=by).nodes == ()


def test_other_kinds_of_workloads_are_known_by_their_own_name() -> None:
    one = replace(running("web-0", "n1"), owner=Owner("StatefulSet", "web", "u"))
    assert room_for(planned(one, by=replace(scaler(), kind="StatefulSet"))) == 2


def test_pods_that_are_there_already_are_not_planned_for_again() -> None:
    assert room_for(planned(running("a", "n1"), web("b"), web("c"))) == 0


def test_pods_that_leave_do_not_count_as_there() -> None:
    leaving = replace(running("z", "n1"), is_deleting=True)
    assert room_for(planned(running("a", "n1"), leaving)) == 2


def test_a_workload_that_is_not_served_gets_no_room() -> None:
    policy = replace(POLICY, pod_selector={"served": "yes"})
    assert planned(running("a", "n1"), policy=policy).nodes == ()


def test_pods_that_will_be_gated_get_no_room() -> None:
    assert planned(running("a", "n1"), web("b", is_gated=True)).nodes == ()


@pytest.mark.parametrize("mode", MODES)
def test_where_a_limit_binds_pods_that_wait_come_first(mode: str) -> None:
    policy = replace(POLICY, mode=mode, max_nodes=1)
    huge = web("huge", requests=pod(cpu="3800m", memory="15Gi").requests)
    plan = planned(running("a", "n1"), huge, policy=policy, by=scaler(1, 4))
    assert ([each.pods for each in plan.nodes], plan.unplaced) == ([(huge,)], ())


def test_a_pod_that_can_have_no_node_takes_none_from_pods_to_come() -> None:
    plan = planned(running("a", "n1"), pod("huge", "99"))
    assert ([each.pod.name for each in plan.unplaced], room_for(plan)) == (["huge"], 2)


def test_an_autoscaler_is_read_as_the_api_writes_it() -> None:
    raw = {
        "metadata": {"name": "hpa", "namespace": "default"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 4},
        "status": {"currentReplicas": 1, "desiredReplicas": 3, "lastScaleTime": "2026-01-02T03:04:05Z"},
    }
    assert parse.scaler(raw) == scaler()
    assert parse.scaler({key: raw[key] for key in ("metadata", "spec")}).desired == 0
    with pytest.raises(
        parse.Malformed, match=r"horizontalpodautoscaler default/hpa: spec\.maxReplicas is missing"
    ):
        parse.scaler({**raw, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}})


def grown(world: World, *steps: int) -> None:
    """A workload is raised step by step; pods appear a round after they were asked for."""
    for before, after in pairwise(steps):
        world.cluster.scalers = [scaler(before, after, scaled=world.now)]
        world.rounds(1)
        world.cluster.add(*(web(f"w{at}") for at in range(before, after)))
        world.rounds(2)


@pytest.mark.parametrize(
    ("growth", "bought"), [(OFF, ["small", "small", "large"]), (MAX, ["small", "large"])]
)
def test_a_growth_in_steps_ends_in_fewer_nodes(growth: str, bought: list[str]) -> None:
    world = World(MARKET, replace(POLICY, growth=growth, repack=False))
    world.cluster.add(web("w0"))
    world.rounds(2)
    grown(world, 1, 2, 4)
    assert (world.bought, world.cluster.pending) == (bought, [])


@pytest.mark.parametrize("growth", [DESIRED, MAX])
def test_room_for_pods_that_never_come_is_given_back_and_not_bought_again(growth: str) -> None:
    world = World(MARKET, replace(POLICY, growth=growth))
    world.cluster.add(web("w0"))
    world.rounds(2)
    world.cluster.scalers = [scaler(1, 3, scaled=world.now)]
    world.rounds(30)
    assert (world.bought, len(world.driver.terminated)) == (["small", "large"], 1)
    assert [event[0] for event in world.cluster.events] == ["w0"]


def test_while_they_are_awaited_it_is_kept() -> None:
    world = World(MARKET, POLICY)
    world.cluster.add(web("w0"))
    world.rounds(2)
    world.cluster.scalers = [scaler(1, 3, scaled=world.now)]
    world.rounds(5)
    assert not any(MARK in line for line in world.log.lines)
