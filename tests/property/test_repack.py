"""Moves over random clusters: never dearer in the end, no pod lost, nobody left alone, and an end."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.core.model import Owner, Pod
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.surge import TEMPLATE_HASH
from tests.support.provision import catalog, offering, pod
from tests.support.world import World

MARKET = catalog(
    offering("small", "0.04", vcpus=1),
    offering("middle", "0.07", vcpus=2, memory_gib=Decimal(8), zones=("z1", "z2")),
    offering("large", "0.12", vcpus=4, memory_gib=Decimal(16)),
)
POLICY = Policy(mode=OPTIMAL, repack=True, node_unneeded_s=20, repack_cost_per_pod=Decimal("0.001"))
SETTLED = 30
"""Rounds after which everything that pays has been done: a move takes a few for each pod."""

OVERHEADS = st.sampled_from(["0", "0", "0.004", "0.02"]).map(Decimal)
"""What a node costs beside its price."""

workers = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 15), st.integers(1, 8)), min_size=1, max_size=6
)


def worker(number: int, app: str, cpu: int, memory: int) -> Pod:
    """Pods of `a` and `b` can be replaced before they go, those of `c` cannot."""
    labels = {"app": app, **({} if app == "c" else {TEMPLATE_HASH: app})}
    owner = Owner("ReplicaSet", app, app)
    return pod(f"{app}{number}", f"{cpu}00m", f"{memory * 512}Mi", owner=owner, labels=labels)


def grown(wanted: list[tuple[str, int, int]], gone: set[int], overhead: Decimal) -> World:
    """A cluster that has grown pod by pod, each with a node of its own or beside others; then some go."""
    policy = replace(POLICY, node_overhead_price_per_hour=overhead)
    world = World(MARKET, replace(policy, repack=False))
    for number, each in enumerate(wanted):
        world.cluster.add(worker(number, *each))
        world.rounds(2)
    for name in [name for at, name in enumerate(list(world.cluster.pods)) if at in gone]:
        del world.cluster.pods[name]
    world.rounds(8)
    world.policy = policy
    world.restart()
    return world


def spent(world: World) -> Decimal:
    """What its machines cost, with what each costs beside its price."""
    machines = sum(pool.size for pool in world.driver.pools())
    return world.price_per_hour + machines * world.policy.node_overhead_price_per_hour


def serving(world: World) -> Counter[str]:
    return Counter(each.labels["app"] for each in world.cluster.pods.values() if each.is_ready)


@settings(max_examples=30, deadline=None)
@given(workers, st.sets(st.integers(0, 6), max_size=3), OVERHEADS)
def test_moving_is_never_dearer_loses_nobody_and_ends(
    wanted: list[tuple[str, int, int]], gone: set[int], overhead: Decimal
) -> None:
    world = grown(wanted, gone, overhead)
    before, running = spent(world), serving(world)
    for _ in range(SETTLED):
        world.step()
        assert all(serving(world)[app] >= min(1, count) for app, count in running.items())
        assert all(serving(world)[app] >= count - 1 for app, count in running.items())
        world.boot()
    assert spent(world) <= before
    assert (world.cluster.pending, serving(world)) == ([], running)
    ended = (list(world.driver.launches), list(world.driver.terminated), list(world.cluster.evicted))
    world.rounds(10)
    assert (world.driver.launches, world.driver.terminated, world.cluster.evicted) == ended


@settings(max_examples=30, deadline=None)
@given(workers, st.lists(st.integers(0, 12), max_size=4), OVERHEADS)
def test_moves_come_to_an_end_though_pods_leave_in_the_middle(
    wanted: list[tuple[str, int, int]], leave_at: list[int], overhead: Decimal
) -> None:
    """What was bought for more pods than are left is used or given back, never bought beside again and again."""
    world = grown(wanted, set(), overhead)
    bought = len(world.bought)
    for at in range(SETTLED):
        for name in list(world.cluster.pods)[: leave_at.count(at)]:
            if world.cluster.pods[name].is_ready:
                del world.cluster.pods[name]
        world.rounds(1)
    assert len(world.bought) - bought <= len(wanted) + len(leave_at)
    ended = (list(world.driver.launches), list(world.driver.terminated), list(world.cluster.evicted))
    world.rounds(10)
    assert (world.driver.launches, world.driver.terminated, world.cluster.evicted) == ended
    assert world.cluster.pending == []
