"""The planner's answer: what to buy, what goes where, what stays pending and why, what to remove."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from provisioner.core.market import Size
from provisioner.core.model import Pod
from provisioner.core.pools import Instance, Pool, PoolSpec

CODES: Final = (
    "too-large",
    "no-offering",
    "arch",
    "selector",
    "affinity",
    "anti-affinity",
    "spread",
    "taint",
    "port",
    "volume",
    "limit",
    "budget",
    "gated",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a pod has no place: a code of `CODES` and the same in words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best that could have been bought, and why it was not."""

    size: Size
    why_not: str


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One node to buy, and the pods it is for."""

    size: Size
    spec: PoolSpec
    pods: tuple[Pod, ...]
    runner_up: RunnerUp | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Pods that need no purchase: the node has, or will have, room for them."""

    node: str
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A pod that stays pending."""

    pod: Pod
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NodeStep:
    """One step in a node's removal; `action` is one of `ACTIONS`."""

    node: str
    action: str
    why: str
    pod: Pod | None = None
    """The pod to be evicted or detached."""


@dataclass(frozen=True, slots=True)
class Repack:
    """Nodes to be emptied because their pods fit into a cheaper set."""

    leaving: frozenset[str]
    targets: frozenset[str]
    """Nodes that are there, or on their way, and that pods are to move to."""
    nodes: tuple[PlannedNode, ...]
    """To be bought first."""
    saving_per_hour: Decimal
    is_ready: bool
    """Whether nothing is to be bought or waited for any more."""
    why: str


MARK: Final = "mark"
UNMARK: Final = "unmark"
CORDON: Final = "cordon"
UNCORDON: Final = "uncordon"
TERMINATE: Final = "terminate"
DRAIN: Final = "drain"
EVICT: Final = "evict"
DETACH: Final = "detach"
ACTIONS: Final = (MARK, UNMARK, CORDON, UNCORDON, TERMINATE, DRAIN, EVICT, DETACH)
"""Mark a node as removable, take that back, keep new pods off it, take that back, give it back; keep pods
off it because its own are moved away, move one of them, have one replaced before it goes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided at one moment."""

    mode: str
    nodes: tuple[PlannedNode, ...] = ()
    existing: tuple[Placement, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    steps: tuple[NodeStep, ...] = ()
    overdue: tuple[tuple[Pool, Instance], ...] = ()
    """Machines that never became nodes, to be given back."""
    disused: tuple[Pool, ...] = ()
    """Pools to be deleted."""
    repack: Repack | None = None
    """Nodes that are emptied for cheaper ones; None when no move pays."""
    held: str = ""
    """Why nothing at all is bought; empty when buying is allowed."""
    bound: Callable[[], Decimal] = field(default=Decimal, compare=False, repr=False)
    """Works out the lower bound. The controller never asks, and it can take longer than the decision."""

    @property
    def lower_bound_per_hour(self) -> Decimal:
        """No set of new nodes for the pods placed costs less, whatever the mode."""
        return self.bound()

    @property
    def price_per_hour(self) -> Decimal:
        """Of the new nodes."""
        return sum((node.size.price_per_hour for node in self.nodes), Decimal(0))

    @property
    def gap(self) -> Decimal:
        """(price - bound) / price; 0 when the price is 0."""
        price = self.price_per_hour
        return (price - self.lower_bound_per_hour) / price if price else Decimal(0)
