"""The emulated Oracle cloud as the daemon serves it."""

from collections.abc import Iterator
from typing import Final

from starlette.routing import Route

from emulator.cloud.balancers import BalancerWatch, Billing
from emulator.cloud.clock import Clock
from emulator.cloud.kube import Kube
from emulator.cloud.machine import Machine
from emulator.cloud.meter import Meter
from emulator.cloud.served import ClusterStatus, ServedNode, Wares
from emulator.oci import account, capacity, state
from emulator.oci.losses import Losses
from emulator.oci.region import Region
from emulator.oci.server import Server
from emulator.oci.shapes import CLOUD
from emulator.oci.world import LOAD_BALANCER_PRICE


class OracleCloud:
    """Its region with what watches it; a `ServedCloud`."""

    def __init__(self, machine: Machine, clock: Clock, seed: str) -> None:
        self.name: Final = CLOUD
        self.region: Final = Region(machine, clock, seed)
        world = self.region.world
        billing = Billing(CLOUD, LOAD_BALANCER_PRICE, world.meter, clock, world.lock)
        self._balancers = BalancerWatch(billing, world.clusters.values)
        self._losses = Losses(world)

    @property
    def meter(self) -> Meter:
        """What runs in it."""
        return self.region.world.meter

    def routes(self) -> list[Route]:
        """The OCI APIs."""
        server = Server(self.region.world, self.region.tokens)
        return [*server.routes(), *server.fallbacks()]

    def status(self) -> Iterator[ClusterStatus]:
        """Clusters that are not deleted."""
        world = self.region.world
        with world.lock:
            for cluster in world.clusters.values():
                if cluster.state == state.DELETED:
                    continue
                pools = world.pools_of(cluster.id)
                yield ClusterStatus(
                    id=cluster.id,
                    cloud=CLOUD,
                    name=cluster.details.name,
                    context=cluster.context,
                    state=cluster.state,
                    server=cluster.kube.server if cluster.kube is not None else None,
                    nodes=sum(len(pool.staying()) for pool in pools),
                    node_pools=len(pools),
                )

    def wares(self) -> Wares:
        """What it sells."""
        shapes = self.region.world.shapes
        return Wares(
            shapes=shapes.ever(),
            limited=frozenset(shape for shape in shapes.ever() if capacity.counted_in(shapes, shape)),
            zones=tuple(map(account.zone_of, account.AVAILABILITY_DOMAINS)),
        )

    def nodes(self) -> Iterator[ServedNode]:
        """Nodes whose machines are not on their way out."""
        world = self.region.world
        with world.lock:
            found = [(world.clusters[pool.cluster_id], pool.staying()) for pool in world.pools.values()]
        for cluster, instances in found:
            for instance in instances:
                if cluster.kube is not None and instance.state == state.ACTIVE:
                    spot = instance.machine.preemptible
                    yield ServedNode(
                        CLOUD, cluster.context, instance.node.name, instance.id, spot, cluster.kube
                    )

    def kubes(self) -> Iterator[Kube]:
        """Control planes that answer."""
        for cluster in tuple(self.region.world.clusters.values()):
            if cluster.usable and cluster.kube is not None:
                yield cluster.kube

    def vanish(self, node: ServedNode) -> None:
        """End a node's instance behind everybody's back."""
        self._losses.vanish(node.machine)

    def reclaim(self, node: ServedNode) -> None:
        """Take a preemptible node's instance back after its notice."""
        self._losses.reclaim(node.machine)

    def open(self) -> None:
        """Start to look for load balancers."""
        self._balancers.start()

    def close(self) -> None:
        """End everything."""
        self._balancers.stop()
        self.region.close()
