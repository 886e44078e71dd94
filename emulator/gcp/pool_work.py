"""What is done to a node pool's machines while an operation holds the cluster."""

from collections.abc import Mapping, Sequence
from typing import Final

from google.cloud import container_v1

from emulator.cloud.errors import OperationFailed
from emulator.gcp import instances, pace
from emulator.gcp.autoscaling import configure
from emulator.gcp.machines import Machine
from emulator.gcp.state import (
    ERROR,
    RUNNING,
    RUNNING_WITH_ERROR,
    Cluster,
    Group,
    Instance,
    NodePool,
    digest,
    number_of,
)
from emulator.gcp.world import World

_LONGEST: Final = (22, 20)
"""Of a cluster's and a pool's name in the names of machines."""


class PoolWork:
    """The work; the caller does not hold the cloud's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def provide(self, cluster: Cluster, pool: NodePool) -> None:
        """Make a new pool's groups and machines.

        Raises:
            OperationFailed: with what could not be had.
        """
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        with world.lock:
            for zone in pool.message.locations:
                add_group(cluster, pool, zone, pool.message.initial_node_count)
        self._settle(cluster, pool)

    def remove(self, cluster: Cluster, pool: NodePool) -> None:
        """Drain and end a pool."""
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        for group in tuple(pool.groups.values()):
            with world.lock:
                group.target = 0
                leaving = instances.mark(group, list(group.instances.values()))
            instances.take_out(world, cluster, group, leaving, pace.drain_s(cluster.pace))
        with world.lock:
            cluster.pools.pop(pool.name, None)
            cluster.version += 1
        configure(world, cluster)

    def change(self, cluster: Cluster, pool: NodePool, *, replaces: bool, moved: bool) -> None:
        """Bring a pool in line with its changed message."""
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        if moved:
            self._move(cluster, pool)
        if replaces:
            self._replace(cluster, pool)
        self._settle(cluster, pool)

    def _move(self, cluster: Cluster, pool: NodePool) -> None:
        """Bring the groups in line with the pool's zones; a new zone begins with the pool's initial count."""
        world = self._world
        zones = tuple(pool.message.locations)
        with world.lock:
            for zone in zones:
                if zone not in pool.groups:
                    add_group(cluster, pool, zone, pool.message.initial_node_count)
            left = [group for zone, group in pool.groups.items() if zone not in zones]
        for group in left:
            with world.lock:
                group.target = 0
                leaving = instances.mark(group, list(group.instances.values()))
            instances.take_out(world, cluster, group, leaving, pace.drain_s(cluster.pace))
            with world.lock:
                del pool.groups[group.zone]

    def _replace(self, cluster: Cluster, pool: NodePool) -> None:
        """Launch a new machine for each there is, then drain the old one: one after the other."""
        world = self._world
        with world.lock:
            old = list(pool.running())
        for group, instance in old:
            with world.lock:
                if instance.name not in group.instances:
                    continue
                group.target += 1
                launched = instances.fill(world, cluster, pool, group)
            instances.boot(world, cluster, launched)
            with world.lock:
                group.target -= 1
                leaving = instances.mark(group, [instance])
            instances.take_out(world, cluster, group, leaving, pace.drain_s(cluster.pace))

    def resize(self, cluster: Cluster, pool: NodePool, size: int) -> None:
        """Bring each zone to a size."""
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        leaving: list[tuple[Group, list[Instance]]] = []
        with world.lock:
            for group in pool.groups.values():
                group.target = size
                chosen = instances.victims(group, len(group.staying()) - size)
                leaving.append((group, instances.mark(group, chosen)))
        for group, going in leaving:
            instances.take_out(world, cluster, group, going)
        self._settle(cluster, pool)

    def _settle(self, cluster: Cluster, pool: NodePool) -> None:
        """Launch and boot what a pool lacks; what cannot be had is tried once more before giving up."""
        world = self._world
        known = {instance.name for _, instance in pool.running() if not instance.joined}
        lacking = self._fill(cluster, pool)
        if lacking:
            world.clock.wait(pace.shortage_s(cluster.pace))
            lacking = self._fill(cluster, pool)
        lost = {instance.name for _, instance in pool.running() if not instance.joined}
        if lost - known:
            world.clock.wait(pace.shortage_s(cluster.pace))
        with world.lock:
            count = sum(1 for _ in pool.running())
            whole = not lacking and not lost
            pool.status = RUNNING if whole else RUNNING_WITH_ERROR if count > len(lost) else ERROR
            pool.version += 1
        configure(world, cluster)
        if lacking:
            raise OperationFailed("RESOURCE_EXHAUSTED", _said(lacking))
        if lost - known:
            raise OperationFailed(
                "INTERNAL",
                f"All cluster resources were brought up, but: only {count - len(lost)} nodes out of {count} have "
                "registered; this is likely due to Nodes failing to start correctly.",
            )

    def _fill(self, cluster: Cluster, pool: NodePool) -> list[Instance]:
        world = self._world
        with world.lock:
            launched = [
                instance
                for group in pool.groups.values()
                for instance in instances.fill(world, cluster, pool, group)
            ]
        instances.boot(world, cluster, launched)
        with world.lock:
            return [
                instance
                for group in pool.groups.values()
                for instance in group.staying()
                if not instance.exists
            ]


def new_pool(
    world: World, cluster: Cluster, message: container_v1.NodePool, machines: Mapping[str, Machine]
) -> NodePool:
    """A pool without groups; the cloud taints GPU nodes only where there are others beside them."""
    machine = next(iter(machines.values()))
    return NodePool(
        message=message,
        parent=cluster.id,
        machine=machine,
        created_at=world.clock.now(),
        gpu_taint=machine.gpus > 0 and any(not pool.machine.gpus for pool in cluster.pools.values()),
    )


def add_group(cluster: Cluster, pool: NodePool, zone: str, size: int) -> Group:
    """Make the instance group of a pool in a zone; the caller holds the lock."""
    shortened = (
        name[:most].rstrip("-") for name, most in zip((cluster.name, pool.name), _LONGEST, strict=True)
    )
    unique = digest(f"{cluster.number}/{pool.name}/{pool.created_at}", 8)
    name = f"gke-{'-'.join(shortened)}-{unique}-grp"
    group = Group(name, number_of(f"{unique}/{zone}"), zone, target=size)
    pool.groups[zone] = group
    return group


def _said(lacking: Sequence[Instance]) -> str:
    """Each reason once, as the real operations tell it."""
    texts = {
        f"[{instance.shortage.condition}]: Instance '{instance.name}' creation failed: "
        f"{instance.shortage.message} ({instance.shortage.code})"
        for instance in lacking
        if instance.shortage is not None
    }
    return "; ".join(sorted(texts)[:3])
