"""Instances that node pools lose against their will, and how the pools heal."""

from typing import Final

from emulator.cloud.background import Background
from emulator.cloud.errors import ApiError
from emulator.oci import instances, state
from emulator.oci.pools import Pools
from emulator.oci.state import Cluster, Instance, NodePool
from emulator.oci.world import World

_NOTICE: Final = 120 / 90
"""Between the notice that preemptible capacity is reclaimed and its end, in boots: two minutes at the cloud's own
pace. An assumption: Oracle documents that the node is drained before, not for how long."""
_BUSY_S: Final = 1.0
"""How often it is looked whether a pool is free."""


class Losses:
    """What becomes of instances that are lost; the rest goes on in the background."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pools = Pools(world)
        self._background = Background("InternalError")

    def vanish(self, instance_id: str) -> None:
        """An instance is terminated through the compute service, and its pool was not told."""
        cluster, pool, instance = self._found(instance_id)
        with self._world.lock:
            instances.terminate(self._world, pool, instance)

        def go_on() -> None:
            if cluster.kube is not None:
                cluster.kube.lose_node(instance.node.name)
            self._heal(pool)

        self._background.run(f"{instance.display_name} has vanished", go_on, lambda _fault: None)

    def reclaim(self, instance_id: str) -> None:
        """Preemptible capacity is taken back: the engine is told, drains the node and replaces it."""
        cluster, pool, instance = self._found(instance_id)
        with self._world.lock:
            instance.state = state.DELETING

        def go_on() -> None:
            if cluster.kube is not None:
                notice_s = cluster.pace.timing.boot_delay_s * _NOTICE
                cluster.kube.remove_node(instance.node.name, notice_s, force=True)
            with self._world.lock:
                instances.terminate(self._world, pool, instance)
            self._heal(pool)

        self._background.run(f"{instance.display_name} is reclaimed", go_on, lambda _fault: None)

    def join(self, timeout_s: float) -> None:
        """Wait for what goes on, for example at the end of a test."""
        self._background.join(timeout_s)

    def _heal(self, pool: NodePool) -> None:
        """Bring a pool to its size again, as soon as no other operation works on it."""
        while not self._ordered(pool):
            self._world.clock.wait(_BUSY_S)

    def _ordered(self, pool: NodePool) -> bool:
        """Whether nothing is left to be ordered."""
        with self._world.lock:
            if pool.state in {state.DELETING, state.DELETED} or len(pool.staying()) >= pool.size:
                return True
            try:
                self._pools.reconcile(pool)
            except ApiError:
                return False
            return True

    def _found(self, instance_id: str) -> tuple[Cluster, NodePool, Instance]:
        for pool in tuple(self._world.pools.values()):
            if instance_id in pool.instances:
                return self._world.clusters[pool.cluster_id], pool, pool.instances[instance_id]
        raise LookupError(f"{instance_id} is in no pool; this is a bug, please report it")
