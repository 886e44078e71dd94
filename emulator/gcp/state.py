"""What the cloud remembers of GKE: clusters, node pools, their instance groups, their instances.

Everything here is changed only under the cloud's lock.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from google.cloud import container_v1

from emulator.cloud.kube import Kube
from emulator.cloud.pace import Pace
from emulator.gcp.account import COMPUTE_URL, CONTAINER_URL, PROJECT
from emulator.gcp.machines import Machine
from emulator.kube.spec import AutoscalerSettings, NodeSpec

PROVISIONING: Final = "PROVISIONING"
RUNNING: Final = "RUNNING"
RECONCILING: Final = "RECONCILING"
STOPPING: Final = "STOPPING"
ERROR: Final = "ERROR"
RUNNING_WITH_ERROR: Final = "RUNNING_WITH_ERROR"
GONE: Final = "GONE"
"""Not a state of the API: it is not shown any more."""
WAITING: Final = "WAITING"
"""Of an instance that could not be launched: its group tries again."""


class Listener(Protocol):
    """The metadata server of one ServiceAccount's pods."""

    @property
    def address(self) -> str:
        """Host and port."""
        ...

    def close(self) -> None:
        """Stop listening."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why an instance could not be launched."""

    code: str
    """The Compute Engine's error code."""
    message: str
    condition: str
    """The node pool's condition code."""


@dataclass(slots=True)
class Instance:
    """A machine of an instance group, or one that its group still tries to have."""

    name: str
    number: str
    """The API's numeric id."""
    machine: Machine
    created_at: float
    state: str = WAITING
    shortage: Shortage | None = None
    private_ip: str = ""
    node: NodeSpec | None = None
    joined: bool = True
    """False: it has booted and did not become a node."""

    @property
    def exists(self) -> bool:
        """Whether there is a machine."""
        return self.state != WAITING


@dataclass(slots=True)
class Group:
    """The instance group manager of a pool in one zone: a size it keeps up by itself."""

    name: str
    number: str
    zone: str
    target: int = 0
    instances: dict[str, Instance] = field(default_factory=dict)
    troubles: list[tuple[float, str, Shortage]] = field(default_factory=list)
    """Time, instance and reason of what went wrong, oldest first."""

    @property
    def path(self) -> str:
        """Below the API's root."""
        return f"projects/{PROJECT}/zones/{self.zone}/instanceGroupManagers/{self.name}"

    @property
    def url(self) -> str:
        """As node pools name it."""
        return f"{COMPUTE_URL}/{self.path}"

    def staying(self) -> list[Instance]:
        """Instances that are not on their way out."""
        return [instance for instance in self.instances.values() if instance.state != STOPPING]

    def running(self) -> list[Instance]:
        """Machines that are not on their way out."""
        return [instance for instance in self.staying() if instance.exists]


@dataclass(slots=True)
class NodePool:
    """A node pool; `message` is what it is to be."""

    message: container_v1.NodePool
    parent: str
    """Id of its cluster."""
    machine: Machine
    """What it launches, in its first zone."""
    created_at: float
    groups: dict[str, Group] = field(default_factory=dict)
    """By zone."""
    status: str = PROVISIONING
    gpu_taint: bool = False
    """Whether the cloud taints its nodes for their GPUs."""
    version: int = 1

    @property
    def name(self) -> str:
        """Its name within the cluster."""
        return self.message.name

    @property
    def id(self) -> str:
        """Path below the API's root."""
        return f"{self.parent}/nodePools/{self.name}"

    @property
    def url(self) -> str:
        """Link to itself."""
        return f"{CONTAINER_URL}/{self.id}"

    @property
    def size(self) -> int:
        """Nodes asked for, in all zones."""
        return sum(group.target for group in self.groups.values())

    @property
    def etag(self) -> str:
        """Of this version."""
        return digest(f"{self.id}/{self.created_at}/{self.version}", 16)

    def lacking(self) -> list[Shortage]:
        """Why it has not all its machines, each reason once."""
        return list(
            dict.fromkeys(
                instance.shortage
                for group in self.groups.values()
                for instance in group.staying()
                if instance.shortage is not None and not instance.exists
            )
        )

    def running(self) -> Iterator[tuple[Group, Instance]]:
        """Machines that are not on their way out, with their groups."""
        for group in self.groups.values():
            for instance in group.running():
                yield group, instance


@dataclass(slots=True)
class Cluster:
    """A cluster; `message` is what it is to be, its pools apart."""

    message: container_v1.Cluster
    location: str
    zones: tuple[str, ...]
    """Where its nodes are, unless a pool says otherwise."""
    number: str
    """A long hexadecimal id."""
    pace: Pace
    home: Path
    context: str
    created_at: float
    status: str = PROVISIONING
    status_message: str = ""
    version: int = 1
    kube: Kube | None = None
    pools: dict[str, NodePool] = field(default_factory=dict)
    listeners: dict[tuple[str, str], Listener] = field(default_factory=dict)
    """Metadata servers by namespace and ServiceAccount."""
    autoscaler: AutoscalerSettings | None = None
    """What its autoscaler was told."""

    @property
    def id(self) -> str:
        """Path below the API's root."""
        return f"projects/{PROJECT}/locations/{self.location}/clusters/{self.name}"

    @property
    def name(self) -> str:
        """Its name within project and location."""
        return self.message.name

    @property
    def etag(self) -> str:
        """Of this version."""
        return digest(f"{self.number}/{self.version}", 16)

    @property
    def address(self) -> str:
        """Host and port of the API server; empty before there is one."""
        return self.kube.server.split("://", 1)[-1] if self.kube is not None else ""

    @property
    def credential(self) -> str:
        """By what the auth plugin's stand-in asks for it: all it is told is the server."""
        return self.address.replace(":", "_")

    @property
    def usable(self) -> bool:
        """Whether its API server answers, and goes on to."""
        return self.kube is not None and self.status in {RUNNING, RECONCILING}

    @property
    def gone(self) -> bool:
        """Whether it is deleted, or will be."""
        return self.status in {STOPPING, GONE}

    @property
    def identifies_workloads(self) -> bool:
        """Whether its ServiceAccounts are members of the project's workload pool."""
        return bool(self.message.workload_identity_config.workload_pool)


def digest(text: str, digits: int) -> str:
    """Hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def number_of(text: str) -> str:
    """The numeric id that stands for a text, as the Compute Engine API gives one to everything."""
    return str(10**18 + int(digest(text, 14), 16))
