"""One emulated cloud as the daemon serves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

from emulator.cloud.kube import Kube
from emulator.cloud.meter import Meter


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A line of `emulator status`."""

    id: str
    cloud: str
    name: str
    context: str
    state: str
    server: str | None
    nodes: int
    node_pools: int


@dataclass(frozen=True, slots=True)
class ServedNode:
    """A node of one of a cloud's clusters."""

    cloud: str
    context: str
    """Of its cluster."""
    name: str
    machine: str
    """By what its cloud knows the instance."""
    is_spot: bool
    kube: Kube


@dataclass(frozen=True, slots=True)
class Wares:
    """What a cloud sells, whether or not it can be had now."""

    shapes: frozenset[str]
    limited: frozenset[str]
    """Shapes whose number a limit or quota counts."""
    zones: tuple[str, ...]


class ServedCloud(Protocol):
    """A cloud: its APIs, its clusters, its meter."""

    @property
    def name(self) -> str:
        """How bill, status and catalog call it."""
        ...

    @property
    def meter(self) -> Meter:
        """What runs in it."""
        ...

    def routes(self) -> list[Route]:
        """Its APIs, each with an answer to paths below it that nothing serves."""
        ...

    def status(self) -> Iterator[ClusterStatus]:
        """Its clusters."""
        ...

    def wares(self) -> Wares:
        """What it sells."""
        ...

    def nodes(self) -> Iterator[ServedNode]:
        """Nodes whose machines are not on their way out."""
        ...

    def kubes(self) -> Iterator[Kube]:
        """Control planes that answer."""
        ...

    def vanish(self, node: ServedNode) -> None:
        """End a node's machine behind everybody's back; what follows goes on in the background."""

    def reclaim(self, node: ServedNode) -> None:
        """Take a spot node's machine back after its notice; returns at once."""

    def open(self) -> None:
        """Start what works in the background."""

    def close(self) -> None:
        """End what works in the background, and every cluster."""
