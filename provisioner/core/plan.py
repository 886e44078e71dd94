"""The planner's answer: what to buy, what goes where, what stays pending and why, what to remove."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from provisioner.core.market import Size
from provisioner.core.model import Pod
from provisioner.core.policy import UNDERUSED
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.resources import Resources

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
    room_for: tuple[Pod, ...] = ()
    """Pods that run elsewhere and are to be moved there, so that their nodes can be given back."""
    kept_for: tuple[Pod, ...] = ()
    """Pods that are not there, and that it has room for."""
    instead: str = ""
    """What the policy asks for and cannot be had, and why; empty where the node is that."""


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
    """Nodes to be emptied, because their pods fit into a cheaper set or because they have to go."""

    leaving: frozenset[str]
    targets: frozenset[str]
    """Nodes that are there, or on their way, and that pods are to move to."""
    nodes: tuple[PlannedNode, ...]
    """To be bought first."""
    goes_to: Mapping[str, str]
    """The target of each pod that moves to a node that is there, by the pod's key."""
    saving_per_hour: Decimal
    """With what each node is taken to cost beside its price."""
    is_ready: bool
    """Whether nothing is to be bought or waited for any more."""
    why: str
    reason: str = UNDERUSED
    """One of `policy.REASONS`."""


MARK: Final = "mark"
UNMARK: Final = "unmark"
CORDON: Final = "cordon"
UNCORDON: Final = "uncordon"
TERMINATE: Final = "terminate"
DRAIN: Final = "drain"
EVICT: Final = "evict"
DETACH: Final = "detach"
RESERVE: Final = "reserve"
RELEASE: Final = "release"
GIVE_UP: Final = "give up"
ACTIONS: Final = (MARK, UNMARK, CORDON, UNCORDON, TERMINATE, DRAIN, EVICT, DETACH, RESERVE, RELEASE, GIVE_UP)
"""Mark a node as removable, take that back, keep new pods off it, take that back, give it back; keep pods
off it because its own are moved away, move one of them, have one replaced before it goes; keep pods off a
node for a moment because others are to have it, let them come again; open one whose pods could not be moved."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided at one moment."""

    mode: str
    nodes: tuple[PlannedNode, ...] = ()
    existing: tuple[Placement, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    short: tuple[Unplaced, ...] = ()
    """Pods that are not there, of the headroom that cannot be had."""
    kept: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    """By node that is there or on its way, pods that are not there and that room is kept for."""
    steps: tuple[NodeStep, ...] = ()
    overdue: tuple[tuple[Pool, Instance], ...] = ()
    """Machines that never became nodes, to be given back."""
    disused: tuple[Pool, ...] = ()
    """Pools to be deleted."""
    repack: Repack | None = None
    """Nodes that are emptied for cheaper ones; None when no move pays."""
    declined: str = ""
    """Why a cheaper set of nodes is not moved to; empty when there is none."""
    shortfalls: Mapping[str, Resources] = field(default_factory=dict)
    """What nodes of a shape turned out to leave less than was to be expected."""
    held: str = ""
    """Why nothing at all is bought; empty when buying is allowed."""
    bound: Callable[[], Decimal] = field(default=Decimal, compare=False, repr=False)
    """Works out the lower bound. The controller never asks, and it can take longer than the decision."""

    @property
    def acts(self) -> bool:
        """Whether carrying it out changes anything: at the cloud, or of nodes and pods."""
        moved = self.repack is not None and bool(self.repack.nodes)
        return bool(self.nodes or moved or self.steps or self.overdue or self.disused)

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
