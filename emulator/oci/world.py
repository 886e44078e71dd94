"""Everything the emulated Oracle cloud consists of, and the one lock that guards it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from emulator.cloud.clock import Clock
from emulator.cloud.ids import Ids
from emulator.cloud.machine import Machine
from emulator.cloud.meter import Charge, Meter
from emulator.oci import account, policy
from emulator.oci.errors import not_found
from emulator.oci.network_kinds import POLICIES
from emulator.oci.principal import Need, Workload
from emulator.oci.security_rules import SecurityRules
from emulator.oci.shapes import CLOUD, Shapes
from emulator.oci.state import DELETED, Cluster, Identity, NodePool
from emulator.oci.store import Store
from emulator.oci.work_requests import WorkRequests

ENHANCED_CLUSTER_PRICE: Final = Decimal("0.10")
NAT_GATEWAY_PRICE: Final = Decimal(0)
"""Oracle charges nothing for NAT gateways."""
_VOLUME_PER_GIB_MONTH: Final = Decimal("0.0255")
_VOLUME_PER_VPU_GIB_MONTH: Final = Decimal("0.0017")
_BALANCED_VPUS: Final = 10
_HOURS_PER_MONTH: Final = 730
LOAD_BALANCER_PRICE: Final = Decimal("0.0113") + Decimal("0.0001") * 10
"""A flexible load balancer at its least bandwidth, 10 Mbps."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What the cloud gets from outside: its tools, its folders, its neighbours."""

    machine: Machine
    open_identity: Callable[[str], Identity]
    """Opens the identity listener of a cluster, by its id."""
    identity_ca: Path
    """Certificate that pods trust when they call the identity listener."""


@dataclass
class World:
    """The state of the emulated Oracle cloud."""

    ids: Ids
    clock: Clock
    shapes: Shapes
    edges: Edges
    meter: Meter = field(default_factory=Meter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    pools: dict[str, NodePool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work = WorkRequests(self.ids, self.clock, self.lock)
        self.store = Store(self.ids, self.clock, self._user_of)
        self.rules = SecurityRules(self.ids, self.clock)
        self.faults = self.edges.machine.faults.of(CLOUD)

    def cluster(self, cluster_id: str) -> Cluster:
        """A cluster that exists.

        Raises:
            ApiError: 404.
        """
        cluster = self.clusters.get(cluster_id)
        if cluster is None:
            raise not_found(f"cluster {cluster_id}")
        return cluster

    def pool(self, pool_id: str) -> NodePool:
        """A node pool that exists.

        Raises:
            ApiError: 404.
        """
        pool = self.pools.get(pool_id)
        if pool is None:
            raise not_found(f"nodepool {pool_id}")
        return pool

    def pools_of(self, cluster_id: str) -> list[NodePool]:
        """The node pools of a cluster that exist, oldest first."""
        return [
            pool for pool in self.pools.values() if pool.cluster_id == cluster_id and pool.state != DELETED
        ]

    def grants(self, workload: Workload, need: Need, compartment_id: str) -> bool:
        """Whether a policy of the compartment, or of the tenancy above it, allows it."""
        for record in self.store.all(POLICIES):
            if record.value["compartmentId"] not in {compartment_id, account.TENANCY}:
                continue
            for text in record.value["statements"]:
                statement = policy.parse(text)
                if _applies(statement.place, compartment_id) and statement.grants(need, workload):
                    return True
        return False

    def charge_cluster(self, cluster: Cluster) -> None:
        """Begin to charge for the control plane; a basic cluster is free."""
        price = ENHANCED_CLUSTER_PRICE if cluster.enhanced else Decimal(0)
        charge = Charge(cluster.id, "cluster", CLOUD, cluster.context, price)
        self.meter.start(charge, self.clock.now())

    def _user_of(self, resource_id: str) -> str | None:
        for pool in self.pools.values():
            if pool.state == DELETED:
                continue
            config = pool.details.node_config_details
            subnets = {placement.subnet_id for placement in config.placement_configs}
            pods = config.node_pool_pod_network_option_details
            used = {*subnets, *(config.nsg_ids or ())}
            if pods is not None:
                used.update(pods.pod_subnet_ids or (), pods.pod_nsg_ids or ())
            if resource_id in used:
                return f"node pool {pool.id}"
        for cluster in self.clusters.values():
            endpoint = cluster.details.endpoint_config
            used = {cluster.details.vcn_id}
            if endpoint is not None:
                used.update({endpoint.subnet_id}, endpoint.nsg_ids or ())
            if cluster.state != DELETED and resource_id in used:
                return f"cluster {cluster.id}"
        return None


def boot_volume_price(gib: int) -> Decimal:
    """Of a boot volume with balanced performance, per hour."""
    per_month = _VOLUME_PER_GIB_MONTH + _VOLUME_PER_VPU_GIB_MONTH * _BALANCED_VPUS
    return per_month * gib / _HOURS_PER_MONTH


def _applies(place: str, compartment_id: str) -> bool:
    if place.lower() == "tenancy" or place == compartment_id:
        return True
    return compartment_id == account.COMPARTMENT and place.lower() == account.COMPARTMENT_NAME
