"""What OKE's Cluster Autoscaler add-on would do now: a pure decision, as the real one makes it.

It emulates Kubernetes' cluster-autoscaler as far as its users can see it: pools grow for pods that
the scheduler could not place and that would fit the pool's template; a node that is little used
and whose pods fit elsewhere is marked by a soft taint that carries the time, and removed when it
has been so for long enough. The marks are the only memory there is: nothing is lost by a restart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.kube.fit import Room, meets, place
from emulator.kube.objects import Node, Pod, Requirement, Resources
from emulator.kube.spec import AutoscalerSettings, PoolLimits, ScalablePool, Taint

CANDIDATE_TAINT: Final = "DeletionCandidateOfClusterAutoscaler"
DELETED_TAINT: Final = "ToBeDeletedByClusterAutoscaler"
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
NO_SCALE_DOWN: Final = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
_SYSTEM: Final = "kube-system"


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget: whose pods, and how many may be away."""

    namespace: str
    selector: tuple[Requirement, ...]
    allowed: int


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision rests on."""

    pods: Sequence[Pod]
    nodes: Sequence[Node]
    pools: Sequence[ScalablePool]
    budgets: Sequence[Budget] = ()
    overhead: Mapping[bool, Resources] = field(default_factory=dict)
    """What the cloud's DaemonSets take of a new node, without and with GPUs."""
    grown_at: float | None = None
    """When a pool was last grown."""
    backed_off: frozenset[str] = frozenset()
    """Pools that refused to grow a short while ago."""
    stalled: frozenset[str] = frozenset()
    """Pools whose new nodes have not come in the time given: nobody waits for these nodes any more."""


@dataclass(frozen=True, slots=True)
class Grow:
    """Ask for more nodes."""

    pool_id: str
    by: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A node is not needed since now: taint it."""

    node: str


@dataclass(frozen=True, slots=True)
class Unmark:
    """A node is needed again."""

    node: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Drain a node that was not needed for long enough, and give it back."""

    pool_id: str
    node: str


Action = Grow | Mark | Unmark | Remove


def decide(situation: Situation, settings: AutoscalerSettings, now: float) -> tuple[Action, ...]:
    """The next steps; `now` in seconds since the epoch."""
    limits = {row.pool_id: row for row in settings.nodes}
    managed = [pool for pool in situation.pools if pool.id in limits]
    rooms = _rooms(situation, managed)
    rooms, waiting = place((pod for pod in situation.pods if _waits(pod)), rooms)
    grow = _grow(situation, settings, managed, waiting)
    if not settings.scale_down_enabled:
        return grow
    return (*grow, *_shrink(_Shrinking(situation, settings, limits, rooms, now), managed))


def _waits(pod: Pod) -> bool:
    return pod.unschedulable and not pod.node_name and not pod.deletion_requested and pod.phase == "Pending"


def upcoming(pool: ScalablePool, nodes: Iterable[Node]) -> int:
    """How many nodes the pool was asked for that have not registered yet."""
    return max(0, pool.size - len({node.name for node in nodes}.intersection(pool.node_names)))


def _rooms(situation: Situation, managed: Sequence[ScalablePool]) -> dict[str, Room]:
    """Every node pods may be put on, those to come included."""
    on: dict[str, list[Pod]] = {}
    for pod in situation.pods:
        if pod.node_name and not pod.finished:
            on.setdefault(pod.node_name, []).append(pod)
    rooms = {
        node.name: _room_of(node, on.get(node.name, ()))
        for node in situation.nodes
        if not node.unschedulable and not _has(node, DELETED_TAINT)
    }
    for pool in managed:
        if pool.id not in situation.stalled:
            for number in range(upcoming(pool, situation.nodes)):
                rooms[f"{pool.id} #{number}"] = _room_to_come(situation, pool)
    return rooms


def _room_of(node: Node, pods: Iterable[Pod]) -> Room:
    free, neighbours = node.allocatable, []
    for pod in pods:
        free -= pod.requests
        neighbours.append(pod.labels)
    return Room(node.name, node.labels, node.taints, free, tuple(neighbours))


def _room_to_come(situation: Situation, pool: ScalablePool) -> Room:
    template = pool.template
    whole = Resources(
        template.allocatable.cpu_millicores,
        template.allocatable.memory_bytes,
        template.allocatable.gpus,
        template.allocatable.pods,
    )
    overhead = situation.overhead.get(whole.gpus > 0, Resources())
    labels = {"kubernetes.io/arch": template.arch, "kubernetes.io/os": "linux", **template.labels}
    return Room(pool.id, labels, template.taints, whole - overhead)


def _grow(
    situation: Situation,
    settings: AutoscalerSettings,
    managed: Sequence[ScalablePool],
    waiting: Sequence[Pod],
) -> tuple[Grow, ...]:
    """Grow the one pool that helps most pods; the next scan sees to the others."""
    limits = {row.pool_id: row for row in settings.nodes}
    best: tuple[int, Grow] | None = None
    for pool in managed:
        most = _may_grow_by(situation, settings, pool, limits[pool.id])
        if pool.id in situation.backed_off | situation.stalled or most <= 0:
            continue
        nodes, helped = _pack(_room_to_come(situation, pool), waiting, most)
        if helped > (best[0] if best else 0):
            best = (helped, Grow(pool.id, nodes))
    return () if best is None else (best[1],)


def _may_grow_by(
    situation: Situation, settings: AutoscalerSettings, pool: ScalablePool, limits: PoolLimits
) -> int:
    most = limits.most - pool.size
    if settings.max_nodes_total:
        most = min(most, settings.max_nodes_total - len(situation.nodes))
    return most


