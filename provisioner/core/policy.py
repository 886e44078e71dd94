"""What the provisioner may do, as its operator has set it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from catalog.offering import ON_DEMAND
from provisioner.core.model import Taint
from provisioner.core.node_budget import NodeBudget
from provisioner.core.resources import ONE_POD, Resources

BIN_SELECT: Final = "bin-select"
OPTIMAL: Final = "optimal"
BIN_PACK: Final = "bin-pack"
EMPTY: Final = "empty"
UNDERUSED: Final = "underused"
EXPIRED: Final = "expired"
DRIFTED: Final = "drifted"
REASONS: Final = (EMPTY, UNDERUSED, EXPIRED, DRIFTED)
"""Why a bought node leaves: nothing is on it, its pods cost less elsewhere, it is too old, or it would be made
otherwise today."""
OFF: Final = "off"
DESIRED: Final = "desired"
MAX: Final = "max"
GROWTHS: Final = (OFF, DESIRED, MAX)
"""How far room is made for a workload that grows: for the pods it has, wants now, or may ever want."""
MODES: Final = (BIN_SELECT, BIN_PACK, OPTIMAL)
"""Modes that can be chosen."""
NEVER: Final = "never"
MANUAL: Final = "manual"
AUTOMATIC: Final = "automatic"
RELEASES: Final = (NEVER, MANUAL, AUTOMATIC)
"""How pods get free that a gate holds for a preview of their price."""
MOST_NODE_OVERHEAD: Final = Decimal(1)
"""US dollars an hour: more is a price a month that was taken for one."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """Room that is kept free: for a number of pods of a size, or per cent of what is requested."""

    pods: int = 0
    size: Resources = ONE_POD
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Policy:
    """Which pods are served, what may be bought for them, and when it is given back."""

    mode: str = OPTIMAL
    decision_deadline_s: float = 1
    """How long the controller looks for a better plan than the first one."""
    families: tuple[str, ...] = ()
    """Empty: every family of the catalog."""
    architectures: tuple[str, ...] = ("arm64",)
    preferred_architecture: str = ""
    """Bought where it has a node for the pod, whatever the others cost; empty: the cheapest of all."""
    capacity_types: tuple[str, ...] = (ON_DEMAND,)
    max_spot_share: float = 1
    """How much of a workload may be on spot, where both are allowed: below 1 at least one pod is not."""
    pod_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the pods served; empty: any pending pod."""
    node_labels: Mapping[str, str] = field(default_factory=dict)
    node_taints: tuple[Taint, ...] = ()
    node_unneeded_s: float = 300
    """How long a node has to be removable before it is removed."""
    repack: bool = True
    """Whether `optimal` moves pods to nodes that cost less together."""
    repack_life_s: float = 3600
    """How long a set of nodes is expected to serve at least: what moving pods may save is counted so long, and as
    long again as no pod has come."""
    repack_cost_per_pod: Decimal = Decimal("0.001")
    """US dollars that moving one pod is taken to cost: about its share of a small node, one cent an hour, paid
    twice for the minutes that a boot and a start take."""
    batch_idle_s: float = 2
    """How long no pod has to have come before nodes are bought, so that what comes together shares them."""
    batch_longest_s: float = 10
    """How long pods wait for others at most."""
    growth: str = DESIRED
    """One of `GROWTHS`, for workloads that a HorizontalPodAutoscaler is raising."""
    headroom: Headroom | None = None
    expire_after_s: float | None = None
    """How old a bought node may become; then it is replaced."""
    replace_drifted: bool = False
    """Whether nodes that would be made otherwise today are replaced."""
    node_budgets: tuple[NodeBudget, ...] = ()
    """How many bought nodes may be leaving at once; none: as many as there is reason to."""
    drain_timeout_s: float = 900
    """How long a node that is being emptied may go without a pod that could be moved; then it is opened again."""
    registration_s: float = 900
    """How long a launched machine may take to become a node; then it is given back."""
    empty_pool_s: float = 600
    """How long a pool without nodes is kept for reuse."""
    no_capacity_s: float = 300
    """How long a shape that had no capacity in a zone is passed over."""
    node_overhead_price_per_hour: Decimal = Decimal(0)
    """US dollars that each node is taken to cost beside its price, such as its boot volume. It decides between few
    large nodes and many small ones, and is in no price that is told or limited."""
    max_pools: int = 20
    """Most sizes in use at once (a pool is one size, zone, capacity type, labels and taints)."""
    max_nodes: int | None = None
    """Most nodes bought at once, in all pools."""
    max_cpu_millicores: int | None = None
    """Most CPU that all bought nodes together may have."""
    max_memory_bytes: int | None = None
    """Most memory that they may have."""
    max_price_per_hour: Decimal | None = None
    """Most that all bought nodes together may cost."""
    hot_nodes: bool = False
    """Whether nodes whose pods use more than they asked for are relieved, on measured use."""
    hot_red_cpu_percent: float = 90
    """Of allocatable: above it no more pods come, and pods are moved away one by one."""
    hot_red_memory_percent: float = 90
    hot_green_cpu_percent: float = 70
    """Below it, and below that of memory, pods may come again."""
    hot_green_memory_percent: float = 70
    hot_wait_s: float = 120
    """How long a node is above its red mark before a pod is moved, and before another one is."""
    preview_release: str = NEVER
    """Whether gates of previewed pods are taken away: `manual` on approval, `automatic` also without."""
    preview_max_price_per_hour: Decimal | None = None
    """Above which price a pod waits for approval all the same."""
    bin_select_pod_cpu_threshold: int = 3000
    """Millicores above which a pod gets a node of its own in bin-packing."""
    bin_select_pod_memory_threshold: int = 2 * 10**9
    """Bytes above which it does."""
    bin_packing_node_cpu: int = 3250
    """Millicores that a shared node leaves to pods at least."""
    bin_packing_node_memory: int = 7 * 2**30
    """Bytes that it leaves at least."""
    bin_packing_node_min_pod_count: int = 42
    """Pods that it takes at least."""

    @property
    def moves_pods(self) -> bool:
        """Whether pods are ever moved."""
        return self.saves_by_moving or self.expire_after_s is not None or self.replace_drifted

    @property
    def saves_by_moving(self) -> bool:
        """Whether pods are moved for money: other modes never do."""
        return self.repack and self.mode == OPTIMAL
