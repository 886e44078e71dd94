"""What an emulated cluster is made of, and what it asks of its cloud.

The cloud's side of the emulator builds these values and implements `CloudHooks`; nothing here
touches Kubernetes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from catalog.allocatable import Capacity
from catalog.timing import Timing

NODE_POOL_ANNOTATION: Final = "oci.oraclecloud.com/node-pool-id"
"""Annotation of an OKE node: the OCID of its pool."""


class ClusterFailed(Exception):
    """The cluster could not be created; the message is one line and nothing was left behind."""


class CloudRefused(Exception):
    """The cloud did not do what its own autoscaler asked for, for example for want of capacity."""


class CloudBusy(CloudRefused):
    """Another operation has not finished yet; the same may be asked again at once."""


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


class WorkloadKind(StrEnum):
    """How a cloud runs a workload of its own."""

    DAEMON_SET = "DaemonSet"
    DEPLOYMENT = "Deployment"


@dataclass(frozen=True, slots=True)
class SystemPod:
    """A workload that the cloud runs in kube-system; its requests take their share of the nodes."""

    name: str
    kind: WorkloadKind
    cpu_millicores: int
    memory_bytes: int
    gpu_only: bool = False
    """Only on nodes with GPUs."""
    replicas: int = 1
    """Of a Deployment."""


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """An emulated cluster as its cloud orders it."""

    name: str
    """Unique among the clusters of the machine's user; letters, digits and dashes."""
    home: Path
    """The cluster's own folder; `KubeCluster.delete` and `purge` remove it."""
    timing: Timing
    cloud: str
    """Row of `catalog.allocatable`: `oke` or `gke`."""
    accounting: str
    system_pods: tuple[SystemPod, ...] = ()
    tolerates_arm: bool = False
    """Whether pods that select arm64 tolerate its taint by themselves."""


@dataclass(frozen=True, slots=True)
class NodeSystem:
    """What runs on a cloud's machines, as nodes tell it."""

    os_image: str
    kernel: str
    runtime: str


ORACLE_LINUX: Final = NodeSystem("Oracle Linux Server 8.10", "5.15.0-emulated", "cri-o://1.36.0")


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node as its kubelet would register it."""

    name: str
    provider_id: str
    internal_ip: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    taints: tuple[Taint, ...]
    capacity: Capacity
    allocatable: Capacity
    arch: str
    kubelet_version: str = "v1.36.3"
    system: NodeSystem = ORACLE_LINUX


@dataclass(frozen=True, slots=True)
class ServiceAccountRef:
    """Whose token it was, as the API server's TokenReview says."""

    namespace: str
    name: str
    uid: str
    pod_name: str | None = None
    pod_uid: str | None = None


@dataclass(frozen=True, slots=True)
class ScalablePool:
    """A node pool as its cloud knows it, for the cloud's own autoscaler."""

    id: str
    size: int
    """Nodes asked for, whether or not they have registered yet."""
    node_names: tuple[str, ...]
    """Kubernetes names of the nodes it has or is launching and whose names are known."""
    template: NodeSpec
    """How a new node of it would look."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """One entry of the add-on's `nodes`: the autoscaler keeps the pool within these sizes."""

    pool_id: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class AutoscalerSettings:
    """What the ClusterAutoscaler add-on is told; durations in seconds."""

    nodes: tuple[PoolLimits, ...]
    scan_interval_s: float = 10.0
    scale_down_enabled: bool = True
    scale_down_delay_after_add_s: float = 600.0
    scale_down_unneeded_s: float = 600.0
    scale_down_utilization_threshold: float = 0.5
    max_node_provision_s: float = 900.0
    max_empty_bulk_delete: int = 10
    max_nodes_total: int = 0
    """0 is no limit."""
    skip_nodes_with_system_pods: bool = True
    skip_nodes_with_local_storage: bool = True
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Keys the add-on takes that change nothing in an emulated cluster."""


class CloudHooks(Protocol):
    """What the Kubernetes side asks of its cloud; called from the cluster's own threads."""

    def scalable_pools(self) -> Sequence[ScalablePool]:
        """Every node pool of this cluster that exists and is not being deleted."""
        ...

    def grow_pool(self, pool_id: str, by: int) -> None:
        """Ask for that many more nodes; returns at once.

        Raises:
            CloudBusy: another operation works on the pool.
            CloudRefused: the pool is gone, or there is no capacity.
        """
        ...

    def delete_node(self, pool_id: str, node_name: str) -> None:
        """Terminate a node's instance and shrink its pool by one; returns at once, gone is fine.

        Raises:
            CloudRefused: the pool is busy.
        """
        ...

    def process_environment(self, namespace: str, service_account: str) -> Mapping[str, str]:
        """Variables that the cloud gives to a pod of this ServiceAccount, for example its identity listener."""
        ...