def _pack(empty: Room, waiting: Sequence[Pod], most: int) -> tuple[int, int]:
    """How many new nodes, up to `most`, the waiting pods would fill, and how many pods that helps."""
    fitting = [pod for pod in waiting if empty.takes(pod)]
    left: list[Pod] = fitting
    nodes = 0
    while left and nodes < most:
        _, left = place(left, {"new": empty})
        nodes += 1
    return nodes, len(fitting) - len(left)


@dataclass(frozen=True, slots=True)
class _Shrinking:
    situation: Situation
    settings: AutoscalerSettings
    limits: Mapping[str, PoolLimits]
    rooms: Mapping[str, Room]
    now: float


def _shrink(state: _Shrinking, managed: Sequence[ScalablePool]) -> tuple[Action, ...]:
    settings = state.settings
    nodes = {node.name: node for node in state.situation.nodes}
    unneeded = _unneeded(state, managed, nodes)
    marks: list[Action] = []
    for pool in managed:
        for name in pool.node_names:
            node = nodes.get(name)
            if node is None or _has(node, DELETED_TAINT):
                continue
            marked = _has(node, CANDIDATE_TAINT)
            if marked and name not in unneeded:
                marks.append(Unmark(name))
            elif name in unneeded and not marked:
                marks.append(Mark(name))
    grown_at = state.situation.grown_at
    if grown_at is not None and state.now - grown_at < settings.scale_down_delay_after_add_s:
        return tuple(marks)
    return (*marks, *_removals(state, managed, nodes, unneeded))


def _unneeded(
    state: _Shrinking, managed: Sequence[ScalablePool], nodes: Mapping[str, Node]
) -> dict[str, bool]:
    """Nodes that could go together, and whether each is empty: the pods of all of them fit elsewhere."""
    rooms = dict(state.rooms)
    found: dict[str, bool] = {}
    for name in sorted(name for pool in managed for name in pool.node_names):
        node = nodes.get(name)
        if node is None or name not in rooms or _keeps(node):
            continue
        on_it = [pod for pod in state.situation.pods if pod.node_name == name and not pod.finished]
        movable = [pod for pod in on_it if pod.owner_kind not in ("DaemonSet", "Node")]
        if _use(node, on_it) >= state.settings.scale_down_utilization_threshold:
            continue
        if not all(_may_move(pod, state) for pod in movable):
            continue
        others, left = place(movable, {key: room for key, room in rooms.items() if key != name})
        if not left:
            rooms = others
            found[name] = not movable
    return found


def _keeps(node: Node) -> bool:
    return not node.ready or node.annotations.get(NO_SCALE_DOWN) == "true"


def _use(node: Node, pods: Iterable[Pod]) -> float:
    """The part of the node that is requested; of a GPU node only the GPUs count."""
    total = Resources()
    for pod in pods:
        total += pod.requests
    whole = node.allocatable
    if whole.gpus:
        return total.gpus / whole.gpus
    return max(
        total.cpu_millicores / max(1, whole.cpu_millicores), total.memory_bytes / max(1, whole.memory_bytes)
    )


def _may_move(pod: Pod, state: _Shrinking) -> bool:
    wish = pod.annotations.get(SAFE_TO_EVICT)
    if wish is not None:
        return wish == "true"
    settings = state.settings
    return (
        bool(pod.owner_kind)
        and not (settings.skip_nodes_with_local_storage and pod.local_storage)
        and not (
            settings.skip_nodes_with_system_pods and pod.namespace == _SYSTEM and not _budgets(pod, state)
        )
        and all(budget.allowed > 0 for budget in _budgets(pod, state))
    )


def _budgets(pod: Pod, state: _Shrinking) -> list[Budget]:
    return [
        budget
        for budget in state.situation.budgets
        if budget.namespace == pod.namespace and all(meets(row, pod.labels) for row in budget.selector)
    ]


def _removals(
    state: _Shrinking,
    managed: Sequence[ScalablePool],
    nodes: Mapping[str, Node],
    unneeded: Mapping[str, bool],
) -> list[Remove]:
    """Empty nodes many at a time, others one at a time; never below a pool's least size."""
    settings = state.settings
    empties: list[Remove] = []
    drained: list[Remove] = []
    for pool in managed:
        busy = sum(1 for name in pool.node_names if name in nodes and _has(nodes[name], DELETED_TAINT))
        spare = pool.size - busy - state.limits[pool.id].least
        for name in pool.node_names:
            if name not in unneeded or spare <= 0:
                continue
            since = unneeded_since(nodes[name])
            if since is None or state.now - since < settings.scale_down_unneeded_s:
                continue
            (empties if unneeded[name] else drained).append(Remove(pool.id, name))
            spare -= 1
    draining = any(_has(node, DELETED_TAINT) for node in nodes.values())
    return empties[: settings.max_empty_bulk_delete] or ([] if draining else drained[:1])


def unneeded_since(node: Node) -> float | None:
    """When the node was marked, seconds since the epoch, as its taint says."""
    return next(
        (
            float(taint.value)
            for taint in node.taints
            if taint.key == CANDIDATE_TAINT and taint.value.isdigit()
        ),
        None,
    )


def candidate_taint(now: float) -> Taint:
    """The mark of a node that is not needed: soft, so that pods still go there when they must."""
    return Taint(CANDIDATE_TAINT, str(int(now)), "PreferNoSchedule")


def deleted_taint(now: float) -> Taint:
    """The mark of a node that is being given back."""
    return Taint(DELETED_TAINT, str(int(now)), "NoSchedule")


def _has(node: Node, key: str) -> bool:
    return any(taint.key == key for taint in node.taints)
