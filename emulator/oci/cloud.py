"""The emulated Oracle cloud as the daemon serves it."""

from collections.abc import Iterator
from typing import Final

from starlette.routing import Route

from emulator.cloud.balancers import BalancerWatch, Billing
from emulator.cloud.clock import Clock
from emulator.cloud.machine import Machine
from emulator.cloud.meter import Meter
from emulator.cloud.served import ClusterStatus
from emulator.oci import state
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

    def open(self) -> None:
        """Start to look for load balancers."""
        self._balancers.start()

    def close(self) -> None:
        """End everything."""
        self._balancers.stop()
        self.region.close()
