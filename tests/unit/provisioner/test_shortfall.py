"""Nodes that leave less to pods than the catalog says: it is seen once, and then counted on."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from provisioner.core.decide import decide
from provisioner.core.model import NodeTerm, Owner, Pod, Requirement
from provisioner.core.policy import BIN_SELECT, MODES, OPTIMAL, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.resources import Resources
from provisioner.core.shortfall import shortfalls_of
from provisioner.core.snapshot import Snapshot
from tests.support.provision import NOW, bought, catalog, flexible, node, offering, pod
from tests.support.world import World

MARKET = catalog(
    offering("small", "1", vcpus=1), offering("large", "2", vcpus=4, memory_gib=Decimal(16)), flexible("flex")
)
SPEC = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", ())


def snapshot(allocatable: Resources, *pods: Pod, is_ready: bool = True) -> Snapshot:
    there = node("n", allocatable=allocatable, is_ready=is_ready)
    pool = Pool("p", "p", SPEC, 1, (Instance(there.provider_id),))
    return Snapshot(pods, (there,), (pool,))


def daemon(cpu: str, memory: str) -> Pod:
    return pod("daemon", cpu, memory, node_name="n", phase="Running", owner=Owner("DaemonSet", "d", "d"))


def made_for_it(cpu: str, memory: str) -> Pod:
    """As a DaemonSet makes it, and nobody has bound it yet."""
    only_there = (NodeTerm(fields=(Requirement("metadata.name", "In", ("n",)),)),)
    return replace(daemon(cpu, memory), node_name="", phase="Pending", node_affinity=only_there)


WHOLE = Resources(1000, 4 * 2**30, 0, 110)


@pytest.mark.parametrize(
    ("seen", "lacking"),
    [
        (snapshot(WHOLE), None),
        (snapshot(replace(WHOLE, cpu_millicores=2000)), None),
        (snapshot(replace(WHOLE, cpu_millicores=900)), Resources(100)),
        (snapshot(replace(WHOLE, memory_bytes=3 * 2**30)), Resources(0, 2**30)),
        (snapshot(WHOLE, daemon("150m", "1Gi")), Resources(150, 2**30, pods=1)),
        (snapshot(WHOLE, made_for_it("150m", "1Gi")), Resources(150, 2**30, pods=1)),
        (snapshot(WHOLE, made_for_it("9", "1Gi")), None),
        (snapshot(WHOLE, replace(daemon("150m", "1Gi"), is_deleting=True)), None),
        (snapshot(replace(WHOLE, cpu_millicores=900), is_ready=False), None),
    ],
)
def test_it_is_what_a_ready_node_has_less_its_own_pods(seen: Snapshot, lacking: Resources | None) -> None:
    assert shortfalls_of(seen, MARKET) == ({} if lacking is None else {"small": lacking})


def test_the_most_that_was_seen_counts() -> None:
    seen = replace(
        snapshot(replace(WHOLE, cpu_millicores=900)),
        shortfalls={"small": Resources(50, 7), "other": Resources(1)},
    )
    assert shortfalls_of(seen, MARKET) == {"small": Resources(100, 7), "other": Resources(1)}


@pytest.mark.parametrize("mode", MODES)
def test_a_pod_that_no_longer_fits_gets_another_shape(mode: str) -> None:
    seen = replace(snapshot(replace(WHOLE, cpu_millicores=900)), pods=(pod("p", "950m", "1Gi"),))
    market = catalog(*MARKET.offerings[:2])
    assert bought(decide(seen, market, Policy(mode=mode), NOW, lambda: False)) == {"large": 1}


@pytest.mark.parametrize("mode", MODES)
def test_a_flexible_shape_is_bought_a_size_larger(mode: str) -> None:
    def sizes(shortfalls: dict[str, Resources]) -> dict[str, int]:
        seen = Snapshot((pod("p", "1000m", "2Gi"),), shortfalls=shortfalls)
        return bought(decide(seen, catalog(flexible("flex")), Policy(mode=mode), NOW, lambda: False))

    assert sizes({}) == {"flex 1 OCPU 2 GiB": 1}
    assert sizes({"flex": Resources(0, 1)}) == {"flex 1 OCPU 3 GiB": 1}
    assert sizes({"flex": Resources(1)}) == {"flex 2 OCPU 2 GiB": 1}


@pytest.mark.parametrize("mode", [BIN_SELECT, OPTIMAL])
@pytest.mark.parametrize("restart", [lambda _: None, World.restart])
def test_nothing_is_bought_for_ever(mode: str, restart: Callable[[World], None]) -> None:
    world = World(catalog(*MARKET.offerings[:2]), Policy(mode=mode, node_unneeded_s=30, repack=False))
    world.cluster.lacks = Resources(100, 2**28)
    world.cluster.add(pod("p", "950m", "1Gi"))
    for _ in range(20):
        world.rounds(1)
        restart(world)
    assert (world.bought, world.cluster.pending) == (["small", "large"], [])
