"""Pods keep the places that were planned for them, until they are there."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.decide import decide
from provisioner.core.intents import intents_of
from provisioner.core.model import HOSTNAME, ZONE, Node, Pod, PodTerm, Requirement, Spread
from provisioner.core.opening import STARTING, ticket
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL
from provisioner.core.pools import Instance, Pool
from provisioner.core.snapshot import Snapshot
from provisioner.drivers.contract import NoCapacity
from provisioner.kube import KubeDenied
from tests.support.packing import rounds
from tests.support.provision import ANY_ARCH, NOW, catalog, node, offering, pod, pods
from tests.support.world import World

MARKET = catalog(
    offering("small", "1", vcpus=1, memory_gib=Decimal(4)),
    offering("large", "4.5", vcpus=4, memory_gib=Decimal(16)),
)
PACKED: dict[str, Any] = {"bin_packing_node_cpu": 1000, "bin_packing_node_memory": 2**30}
every_mode = pytest.mark.parametrize("mode", MODES)


def decided(snapshot: Snapshot, mode: str = OPTIMAL) -> Plan:
    return decide(snapshot, MARKET, replace(ANY_ARCH, mode=mode, **PACKED), NOW, rounds(8))


def ordered(plan: Plan, before: Snapshot, *, listed: bool) -> Snapshot:
    """As it is a moment later: the machines are on their way, and no pod is anywhere yet."""
    specs = [planned.spec for planned in plan.nodes]
    pools = []
    for number, spec in enumerate(dict.fromkeys(specs)):
        count = specs.count(spec)
        machines = tuple(Instance(f"i{number}{at}", f"node-{number}{at}") for at in range(count))
        pools.append(Pool(f"p{number}", f"p{number}", spec, count, machines if listed else ()))
    return replace(before, pools=tuple(pools), intents=intents_of(plan, before))


def where(plan: Plan) -> dict[frozenset[str], int]:
    """Pods that share a place, and how many such places."""
    found: dict[frozenset[str], int] = {}
    for together in [*(each.pods for each in plan.nodes), *(each.pods for each in plan.existing)]:
        key = frozenset(each.name for each in together)
        found[key] = found.get(key, 0) + 1
    return found


@every_mode
@pytest.mark.parametrize("listed", [False, True], ids=["not listed yet", "listed"])
def test_while_nodes_are_on_their_way_everybody_keeps_his_place(mode: str, listed: bool) -> None:
    before = Snapshot((*pods(5, "700m"), *(pod(f"q{at}", "1300m") for at in range(4)), pod("r", "3500m")))
    first = decided(before, mode)
    later = ordered(first, before, listed=listed)
    second = decided(later, mode)
    assert (second.nodes, where(second)) == ((), where(first))
    assert where(decided(replace(later, intents=intents_of(second, later)), mode)) == where(first)


@every_mode
def test_a_pod_that_comes_meanwhile_takes_nobodys_place(mode: str) -> None:
    before = Snapshot(pods(2, "900m"))
    later = ordered(decided(before, mode), before, listed=True)
    # Larger ones are placed first, where nobody has a place already.
    plan = decided(replace(later, pods=(*later.pods, pod("new", "950m"))), mode)
    assert [sorted(each.name for each in one.pods) for one in plan.nodes] == [["new"]]


def test_a_pod_that_is_gone_leaves_its_place_to_others() -> None:
    before = Snapshot(pods(2, "900m"))
    later = ordered(decided(before), before, listed=True)
    plan = decided(replace(later, pods=(before.pods[0], pod("new", "900m"))))
    assert (plan.nodes, len(plan.existing)) == ((), 2)


def test_a_place_that_is_gone_is_bought_again() -> None:
    before = Snapshot(pods(2, "900m"))
    later = ordered(decided(before), before, listed=True)
    assert len(decided(replace(later, pools=())).nodes) == 2


def test_pods_that_have_to_be_together_keep_their_place_in_whatever_order() -> None:
    beside = (PodTerm(HOSTNAME, (Requirement("app", "In", ("z",)),), frozenset({"default"})),)
    before = Snapshot((pod("a", affinity=beside), pod("z", labels={"app": "z"})))
    first = decided(before)
    assert where(decided(ordered(first, before, listed=True))) == where(first) == {frozenset("az"): 1}


def test_pods_that_spread_keep_their_places_in_whatever_order() -> None:
    """The second pod of the first node may come when others are where they were meant to be, not before."""
    term = PodTerm(ZONE, (Requirement("app", "In", ("a",)),), frozenset({"default"}))
    alike = pods(4, "400m", labels={"app": "a"}, spread=(Spread(term, 1),))
    zones = ("z1", "z2", "z3")
    market = catalog(offering("small", "1", zones=zones))
    first = decide(Snapshot(alike), market, replace(ANY_ARCH, mode=OPTIMAL), NOW, rounds(8))
    assert sorted(len(each.pods) for each in first.nodes) == [1, 1, 2]
    later = ordered(first, Snapshot(alike), listed=True)
    second = decide(later, market, replace(ANY_ARCH, mode=OPTIMAL), NOW, rounds(8))
    assert (second.nodes, where(second)) == ((), where(first))


def test_whoever_was_let_in_keeps_his_place_though_all_else_is_forgotten() -> None:
    before = Snapshot(pods(2, "900m"))
    (pool,) = ordered(decided(before), before, listed=True).pools
    nodes = tuple(
        node(each.name, "1", "4Gi", provider_id=each.id, taints=(STARTING,)) for each in pool.instances
    )
    let_in = pod("a", "800m", tolerations=(ticket(nodes[1]),))
    plan = decided(Snapshot((let_in, pod("b", "900m")), nodes, (pool,)))
    assert {each.node: [one.name for one in each.pods] for each in plan.existing} == {
        "node-00": ["b"],
        "node-01": ["a"],
    }


def beside_another(machines: tuple[Instance, ...], *others: Pod) -> Snapshot:
    """A node with a pod on it and room for `a`, not for `b`; its machine is the first of its pool."""
    (spec,) = {each.spec for each in decided(Snapshot(pods(1))).nodes}
    there = pod("there", "500m", node_name="n", phase="Running")
    wanted = (there, pod("a", "400m"), pod("b", "700m"), *others)
    ours = Pool("p", "p", spec, len(machines), machines)
    return Snapshot(wanted, (node("n", "1", "4Gi"),), (ours,))


THERE, COMING = Instance("id-n"), Instance("id-m", "m")


@every_mode
def test_a_place_beside_others_is_not_taken_for_one_on_a_node_of_that_size_on_its_way(mode: str) -> None:
    before = beside_another((THERE,))
    first = decided(before, mode)
    assert where(first) == {frozenset("a"): 1, frozenset("b"): 1}
    later = replace(beside_another((THERE, COMING)), intents=intents_of(first, before))
    second = decided(later, mode)
    assert second.nodes == ()
    assert {each.node: [one.name for one in each.pods] for each in second.existing} == {
        "n": ["a"],
        "m": ["b"],
    }


@every_mode
def test_whoever_lost_his_place_to_another_does_not_take_what_was_bought_for_a_third(mode: str) -> None:
    before = beside_another((THERE,))
    intents = intents_of(decided(before, mode), before)
    other = pod("other", "300m", node_name="n", phase="Running")
    plan = decided(replace(beside_another((THERE, COMING), other), intents=intents), mode)
    assert [[one.name for one in each.pods] for each in plan.nodes] == [["a"]]
    assert {each.node: [one.name for one in each.pods] for each in plan.existing} == {"m": ["b"]}


def test_a_place_that_cannot_be_kept_is_none() -> None:
    gone, small = node("gone"), node("n", taints=(STARTING,))
    wanted = (pod("p", tolerations=(ticket(gone),)), pod("q", "3", tolerations=(ticket(small),)))
    (spec,) = {each.spec for each in decided(Snapshot(pods(1))).nodes}
    ours = (Pool("p", "p", spec, 1, (Instance(small.provider_id),)),)
    plan = decided(Snapshot(wanted, (small,), ours))
    assert [each.name for one in plan.existing for each in one.pods] == ["p"]
    assert [each.name for one in plan.nodes for each in one.pods] == ["q"]


class TestLoop:
    """The controller remembers what it bought for whom, and says it when there is a node to say it of."""

    def test_a_small_pod_does_not_take_a_large_ones_place(self) -> None:
        world = World(MARKET, replace(ANY_ARCH, mode=OPTIMAL))
        # The scheduler tries the small ones first, and any node.
        small: list[Pod] = [pod(f"a{at}", "600m") for at in range(3)]
        world.cluster.add(*small, pod("z", "3500m"))
        for _ in range(5):
            world.step()
            world.cluster.register(world.driver.boot(), world.now)
            world.step()
            world.cluster.schedule()
        assert world.cluster.pending == []
        assert sorted(world.bought) == ["large", "small", "small", "small"]

    def test_where_pods_may_not_be_let_in_alone_nodes_are_opened_to_all(self) -> None:
        world = World(MARKET, replace(ANY_ARCH, mode=OPTIMAL))

        def refuse(pod: Pod, node: Node) -> None:
            raise KubeDenied(f"403: pods {pod.name} is forbidden ({node.name})")

        world.cluster.let_in = refuse  # type: ignore[method-assign]
        world.cluster.add(*pods(3, "900m"))
        world.rounds(3)
        assert world.cluster.pending == []
        assert len(world.bought) == 3

    def test_what_could_not_be_had_is_planned_anew(self) -> None:
        world = World(MARKET, replace(ANY_ARCH, mode=OPTIMAL))
        world.driver.errors.extend([None, NoCapacity("none")])
        world.cluster.add(*pods(2, "900m"))
        world.rounds(3)
        assert world.cluster.pending == []
        assert world.bought == ["large"]
