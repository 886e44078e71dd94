"""What the container engine remembers: clusters, node pools, instances, add-ons.

Everything here is changed only under the cloud's lock.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from emulator.cloud.ids import unique_part
from emulator.cloud.kube import Kube
from emulator.cloud.pace import Pace
from emulator.kube.spec import NodeSpec
from emulator.oci.shapes import Machine
from emulator.oci.wire import CreateCluster, CreatePool

CREATING: Final = "CREATING"
ACTIVE: Final = "ACTIVE"
UPDATING: Final = "UPDATING"
DELETING: Final = "DELETING"
DELETED: Final = "DELETED"
FAILED: Final = "FAILED"
NEEDS_ATTENTION: Final = "NEEDS_ATTENTION"


class Identity(Protocol):
    """The listener that turns ServiceAccount tokens into session tokens."""

    @property
    def host(self) -> str:
        """Its loopback address."""
        ...

    def close(self) -> None:
        """Stop listening."""


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
    def credential(self) -> str:
        """By what the `oci` stand-in asks for it."""
        return self.id

    @property
    def usable(self) -> bool:
        """Whether its API server answers, and goes on to."""
        return self.state in {ACTIVE, UPDATING} and self.kube is not None

    @property
    def gone(self) -> bool:
        """Whether it is deleted, or will be."""
        return self.state in {DELETED, DELETING}

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
