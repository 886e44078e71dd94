"""Headroom, growth, age and budgets together over random clusters: nobody stops serving, nothing piles up."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.names import DRAINING_KEY
from provisioner.core.model import Owner, Pod, Scaler
from provisioner.core.node_budget import NodeBudget
from provisioner.core.policy import GROWTHS, OPTIMAL, Headroom, Policy
from provisioner.core.surge import TEMPLATE_HASH
from tests.support.provision import amounts, catalog, offering, pod
from tests.support.world import World

MARKET = catalog(
    offering("small", "0.04", vcpus=1),
    offering("middle", "0.07", vcpus=2, memory_gib=Decimal(8), zones=("z1", "z2")),
    offering("large", "0.12", vcpus=4, memory_gib=Decimal(16)),
)
POLICY = Policy(mode=OPTIMAL, repack=True, node_unneeded_s=20, repack_cost_per_pod=Decimal("0.001"))

workers = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 15), st.integers(1, 8)), min_size=1, max_size=6
)


def worker(number: int, app: str, cpu: int, memory: int) -> Pod:
    owner = Owner("ReplicaSet", f"{app}-1", app)
    labels = {"app": app, TEMPLATE_HASH: "1"}
    return pod(f"{app}{number}", f"{cpu}00m", f"{memory * 512}Mi", owner=owner, labels=labels)


def serving(world: World) -> Counter[str]:
    return Counter(each.labels["app"] for each in world.cluster.pods.values() if each.is_ready)


def filled(policy: Policy, wanted: list[tuple[str, int, int]]) -> World:
    world = World(MARKET, policy)
    for number, each in enumerate(wanted):
        world.cluster.add(worker(number, *each))
        world.rounds(2)
    world.rounds(6)
    assert world.cluster.pending == []
    return world


@settings(max_examples=8, deadline=None)
@given(workers, st.integers(0, 2), st.integers(1, 2))
def test_nodes_that_expire_are_replaced_within_budgets_and_everybody_serves(
    wanted: list[tuple[str, int, int]], room: int, budget: int
) -> None:
    policy = replace(
        POLICY,
        headroom=Headroom(room, amounts("300m", "1Gi")),
        node_budgets=(NodeBudget(budget),),
        expire_after_s=400,
    )
    world = filled(policy, wanted)
    first, running = set(world.cluster.nodes), serving(world)
    for _ in range(120):
        world.step()
        assert all(serving(world)[app] >= min(1, count) for app, count in running.items())
        assert sum(DRAINING_KEY in node.annotations for node in world.cluster.nodes.values()) <= budget
        world.boot()
        assert len(world.cluster.nodes) <= 2 * (len(wanted) + room) + 1
    assert not first & set(world.cluster.nodes)
    oldest = min(node.created for node in world.cluster.nodes.values() if node.created)
    assert world.now - oldest < timedelta(seconds=1200)


@settings(max_examples=8, deadline=None)
@given(workers, st.sampled_from(GROWTHS), st.integers(1, 6))
def test_growth_that_never_comes_leaves_nothing_behind(
    wanted: list[tuple[str, int, int]], growth: str, more: int
) -> None:
    world = filled(replace(POLICY, growth=growth), wanted)
    before, app = world.price_per_hour, wanted[0][0]
    there = sum(each.labels["app"] == app for each in world.cluster.pods.values())
    world.cluster.scalers = [
        Scaler("default", app, "Deployment", app, there, there + more, 1, there + 2 * more, world.now)
    ]
    world.rounds(30)
    assert world.cluster.pending == []
    assert world.price_per_hour <= before
    ended = (list(world.driver.launches), list(world.driver.terminated))
    world.rounds(10)
    assert (world.driver.launches, world.driver.terminated) == ended


@settings(max_examples=4, deadline=None)
@given(workers, st.sets(st.integers(0, 6), max_size=3), st.integers(1, 3))
def test_moves_and_headroom_come_to_rest_and_the_room_is_there(
    wanted: list[tuple[str, int, int]], gone: set[int], room: int
) -> None:
    world = filled(replace(POLICY, headroom=Headroom(room, amounts("300m", "1Gi"))), wanted)
    for name in [name for at, name in enumerate(list(world.cluster.pods)) if at in gone]:
        del world.cluster.pods[name]
    world.rounds(40)
    ended = (list(world.driver.launches), list(world.driver.terminated), list(world.cluster.evicted))
    world.rounds(6)
    assert (world.driver.launches, world.driver.terminated, world.cluster.evicted) == ended
    world.cluster.add(*(pod(f"new{at}", "300m", "1Gi") for at in range(room)))
    world.cluster.schedule()
    assert world.cluster.pending == []
