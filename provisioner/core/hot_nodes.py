"""Relief for nodes whose pods use more than they asked for, on measured use; off unless the policy says so.

A node above its red mark, in CPU or memory, is tainted, so that no more pods come. Still above it after
`hot_wait_s`, it loses one pod: the one that uses most above its requests, among those that may be moved
at this moment and would have a place elsewhere. Then it is watched as long again, since a measurement
lags behind. Below its green marks the taint goes, as soon as no pod is on its way that could come back.
Taint and time stand on the node: a restart forgets nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from catalog.names import DOMAIN, DRAINING_KEY
from provisioner.core import parse
from provisioner.core.as_used import sized
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod, Taint
from provisioner.core.movable import Movable
from provisioner.core.plan import EVICT, Plan
from provisioner.core.policy import Policy
from provisioner.core.scale_down import guests_of
from provisioner.core.served import is_served
from provisioner.core.snapshot import Snapshot
from provisioner.core.usage import Usage

HEAT: Final = "heat"
COOL: Final = "cool"
HOT_SINCE_KEY: Final = f"{DOMAIN}/hot-since"
"""Node annotation (RFC 3339): since when it is above its red mark, or when it lost its last pod."""
HOT: Final = Taint(f"{DOMAIN}/hot", "true", "NoSchedule")


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about a hot node: mark it (again), evict a pod of it, or take the mark away."""

    node: str
    action: str
    why: str
    pod: Pod | None = None


def steps(plan: Plan, snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Iterator[Step]:
    """What is due, the hottest node first: one eviction at most, and none while a pod is on its way."""
    if not policy.hot_nodes:
        return
    view = _View(plan, snapshot, catalog, policy, now)
    is_quiet = not (plan.nodes or plan.existing or any(step.pod for step in plan.steps))
    for heat in view.heats():
        name, since = heat.node.name, heat.since
        is_marked = HOT in heat.node.taints
        if since is None or not is_marked:
            if heat.is_red(policy):
                yield Step(name, HEAT, heat.text)
            elif is_marked and heat.is_green(policy):
                yield Step(name, COOL, heat.text)
        elif not is_quiet or now - since < timedelta(seconds=policy.hot_wait_s):
            continue
        elif heat.is_green(policy):
            yield Step(name, COOL, heat.text)
        elif heat.is_red(policy) and (pod := view.relief(heat)) is not None:
            is_quiet = False
            yield Step(name, EVICT, f"{heat.text}; {pod.key} uses most above its requests", pod)
            yield Step(name, HEAT, heat.text)


def lines(plan: Plan, snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Iterator[str]:
    """What is due, a line each."""
    for step in steps(plan, snapshot, catalog, policy, now):
        yield f"  {step.action} {step.node}: {step.why}"


@dataclass(frozen=True, slots=True)
class Heat:
    """How much of a node is used, in per cent of its allocatable."""

    node: Node
    cpu_percent: float
    memory_percent: float

    @property
    def since(self) -> datetime | None:
        """Since when it is marked; None when it is not."""
        return parse.timestamp(self.node.annotations.get(HOT_SINCE_KEY))

    @property
    def text(self) -> str:
        """In words."""
        return f"uses {self.cpu_percent:.0f} % of its CPU and {self.memory_percent:.0f} % of its memory"

    def is_red(self, policy: Policy) -> bool:
        """Whether either is above its red mark."""
        return (
            self.cpu_percent > policy.hot_red_cpu_percent
            or self.memory_percent > policy.hot_red_memory_percent
        )

    def is_green(self, policy: Policy) -> bool:
        """Whether both are below their green marks."""
        return (
            self.cpu_percent < policy.hot_green_cpu_percent
            and self.memory_percent < policy.hot_green_memory_percent
        )


class _View:
    def __init__(
        self, plan: Plan, snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime
    ) -> None:
        self._snapshot, self._catalog, self._policy, self._now = snapshot, catalog, policy, now
        self._busy = {step.node for step in plan.steps}
        self._guests = guests_of(snapshot.pods)
        self._movable = Movable(snapshot.pods, snapshot.budgets)
        self._uses = {use.key: use for use in snapshot.usage}

    def heats(self) -> list[Heat]:
        """Of every node of ours that was measured and that nothing else is done to, the hottest first."""
        uses = {use.name: use for use in self._snapshot.node_usage}
        ours = self._snapshot.pool_of
        found = [
            _heat(node, uses[node.name])
            for node in self._snapshot.nodes
            if node.name in uses and node.name in ours and self._is_free(node)
        ]
        return sorted(found, key=lambda heat: (-max(heat.cpu_percent, heat.memory_percent), heat.node.name))

    def relief(self, heat: Heat) -> Pod | None:
        """The pod whose going relieves the node most and loses nothing; None when there is none."""
        is_cpu = heat.cpu_percent > self._policy.hot_red_cpu_percent
        pods = [pod for pod in self._guests.get(heat.node.name, ()) if self._may_go(pod)]
        by_excess = sorted((-self._excess(pod, is_cpu=is_cpu), pod.key, pod) for pod in pods)
        return next(
            (pod for less, _, pod in by_excess if less < 0 and self._has_a_place(pod, heat.node)), None
        )

    def _is_free(self, node: Node) -> bool:
        return not (
            node.name in self._busy
            or node.is_deleting
            or not node.is_ready
            or DRAINING_KEY in node.annotations
            or node.provider_id in self._snapshot.leaving
        )

    def _may_go(self, pod: Pod) -> bool:
        movable = self._movable
        return (
            is_served(pod, self._policy)
            and pod.is_ready
            and not (movable.serves_alone(pod) or movable.why_never(pod) or movable.why_not_now(pod))
        )

    def _excess(self, pod: Pod, *, is_cpu: bool) -> int:
        """How much more than asked for the pod uses of what is scarce."""
        use = self._uses.get(pod.key)
        if use is None:
            return 0
        if is_cpu:
            return use.cpu_millicores - pod.requests.cpu_millicores
        return use.memory_bytes - pod.requests.memory_bytes

    def _has_a_place(self, pod: Pod, node: Node) -> bool:
        """Whether the pod, sized as it is used, would go elsewhere: where there is room, or where may be bought."""
        freed = sized(pod, self._uses).off_its_node()
        others = tuple(each for each in self._snapshot.pods if each.node_name and each.key != pod.key)
        nodes = tuple(
            replace(each, is_cordoned=True) if each.name == node.name else each
            for each in self._snapshot.nodes
        )
        alone = decide(
            replace(self._snapshot, pods=(*(sized(each, self._uses) for each in others), freed), nodes=nodes),
            self._catalog,
            replace(self._policy, repack=False),
            self._now,
            budget=lambda: False,
        )
        return all(each.pod.key != pod.key for each in alone.unplaced)


def _heat(node: Node, use: Usage) -> Heat:
    room = node.allocatable
    return Heat(
        node,
        100 * use.cpu_millicores / max(1, room.cpu_millicores),
        100 * use.memory_bytes / max(1, room.memory_bytes),
    )
