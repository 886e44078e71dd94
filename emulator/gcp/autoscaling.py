"""The cloud's own node-pool autoscaling: what `emulator.kube` is told of a cluster's pools."""

from catalog.timing import Timing
from emulator.gcp.state import Cluster, NodePool
from emulator.gcp.world import World
from emulator.kube.spec import AutoscalerSettings, PoolLimits


def configure(world: World, cluster: Cluster) -> None:
    """Run, change or end the cluster's autoscaler as its pools say.

    The caller does not hold the lock: an autoscaler that ends may be waiting for it.
    """
    with world.lock:
        pools = [pool for pool in cluster.pools.values() if pool.message.autoscaling.enabled]
        limits = tuple(limits_of(pool) for pool in pools)
        wanted = settings(limits, cluster.pace.timing) if limits else None
        if cluster.kube is None or wanted == cluster.autoscaler:
            return
        cluster.autoscaler = wanted
    cluster.kube.set_autoscaler(wanted)


def limits_of(pool: NodePool) -> PoolLimits:
    """A pool's limits in all its zones together."""
    wanted = pool.message.autoscaling
    zones = max(1, len(pool.message.locations))
    if wanted.total_max_node_count:
        return PoolLimits(pool.name, wanted.total_min_node_count, wanted.total_max_node_count)
    return PoolLimits(pool.name, wanted.min_node_count * zones, wanted.max_node_count * zones)


def settings(limits: tuple[PoolLimits, ...], timing: Timing) -> AutoscalerSettings:
    """GKE's autoscaler is Kubernetes' own, with waits that nobody can set."""
    return AutoscalerSettings(
        nodes=limits,
        scan_interval_s=timing.autoscaler_scan_s,
        scale_down_delay_after_add_s=timing.autoscaler_delay_after_add_s,
        scale_down_unneeded_s=timing.autoscaler_unneeded_s,
    )
