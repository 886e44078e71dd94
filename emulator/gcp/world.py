"""Everything the emulated Google cloud consists of, and the one lock that guards it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.cloud.background import Background
from emulator.cloud.clock import Clock
from emulator.cloud.ids import Ids
from emulator.cloud.machine import Machine as Computer
from emulator.cloud.meter import Charge, Meter
from emulator.gcp import prices
from emulator.gcp.account import CLOUD, PROJECT
from emulator.gcp.accounts import ServiceAccounts
from emulator.gcp.compute_operations import ComputeOperations
from emulator.gcp.errors import not_found
from emulator.gcp.machines import Machine, Machines
from emulator.gcp.operations import Operations
from emulator.gcp.policies import Policies
from emulator.gcp.quotas import Quotas
from emulator.gcp.roles import Roles
from emulator.gcp.state import Cluster, Group, Instance, Listener, NodePool
from emulator.gcp.store import Store
from emulator.gcp.tokens import Tokens

_NAT: Final = "nat-gateway"


@dataclass
class World:
    """The state of the emulated Google cloud."""

    ids: Ids
    clock: Clock
    machines: Machines
    computer: Computer
    """What the cloud itself runs on."""
    open_metadata: Callable[[Cluster, str, str], Listener]
    """Opens the metadata server of the pods of a namespace's ServiceAccount."""
    meter: Meter = field(default_factory=Meter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    """By id; those that are there."""
    quotas: Quotas = field(default_factory=Quotas)
    identity_pools: set[str] = field(default_factory=set)
    """They come with the first cluster that uses them, and stay."""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of images, by path, as the API shows them."""

    def __post_init__(self) -> None:
        self.operations = Operations(self.ids, self.clock, self.lock)
        self.compute = ComputeOperations(self.ids, self.clock, self.lock)
        self.background = Background("INTERNAL")
        self.store = Store(self.clock, self._user_of)
        self.accounts = ServiceAccounts()
        self.roles = Roles()
        self.policies = Policies(self.accounts, self.roles, lambda: frozenset(self.identity_pools))
        self.tokens = Tokens(self.ids)
        self.faults = self.computer.faults.of(CLOUD)

    def cluster(self, location: str, name: str) -> Cluster:
        """A cluster that exists.

        Raises:
            ApiError: 404.
        """
        cluster_id = f"projects/{PROJECT}/locations/{location}/clusters/{name}"
        cluster = self.clusters.get(cluster_id)
        if cluster is None:
            raise not_found(cluster_id)
        return cluster

    def pool(self, cluster: Cluster, name: str) -> NodePool:
        """A node pool that exists.

        Raises:
            ApiError: 404.
        """
        pool = cluster.pools.get(name)
        if pool is None:
            raise not_found(f"{cluster.id}/nodePools/{name}")
        return pool

    def groups(self) -> Iterator[tuple[Cluster, NodePool, Group]]:
        """Every instance group with what it belongs to."""
        for cluster in tuple(self.clusters.values()):
            for pool in tuple(cluster.pools.values()):
                for group in tuple(pool.groups.values()):
                    yield cluster, pool, group

    def instances(self) -> Iterator[tuple[Group, Instance]]:
        """Every machine there is, those on their way out too."""
        for _, _, group in self.groups():
            for instance in tuple(group.instances.values()):
                if instance.exists:
                    yield group, instance

    def running(self) -> list[Machine]:
        """What kind of machine each of them is."""
        return [instance.machine for _, instance in self.instances()]

    def limits(self) -> Quotas:
        """The quotas as they are now."""
        quotas = self.quotas
        for shape, limit in self.faults.quotas(self.clock.now()).items():
            if offering := self.machines.offering(shape):
                quotas = quotas.limited(offering, limit)
        return quotas

    def charge_cluster(self, cluster: Cluster) -> None:
        """Begin to charge for the control plane."""
        charge = Charge(self.charge_of(cluster), "cluster", CLOUD, cluster.context, prices.CLUSTER)
        self.meter.start(charge, self.clock.now())

    def charge_of(self, cluster: Cluster) -> str:
        """Id of the charge for the control plane; a cluster's own id may come back."""
        return f"{cluster.id}/{cluster.number[:8]}"

    def charge_nats(self) -> None:
        """Bring the charges of NAT gateways in line: by machines that use each, and for its address."""
        wanted: dict[str, Charge] = {}
        for router, nat in self.store.nats():
            base = f"{router.path}/nats/{nat['name']}/{router.value['id']}"
            wanted[base] = Charge(base, _NAT, CLOUD, "", prices.NAT_ADDRESS)
            users = [
                (f"{base}/{instance.number}", cluster.context)
                for cluster, _, group in self.groups()
                if router.value["network"].endswith(f"/{cluster.message.network_config.network}")
                for instance in group.instances.values()
                if instance.exists
            ]
            for charge_id, context in users[: prices.NAT_MACHINES]:
                wanted[charge_id] = Charge(charge_id, _NAT, CLOUD, context, prices.NAT_PER_MACHINE)
        now = self.clock.now()
        running = {reading.charge.id for reading in self.meter.running() if reading.charge.kind == _NAT}
        for charge_id in running - set(wanted):
            self.meter.stop(charge_id, now)
        for charge in wanted.values():
            self.meter.start(charge, now)

    def _user_of(self, path: str) -> str | None:
        for cluster in self.clusters.values():
            config = cluster.message.network_config
            if path in {config.network, config.subnetwork}:
                return cluster.id
        return None
