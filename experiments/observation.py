"""One look at a cluster and its bill, as frozen values; what steadiness is judged on.

Made by `reading`, judged by `steady`, recorded by `record`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Node:
    """A registered node. `leaving` says in words why it will not stay, or is empty."""

    name: str
    ready: bool
    leaving: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """A model's autoscaler and its pods."""

    model: str
    desired: int
    current: int
    utilisation: int | None
    """CPU use the autoscaler computed last, in percent of the request; None when it has none."""
    blocked: str
    """Why the autoscaler cannot scale (its condition's reason), or empty."""
    ready_pods: frozenset[str]
    measured_pods: frozenset[str]
    """Pods that the metrics API lists."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen at one moment.

    `at_s` is on a monotonic clock. `instances` is the number of running instances on the bill,
    None where there is no bill. `loads` are the models whose load Job's pod runs.
    """

    at_s: float
    models: tuple[Served, ...]
    nodes: tuple[Node, ...]
    loads: frozenset[str]
    pending: tuple[str, ...]
    ending: tuple[str, ...]
    instances: int | None
    price_per_hour: Decimal

    @property
    def replicas(self) -> Mapping[str, int]:
        """Replicas of each model, as its autoscaler counts them."""
        return {served.model: served.current for served in self.models}
