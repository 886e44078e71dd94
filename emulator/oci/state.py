"""What the container engine remembers: clusters, node pools, instances, add-ons.

Everything here is changed only under the cloud's lock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from catalog import names, timing
from catalog.timing import Timing
from emulator.cloud.ids import unique_part
from emulator.kube.spec import AutoscalerSettings, CloudHooks, ClusterSpec, NodeSpec, ServiceAccountRef
from emulator.oci.shapes import Machine
from emulator.oci.wire import CreateCluster, CreatePool

CREATING: Final = "CREATING"
ACTIVE: Final = "ACTIVE"
UPDATING: Final = "UPDATING"
DELETING: Final = "DELETING"
DELETED: Final = "DELETED"
FAILED: Final = "FAILED"
NEEDS_ATTENTION: Final = "NEEDS_ATTENTION"


class Kube(Protocol):
    """The Kubernetes side of a cluster, as `emulator.kube.cluster.KubeCluster` provides it."""

    @property
    def server(self) -> str:
        """URL of the API server."""
        ...

    @property
    def ca_pem(self) -> bytes:
        """The CA that signed the API server's certificate."""
        ...

    @property
    def client_cert_pem(self) -> bytes:
        """The administrator's certificate."""
        ...

    @property
    def client_key_pem(self) -> bytes:
        """The administrator's key."""
        ...

    def start(self, hooks: CloudHooks) -> None:
        """Start the controllers."""

    def add_node(self, node: NodeSpec) -> None:
        """Register a node."""

    def remove_node(self, name: str, grace_s: float | None = None, *, force: bool = True) -> None:
        """Drain and remove a node."""

    def review_token(self, token: str, audiences: tuple[str, ...] = ()) -> ServiceAccountRef | None:
        """Whose token it is."""
        ...

    def set_autoscaler(self, settings: AutoscalerSettings | None) -> None:
        """Run, change or remove the cluster autoscaler."""

    def delete(self) -> None:
        """End the cluster."""


KubeFactory = Callable[[ClusterSpec], Kube]


class Identity(Protocol):
    """The listener that turns ServiceAccount tokens into session tokens."""

    @property
    def host(self) -> str:
        """Its loopback address."""
        ...

    def close(self) -> None:
        """Stop listening."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a cluster's tags say about time, reservations and names."""

    timing: Timing
    accounting: str
    stack: str


def pace_of(details: CreateCluster) -> Pace:
    """Timing, accounting and stack from the tags; the defaults are those of a real cloud."""
    tags = details.freeform_tags or {}
    pace = timing.TIMINGS.get(tags.get(names.TIMING_TAG, ""), timing.CLOUD)
    accounting = tags.get(names.ACCOUNTING_TAG, "documented")
    return Pace(
        timing=pace,
        accounting=accounting if accounting in {"documented", "nominal"} else "documented",
        stack=tags.get(names.STACK_TAG) or details.name,
    )


@dataclass(slots=True)
class Addon:
    """An add-on of a cluster."""

    name: str
    state: str
    created_at: float
    version: str | None = None
    configurations: tuple[tuple[str, str], ...] = ()
    error: tuple[str, str] | None = None
    revision: int = 1


@dataclass(slots=True)
class Cluster:
    """A cluster."""

    id: str
    details: CreateCluster
    pace: Pace
    home: Path
    created_at: float
    context: str
    """Name of its context in the merged kubeconfig."""
    state: str = CREATING
    state_details: str = ""
    version: int = 1
    created_by: str = ""
    updated: tuple[float, str] | None = None
    """Time and work request of the last change."""
    deleted: tuple[float, str] | None = None
    kube: Kube | None = None
    identity: Identity | None = None
    addons: dict[str, Addon] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        """Of this version."""
        return f"{unique_part(self.id)}-{self.version}"

    @property
    def enhanced(self) -> bool:
        """Whether it has add-on management and workload identity."""
        return self.details.type == "ENHANCED_CLUSTER"

    @property
    def vcn_native(self) -> bool:
        """Whether its pods have addresses of the VCN; without a choice the real API takes flannel."""
        options = self.details.cluster_pod_network_options
        return options is not None and options[0].cni_type == "OCI_VCN_IP_NATIVE"


@dataclass(slots=True)
class Instance:
    """A machine of a node pool."""

    id: str
    slot: int
    display_name: str
    private_ip: str
    availability_domain: str
    fault_domain: str
    subnet_id: str
    kubernetes_version: str
    machine: Machine
    node: NodeSpec
    boot_volume_gib: int
    state: str = CREATING
    error: tuple[str, str] | None = None


@dataclass(slots=True)
class NodePool:
    """A node pool; `details` is what it is to be, `instances` what there is."""

    id: str
    cluster_id: str
    details: CreatePool
    kubernetes_version: str
    machine: Machine
    created_at: float
    state: str = CREATING
    state_details: str = ""
    version: int = 1
    instances: dict[str, Instance] = field(default_factory=dict)
    slots: int = 0
    """Instances ever launched, for their names."""

    @property
    def etag(self) -> str:
        """Of this version."""
        return f"{unique_part(self.id)}-{self.version}"

    @property
    def size(self) -> int:
        """Nodes asked for."""
        return self.details.node_config_details.size

    def staying(self) -> list[Instance]:
        """Instances that are not on their way out, oldest first."""
        return [instance for instance in self.instances.values() if instance.state != DELETING]
