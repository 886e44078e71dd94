"""One emulated cloud as the daemon serves it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from starlette.routing import Route

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

    def open(self) -> None:
        """Start what works in the background."""

    def close(self) -> None:
        """End what works in the background, and every cluster."""
