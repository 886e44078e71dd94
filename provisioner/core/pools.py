"""Pools of equal nodes, as the cloud keeps them for us.

A pool is identified by what its nodes are: size, zone, capacity type, labels and taints. Drivers
turn an identity into the cloud's own object and back, so nothing has to be remembered.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from provisioner.core.model import Taint


@dataclass(frozen=True, slots=True)
class Place:
    """Where nodes are, and what we put on them."""

    zone: str
    labels: tuple[tuple[str, str], ...]
    taints: tuple[Taint, ...]


@dataclass(frozen=True, slots=True, order=True)
class PoolSpec:
    """What a pool's nodes are; two pools with equal specs are the same pool."""

    shape: str
    ocpus: int
    """0 for a fixed shape."""
    memory_gib: Decimal
    zone: str
    capacity_type: str
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    """Ours; the cloud adds its own."""

    @property
    def place(self) -> Place:
        """Where its nodes are."""
        return Place(self.zone, self.labels, self.taints)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that tell this identity from every other."""
        parts = [
            self.shape,
            self.ocpus,
            str(self.memory_gib.normalize()),
            self.zone,
            self.capacity_type,
            sorted(self.labels),
            sorted(map(str, self.taints)),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]

    def __str__(self) -> str:
        """As it stands in a log: `VM.Standard.A1.Flex 1 OCPU 4 GiB in AD-1`."""
        size = f" {self.ocpus} OCPU {self.memory_gib:f} GiB" if self.ocpus else ""
        spot = "" if self.capacity_type == "on-demand" else f" ({self.capacity_type})"
        where = f" in {self.zone}" if self.zone else ""
        return f"{self.shape}{size}{spot}{where}"


@dataclass(frozen=True, slots=True)
class Instance:
    """One machine of a pool."""

    id: str
    """What the node's `spec.providerID` will be."""
    name: str = ""
    """What the node's name will be; empty while nobody knows."""
    is_leaving: bool = False
    """Already being given back."""
    first_seen: datetime | None = None

    @property
    def node_name(self) -> str:
        """The name of its node, or what to call it until that is known."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that is there."""

    id: str
    name: str
    spec: PoolSpec
    size: int
    """How many machines the cloud has been asked for."""
    instances: tuple[Instance, ...] = ()
    empty_since: datetime | None = None
    """Since when it has been seen without machines."""
    version: str = ""
    """Of Kubernetes, on nodes that it gets; empty: not known."""
    is_outdated: bool = False
    """Whether a pool of its identity would be made by other settings today. Such a pool is never grown."""

    @property
    def missing(self) -> int:
        """Machines asked for that the cloud does not list yet."""
        return max(0, self.size - sum(not instance.is_leaving for instance in self.instances))

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Names to call them by meanwhile."""
        return tuple(f"{self.name}/{index}" for index in range(self.missing))
