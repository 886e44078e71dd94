"""How much of a workload may be on spot."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from provisioner.core.model import CAPACITY_TYPE, NodeTerm, Owner, Pod
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL
from provisioner.core.pools import Instance, Pool
from tests.support import provision
from tests.support.provision import ANY_ARCH, NOW, catalog, codes, node, offering, pod

MARKET = catalog(
    offering("a", "2", vcpus=4, memory_gib=8), offering("a", "1", vcpus=4, memory_gib=8, capacity_type="spot")
)
BOTH = replace(ANY_ARCH, capacity_types=("on-demand", "spot"), bin_packing_node_memory=2**30)
every_mode = pytest.mark.parametrize("mode", MODES)


def replicas(count: int, of: str = "web", **changes: Any) -> list[Pod]:
    return [pod(f"{of}{at}", "2500m", owner=Owner("ReplicaSet", of, of), **changes) for at in range(count)]


def on_spot(plan: Plan) -> Counter[str]:
    """Pods by workload."""
    return Counter(
        each.owner.uid if each.owner else each.name
        for planned_node in plan.nodes
        for each in planned_node.pods
        if planned_node.size.offering.capacity_type == "spot"
    )


def planned(wanted: Any, mode: str, share: float, **snapshot: Any) -> Plan:
    return provision.planned(wanted, MARKET, replace(BOTH, mode=mode, max_spot_share=share), **snapshot)


@every_mode
@pytest.mark.parametrize(
    ("share", "count"), [(1, 10), (0.99, 9), (0.5, 5), (0.1, 1), (0.7, 7), (0.09, 0), (0, 0)]
)
def test_the_share_holds_for_each_workload_alone(mode: str, share: float, count: int) -> None:
    plan = planned([*replicas(10), *replicas(10, "api")], mode, share)
    assert on_spot(plan) == +Counter(web=count, api=count)
    assert codes(plan) == {}


@every_mode
def test_a_single_pod_is_not_on_spot_when_less_than_all_may_be(mode: str) -> None:
    assert on_spot(planned([*replicas(1), pod("alone")], mode, 0.9)) == Counter()


@every_mode
def test_pods_that_run_on_spot_already_count(mode: str) -> None:
    running = [
        replace(each, name=f"r{at}", node_name="s", phase="Running") for at, each in enumerate(replicas(3))
    ]
    there = node("s", "8", labels={CAPACITY_TYPE: "spot"}, is_cordoned=True)
    plan = planned([*running, *replicas(5)], mode, 0.5, nodes=(there,))
    assert on_spot(plan) == Counter(web=1)


@every_mode
def test_room_on_spot_is_not_counted_on_beyond_the_share(mode: str) -> None:
    there = node("s", "40", "40Gi", labels={CAPACITY_TYPE: "spot"})
    plan = planned(replicas(4), mode, 0.5, nodes=(there,))
    assert sum(len(each.pods) for each in plan.existing) == 2
    assert on_spot(plan) == Counter()


@every_mode
def test_room_on_a_node_that_does_not_say_is_used(mode: str) -> None:
    assert planned(replicas(4), mode, 0, nodes=(node("n", "40", "40Gi"),)).nodes == ()


@every_mode
@pytest.mark.parametrize(
    "changes",
    [
        {"node_selector": {CAPACITY_TYPE: "spot"}},
        {"annotations": {"node.elotl.co/instance-offerings": "spot"}},
    ],
)
def test_pods_that_ask_for_spot_get_it(mode: str, changes: dict[str, Any]) -> None:
    assert on_spot(planned(replicas(3, **changes), mode, 0)) == Counter(web=3)


@every_mode
def test_a_term_that_meets_nothing_goes_on_meeting_nothing(mode: str) -> None:
    plan = planned(replicas(1, node_affinity=(NodeTerm(),)), mode, 0)
    assert codes(plan) == {"web0": ["affinity"]}


@pytest.mark.parametrize(("share", "kinds"), [(1, {"spot"}), (0, set())])
def test_pods_are_not_moved_to_spot_beyond_the_share(share: float, kinds: set[str]) -> None:
    bought = planned(replicas(2), OPTIMAL, 0).nodes
    spec = bought[0].spec
    pool = Pool("p", "p", spec, 2, (Instance("i0"), Instance("i1")))
    nodes = tuple(node(f"n{at}", "4", "8Gi", provider_id=f"i{at}") for at in range(2))
    running = [
        replace(each, node_name=f"n{at}", phase="Running", is_ready=True)
        for at, each in enumerate(replicas(2))
    ]
    policy = replace(BOTH, mode=OPTIMAL, max_spot_share=share, repack=True, node_unneeded_s=0)
    marked = {"rightsize.io/removable-since": (NOW - timedelta(hours=1)).isoformat()}
    nodes = tuple(replace(each, annotations=marked) for each in nodes)
    plan = provision.planned(running, MARKET, policy, pools=(pool,), nodes=nodes)
    found = {each.size.offering.capacity_type for each in (plan.repack.nodes if plan.repack else ())}
    assert found == kinds
