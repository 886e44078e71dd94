"""The emulated Google cloud as the daemon serves it."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

from starlette.routing import Route

from catalog.loader import bundled
from emulator.cloud.balancers import BalancerWatch, Billing
from emulator.cloud.clock import Clock
from emulator.cloud.ids import Ids
from emulator.cloud.kube import Kube
from emulator.cloud.machine import Machine as Computer
from emulator.cloud.meter import Meter
from emulator.cloud.served import ClusterStatus, ServedNode, Wares
from emulator.gcp import account, prices, workloads
from emulator.gcp.account import CLOUD
from emulator.gcp.groups import Groups
from emulator.gcp.machines import Machines
from emulator.gcp.metadata import MetadataServer
from emulator.gcp.pace import RETRY_S
from emulator.gcp.server import Server
from emulator.gcp.state import RUNNING, Cluster, Group, Instance, NodePool
from emulator.gcp.world import World

LOG: Final = logging.getLogger(__name__)
_JOIN_S: Final = 5.0


class GoogleCloud:
    """Its project with what works in the background; a `ServedCloud`."""

    def __init__(self, computer: Computer, clock: Clock, seed: str) -> None:
        self.name: Final = CLOUD
        faults = computer.faults.of(CLOUD)
        machines = Machines(bundled(CLOUD), lambda: faults.discontinued(clock.now()))
        self.world: Final = World(Ids(seed), clock, machines, computer, self._open_metadata)
        world = self.world
        billing = Billing(CLOUD, prices.LOAD_BALANCER, world.meter, clock, world.lock)
        self._balancers = BalancerWatch(billing, world.clusters.values)
        self._groups = Groups(world)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_trying, name="instance groups", daemon=True)

    @property
    def meter(self) -> Meter:
        """What runs in it."""
        return self.world.meter

    def routes(self) -> list[Route]:
        """Google's APIs."""
        return Server(self.world).routes()

    def status(self) -> Iterator[ClusterStatus]:
        """Clusters that are there."""
        with self.world.lock:
            for cluster in self.world.clusters.values():
                yield ClusterStatus(
                    id=cluster.id,
                    cloud=CLOUD,
                    name=cluster.name,
                    context=cluster.context,
                    state=cluster.status,
                    server=cluster.kube.server if cluster.kube is not None else None,
                    nodes=sum(1 for pool in cluster.pools.values() for _ in pool.running()),
                    node_pools=len(cluster.pools),
                )

    def wares(self) -> Wares:
        """What it sells."""
        shapes = frozenset(self.world.machines.ever())
        zones = tuple(zone for zones in account.regions().values() for zone in zones)
        return Wares(shapes=shapes, limited=shapes, zones=zones)

    def nodes(self) -> Iterator[ServedNode]:
        """Nodes whose machines are not on their way out."""
        with self.world.lock:
            found = [(cluster, group.running()) for cluster, _, group in self.world.groups()]
        for cluster, instances in found:
            for instance in instances:
                if cluster.kube is not None and instance.state == RUNNING and instance.joined:
                    spot = instance.machine.spot
                    yield ServedNode(
                        CLOUD, cluster.context, instance.name, instance.number, spot, cluster.kube
                    )

    def kubes(self) -> Iterator[Kube]:
        """Control planes that answer."""
        for cluster in tuple(self.world.clusters.values()):
            if cluster.usable and cluster.kube is not None:
                yield cluster.kube

    def vanish(self, node: ServedNode) -> None:
        """End a node's machine behind everybody's back."""
        self._lose(node, self._groups.vanish)

    def reclaim(self, node: ServedNode) -> None:
        """Take a spot node's machine back after its notice."""
        self._lose(node, self._groups.preempt)

    def _lose(self, node: ServedNode, how: Callable[[Cluster, NodePool, Group, Instance], None]) -> None:
        with self.world.lock:
            for cluster, pool, group in self.world.groups():
                instance = group.instances.get(node.name)
                if instance is not None and instance.number == node.machine:
                    how(cluster, pool, group, instance)

    def open(self) -> None:
        """Start to look for load balancers, and to retry launches."""
        self._balancers.start()
        self._thread.start()

    def close(self) -> None:
        """End everything; errors of one cluster do not keep the others alive."""
        self._stopped.set()
        self._balancers.stop()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        for cluster in tuple(self.world.clusters.values()):
            try:
                if cluster.kube is not None:
                    cluster.kube.delete()
                for listener in tuple(cluster.listeners.values()):
                    listener.close()
            except Exception:
                LOG.exception("cluster %s did not end cleanly", cluster.context)

    def retry(self) -> None:
        """Let every instance group try again what it could not have."""
        self._groups.retry()

    def _open_metadata(self, cluster: Cluster, namespace: str, name: str) -> MetadataServer:
        return workloads.serve(self.world, cluster, namespace, name)

    def _keep_trying(self) -> None:
        while not self._stopped.wait(RETRY_S):
            try:
                self.retry()
            except Exception:
                LOG.exception("instance groups")
