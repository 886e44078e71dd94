"""One round of the controller: what is planned is what the scheduler does, and nothing is bought for twice."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.model import HOSTNAME, ZONE, HostPort, Pod, Spread, Toleration
from provisioner.core.policy import MODES, Policy
from tests.property.test_optimal_plans import one_pod, term
from tests.support.provision import catalog, daemon_set, flexible, offering, pod
from tests.support.world import World

MARKET = catalog(
    offering("arm", "0.04", vcpus=2, memory_gib=Decimal(8), zones=("z1", "z2")),
    offering("amd", "0.05", arch="amd64", vcpus=4, memory_gib=Decimal(8), zones=("z1",)),
    offering("gpu", "0.30", arch="amd64", vcpus=4, memory_gib=Decimal(16), gpus=1, zones=("z2",)),
    flexible(zones=("z1", "z2", "z3")),
)
Wave = list[dict[str, Any]]
OVER_NODES = Spread(term(HOSTNAME, "a"), 1)


def by_itself(values: dict[str, Any]) -> dict[str, Any]:
    """Without rules under which it depends on the order of coming who may go where."""
    apart = tuple(each for each in values["anti_affinity"] if each.topology_key != ZONE)
    return {**values, "affinity": (), "anti_affinity": apart, "spread": ()}


def spreading(values: dict[str, Any]) -> dict[str, Any]:
    """Whoever a spread counts keeps to it, over the same nodes: otherwise the order of coming decides."""
    if values["labels"] != {"app": "a"}:
        return values
    return {**values, "spread": (OVER_NODES,), "node_selector": {}}


def some_waves(one: SearchStrategy[dict[str, Any]]) -> SearchStrategy[list[Wave]]:
    return st.lists(st.lists(one, min_size=1, max_size=8), min_size=1, max_size=3)


loose = one_pod.map(by_itself)
loose_waves = some_waves(loose)
waves = loose_waves | some_waves(loose.map(spreading))


def policy(mode: str) -> Policy:
    return Policy(
        mode=mode,
        architectures=("arm64", "amd64"),
        max_pools=1000,
        repack=False,
        batch_idle_s=0,
        batch_longest_s=0,
        bin_packing_node_cpu=2000,
        bin_packing_node_memory=2**30,
        bin_packing_node_min_pod_count=1,
    )


def pods_of(wave: Wave, number: int) -> list[Pod]:
    names = (f"w{number}-{at}" for at in range(len(wave)))
    return [
        pod(name, **{key: value for key, value in values.items() if key != "place"})
        for name, values in zip(names, wave, strict=True)
    ]


def named(made: Pod, at: int) -> Pod:
    """One of several, of which only the first takes a port of its node."""
    return replace(made, name=f"d{at}", host_ports=() if at else made.host_ports)


some_selector = st.sampled_from([{}, {}, {"kubernetes.io/arch": "amd64"}, {ZONE: "z2"}])
daemon_sets = st.lists(
    st.builds(
        lambda cpu, memory, selector, tolerations, ports: daemon_set(
            cpu=f"{cpu}m",
            memory=str(memory),
            node_selector=selector,
            tolerations=tolerations,
            host_ports=ports,
        ),
        st.integers(0, 900),
        st.integers(0, 2**31),
        some_selector,
        st.sampled_from([(), (Toleration(operator="Exists"),)]),
        st.sampled_from([(), (HostPort(80, "TCP", "0.0.0.0"),)]),
    ),
    min_size=1,
    max_size=3,
).map(lambda made: [replace(each, pod=named(each.pod, at)) for at, each in enumerate(made)])


@settings(max_examples=100, deadline=None)
@given(waves, st.sampled_from(MODES), daemon_sets)
def test_the_first_node_of_a_kind_has_room_for_the_daemons_of_the_cluster(
    given_waves: list[Wave], mode: str, made: list[DaemonSet]
) -> None:
    world = World(MARKET, policy(mode))
    world.cluster.daemon_sets = made
    for number, wave in enumerate(given_waves):
        world.cluster.add(*pods_of(wave, number))
        world.cluster.schedule()
        plan = world.controller.step(world.now, world.seconds)
        # Those that cannot be bought for go: one would come where a daemon is to be.
        for each in plan.unplaced:
            del world.cluster.pods[each.pod.name]
        world.cluster.register(world.driver.boot(), world.now)
        # One round lets pods in, the next one opens the nodes.
        for _ in range(2):
            assert world.controller.step(world.now, world.seconds).nodes == ()
            world.cluster.schedule()
        assert world.cluster.pending == []
        assert world.controller.step(world.now, world.seconds).shortfalls == {}


@settings(max_examples=100, deadline=None)
@given(waves, st.sampled_from(MODES), st.booleans())
def test_after_one_round_whoever_was_planned_for_runs_and_no_bought_node_is_empty(
    given_waves: list[Wave], mode: str, named: bool
) -> None:
    world = World(MARKET, policy(mode))
    world.driver.names_machines = named
    for number, wave in enumerate(given_waves):
        world.cluster.add(*pods_of(wave, number))
        world.cluster.schedule()
        before = len(world.bought)
        plan = world.controller.step(world.now, world.seconds)
        world.cluster.schedule()
        machines = world.driver.boot()
        left = {each.pod.name for each in plan.unplaced}
        assert world.controller.step(world.now, world.seconds).nodes == ()
        world.cluster.register(machines, world.now)
        assert world.controller.step(world.now, world.seconds).nodes == ()
        world.cluster.schedule()
        assert set(world.cluster.pending) <= left
        assert len(world.bought) - before == len(plan.nodes)
        used = {each.node_name for each in world.cluster.pods.values()}
        assert {instance.id for instance, _ in machines} <= used
        # Those that cannot be bought for go.
        world.cluster.pods = {name: each for name, each in world.cluster.pods.items() if each.node_name}


@settings(max_examples=100, deadline=None)
@given(loose_waves, st.sampled_from(MODES), st.booleans())
def test_nothing_is_bought_twice_though_the_scheduler_has_not_looked_yet(
    given_waves: list[Wave], mode: str, named: bool
) -> None:
    """Pods that spread are left out: what came between would count for them."""
    world = World(MARKET, policy(mode))
    world.driver.names_machines = named
    for number, wave in enumerate(given_waves):
        world.cluster.add(*pods_of(wave, number))
        world.controller.step(world.now, world.seconds)
        assert world.controller.step(world.now, world.seconds).nodes == ()
        machines = world.driver.boot()
        assert world.controller.step(world.now, world.seconds).nodes == ()
        world.cluster.register(machines, world.now)
        for _ in range(2):
            assert world.controller.step(world.now, world.seconds).nodes == ()
        world.cluster.schedule()
        # Those that cannot be bought for go, and those whose places others have taken.
        world.cluster.pods = {name: each for name, each in world.cluster.pods.items() if each.node_name}
