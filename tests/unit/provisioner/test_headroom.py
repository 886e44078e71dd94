"""Room that is kept free: where it is kept, who takes it, and when it is bought again."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core import explain, headroom, stay
from provisioner.core.model import CAPACITY_TYPE, Node, Owner, Pod, Taint
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_PACK, MODES, OPTIMAL, Headroom, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from provisioner.report import document
from tests.support.provision import NOW, amounts, bought, catalog, node, offering, pod, pods
from tests.support.provision import planned as planned_for
from tests.support.world import World

MARKET = catalog(offering("small", "1", vcpus=1), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
POLICY = Policy(mode=OPTIMAL, node_unneeded_s=60, headroom=Headroom(2, amounts("700m", "2Gi")))
SMALL = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", ((CAPACITY_TYPE, "on-demand"),))
OURS = {CAPACITY_TYPE: "on-demand"}


def ours(name: str, cpu: str = "4", memory: str = "16Gi", **changes: Any) -> Node:
    """Long there, so that it is what it shows."""
    values = {"created": NOW - timedelta(hours=1), **changes}
    return node(name, cpu, memory, labels=OURS, provider_id=name, **values)


def planned(*wanted: Pod, nodes: tuple[Node, ...] = (), policy: Policy = POLICY) -> Plan:
    pool = Pool("p", "p", SMALL, len(nodes), tuple(Instance(each.name) for each in nodes))
    return planned_for(wanted, MARKET, policy, nodes=nodes, pools=(pool,) if nodes else ())


def test_without_any_pod_there_is_a_node_that_nobody_is_on() -> None:
    plan = planned()
    assert bought(plan) == {"large": 1}
    said = document(plan, 0)
    assert (said["nodes"][0]["pods"], said["existing"], said["unplaced"]) == ([], [], [])
    assert "for headroom (2 pods)" in explain.purchase(plan.nodes[0])


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_keeps_it(mode: str) -> None:
    plan = planned(policy=replace(POLICY, mode=mode))
    assert sum(len(each.kept_for) for each in plan.nodes) == 2


def test_it_is_bought_together_with_what_pods_need() -> None:
    plan = planned(pod("a", "700m", "2Gi"))
    assert (bought(plan), [len(each.kept_for) for each in plan.nodes]) == ({"large": 1}, [2])


def test_room_beside_pods_is_enough_and_an_empty_node_is_then_given_back() -> None:
    running = pod("a", node_name="n2", phase="Running")
    plan = planned(running, nodes=(ours("n1"), ours("n2")))
    assert (plan.nodes, [step.node for step in plan.steps]) == ((), ["n1"])


def test_a_node_that_only_headroom_holds_stays() -> None:
    since = {REMOVABLE_SINCE_KEY: (NOW - timedelta(hours=1)).isoformat()}
    plan = planned(nodes=(ours("n1", annotations=since, is_cordoned=True),))
    assert ([step.action for step in plan.steps], plan.nodes) == (["uncordon", "unmark"], ())


def test_what_keeps_an_empty_node_is_said() -> None:
    pool = Pool("p", "p", SMALL, 1, (Instance("n1"),))
    seen = Snapshot((), (ours("n1"),), (pool,))
    plan = planned_for((), MARKET, POLICY, nodes=seen.nodes, pools=seen.pools)
    (_, line) = stay.lines(plan, seen, MARKET, POLICY)
    assert line.endswith(": room is kept there for headroom (2 pods)")


def test_nodes_that_are_not_bought_are_no_headroom() -> None:
    there = node("management", "64", "256Gi")
    assert bought(planned_for((), MARKET, POLICY, nodes=(there,))) == {"large": 1}


def test_a_node_that_is_on_its_way_is_headroom() -> None:
    coming = Pool("p", "p", replace(SMALL, shape="large", memory_gib=Decimal(16)), 1)
    assert planned_for((), MARKET, POLICY, pools=(coming,)).nodes == ()


def test_pods_that_wait_take_its_room_and_it_is_bought_again() -> None:
    plan = planned(*pods(2, "700m", "2Gi"), nodes=(ours("n1", "1500m", "4Gi"),))
    assert [[each.name for each in there.pods] for there in plan.existing] == [["p0", "p1"]]
    assert [(each.pods, len(each.kept_for)) for each in plan.nodes] == [((), 2)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", [{"max_nodes": 1}, {"max_price_per_hour": Decimal("1.5")}])
def test_where_a_limit_binds_pods_that_wait_come_first(mode: str, limit: dict[str, Any]) -> None:
    huge = pod("huge", "3800m", "15Gi")
    plan = planned(huge, policy=replace(POLICY, mode=mode, **limit))
    assert ([each.pods for each in plan.nodes], plan.unplaced, len(plan.short)) == ([(huge,)], (), 2)


def test_what_cannot_be_had_is_said_once_and_of_no_pod() -> None:
    world = World(MARKET, replace(POLICY, max_nodes=0))
    world.rounds(3)
    (line,) = [line for line in world.log.lines if "headroom" in line]
    assert "no room is kept for 2 pods of the headroom: max_nodes is 0" in line
    assert world.cluster.events == []


def test_it_tolerates_what_bought_nodes_are_tainted_with() -> None:
    policy = replace(POLICY, node_taints=(Taint("role", "inference", "NoSchedule"),))
    assert bought(planned(policy=policy)) == {"large": 1}


class TestPerCent:
    """Of what served pods request."""

    @staticmethod
    def of(policy: Policy, *there: Pod) -> tuple[Pod, ...]:
        return headroom.pods_of(policy, there)

    POLICY = Policy(headroom=Headroom(percent=Decimal(50)), pod_selector={"served": "yes"})

    def served(self, name: str, cpu: str, memory: str, **changes: Any) -> Pod:
        return pod(name, cpu, memory, labels={"served": "yes"}, **changes)

    def test_of_nothing_is_nothing(self) -> None:
        assert self.of(self.POLICY) == ()
        assert self.of(self.POLICY, pod("other", "4", "4Gi")) == ()

    @pytest.mark.parametrize(
        "changes",
        [
            {"phase": "Succeeded"},
            {"is_deleting": True},
            {"is_gated": True},
            {"owner": Owner("DaemonSet", "d", "u")},
        ],
    )
    def test_such_pods_do_not_count(self, changes: dict[str, Any]) -> None:
        assert self.of(self.POLICY, self.served("a", "1", "1Gi", **changes)) == ()

    @given(
        st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 2**34)), min_size=1, max_size=30),
        st.integers(1, 300),
    )
    @settings(deadline=None)
    def test_it_is_at_least_the_share_and_hardly_more(
        self, asked: list[tuple[int, int]], percent: int
    ) -> None:
        policy = replace(self.POLICY, headroom=Headroom(percent=Decimal(percent)))
        there = [self.served(f"p{at}", f"{cpu}m", str(memory)) for at, (cpu, memory) in enumerate(asked)]
        kept = self.of(policy, *there)
        assert len(kept) <= len(there) * percent / 100 * 1.25 + 1
        for at in (0, 1):
            total = sum(each[at] for each in asked)
            size = (kept[0].requests.cpu_millicores, kept[0].requests.memory_bytes)[at] if kept else 0
            if total >= len(asked):
                assert len(kept) * size * 100 >= total * percent
            assert size <= total / len(asked)


def test_a_pod_comes_at_once_and_the_room_is_bought_again() -> None:
    world = World(MARKET, POLICY)
    world.rounds(2)
    assert world.bought == ["large"]
    world.cluster.add(*pods(4, "700m", "2Gi"))
    world.cluster.schedule()
    assert world.cluster.pending == []
    world.rounds(3)
    assert world.bought == ["large", "small"]
    world.rounds(20)
    assert (world.bought, world.driver.terminated) == (["large", "small"], [])


def test_when_pods_go_the_room_that_is_too_much_goes() -> None:
    world = World(MARKET, POLICY)
    world.rounds(2)
    world.cluster.add(*pods(4, "700m", "2Gi"))
    world.rounds(3)
    world.cluster.pods.clear()
    world.rounds(20)
    assert (len(world.driver.terminated), len(world.cluster.nodes)) == (1, 1)
    world.rounds(20)
    assert (len(world.driver.terminated), len(world.bought)) == (1, 2)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), min_size=1, max_size=5),
    st.integers(1, 3),
    st.sampled_from([OPTIMAL, BIN_PACK]),
)
def test_it_comes_to_rest_whatever_comes(wanted: list[tuple[int, int]], count: int, mode: str) -> None:
    policy = replace(POLICY, mode=mode, node_unneeded_s=20, headroom=Headroom(count, amounts("300m", "1Gi")))
    world = World(MARKET, policy)
    for number, (cpu, memory) in enumerate(wanted):
        world.cluster.add(pod(f"p{number}", f"{cpu}00m", f"{memory * 512}Mi"))
        world.rounds(2)
    world.rounds(8)
    assert world.cluster.pending == []
    ended = (list(world.driver.launches), list(world.driver.terminated))
    world.rounds(10)
    assert (world.driver.launches, world.driver.terminated) == ended
    snapshot = Snapshot(tuple(world.cluster.pods.values()), tuple(world.cluster.nodes.values()))
    assert len(planned_for(snapshot.pods, MARKET, policy, nodes=snapshot.nodes).nodes) == 0


class TestMoves:
    """Pods moved for money take nobody's headroom."""

    POLICY = replace(POLICY, repack=True, repack_cost_per_pod=Decimal("0.01"))
    LARGE = replace(SMALL, shape="large", memory_gib=Decimal(16))

    def moved(self, *more: Pod, size: str = "1200m") -> Plan:
        policy = replace(self.POLICY, headroom=Headroom(2, amounts(size, "2Gi")))
        labels = {**OURS, **MARKET.labels(MARKET.offerings[0], "z1")}
        nodes = tuple(
            node(name, cpu, memory, labels=labels, provider_id=name)
            for name, cpu, memory in (("s1", "1", "4Gi"), ("l1", "4", "16Gi"))
        )
        pools = (
            Pool("s", "s", SMALL, 1, (Instance("s1"),)),
            Pool("l", "l", self.LARGE, 1, (Instance("l1"),)),
        )
        web = Owner("ReplicaSet", "web", "web")
        there: dict[str, Any] = {"owner": web, "phase": "Running", "is_ready": True, "labels": {"app": "web"}}
        wanted = [
            pod("a", "700m", "2Gi", node_name="s1", **there),
            pod("b", "700m", "2Gi", node_name="l1", **there),
            *more,
        ]
        return planned_for(wanted, MARKET, policy, nodes=nodes, pools=pools)

    def test_a_node_is_emptied_into_room_that_is_nobodys(self) -> None:
        plan = self.moved()
        assert plan.repack is not None
        assert (set(plan.repack.leaving), [*plan.repack.nodes, *plan.nodes]) == ({"s1"}, [])

    def test_no_node_is_emptied_into_headroom(self) -> None:
        assert self.moved(size="1600m").repack is None
