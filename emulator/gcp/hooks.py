"""What a cluster asks of its cloud: its autoscaler's pools, and its pods' metadata servers."""

from collections.abc import Mapping, Sequence

from emulator.gcp import nodes
from emulator.gcp.groups import Groups
from emulator.gcp.state import STOPPING, Cluster
from emulator.gcp.world import World
from emulator.kube.spec import CloudRefused, ScalablePool


class Hooks:
    """`CloudHooks` of one cluster."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self._world = world
        self._cluster = cluster
        self._groups = Groups(world)

    def scalable_pools(self) -> Sequence[ScalablePool]:
        """The node pools of the cluster that are not on their way out."""
        with self._world.lock:
            return tuple(
                ScalablePool(
                    id=pool.name,
                    size=pool.size,
                    node_names=tuple(instance.name for _, instance in pool.running()),
                    template=nodes.template(self._cluster, pool, pool.machine),
                )
                for pool in self._cluster.pools.values()
                if pool.status != STOPPING and pool.groups
            )

    def grow_pool(self, pool_id: str, by: int) -> None:
        """Grow a pool's groups, the smallest first, and another one for what a zone does not have."""
        with self._world.lock:
            pool = self._cluster.pools.get(pool_id)
            if pool is None or pool.status == STOPPING or not pool.groups:
                raise CloudRefused(f"there is no node pool {pool_id}")
            tried = dict(pool.groups)
            reasons: list[str] = []
            while by and tried:
                group = min(tried.values(), key=lambda group: (group.target, group.zone))
                lacking = self._groups.grow(self._cluster, pool, group, 1)
                if not lacking:
                    by -= 1
                    continue
                del tried[group.zone]
                reasons += [waiting.shortage.message for waiting in lacking if waiting.shortage is not None]
            if by:
                raise CloudRefused("; ".join(dict.fromkeys(reasons)))

    def delete_node(self, pool_id: str, node_name: str) -> None:
        """Delete an instance through its group; gone is fine."""
        with self._world.lock:
            pool = self._cluster.pools.get(pool_id)
            for group in pool.groups.values() if pool is not None else ():
                if node_name in group.instances:
                    self._groups.delete(self._cluster, group, [node_name], skip_unknown=True)

    def process_environment(self, namespace: str, service_account: str) -> Mapping[str, str]:
        """The way to the metadata server of the ServiceAccount's pods; without workload identity none."""
        cluster, key = self._cluster, (namespace, service_account)
        if not cluster.identifies_workloads:
            return {}
        with self._world.lock:
            listener = cluster.listeners.get(key)
            if listener is None:
                listener = self._world.open_metadata(cluster, namespace, service_account)
                cluster.listeners[key] = listener
        return {"GCE_METADATA_HOST": listener.address, "GCE_METADATA_IP": listener.address}
