"""Moving pods for money: nodes whose pods fit into a cheaper set are emptied and given back.

A set of nodes leaves when its hourly price, less that of the nodes bought for its pods and of the
empty nodes kept for them, is worth more over the expected life than moving the pods costs. Its nodes
are marked like empty ones, wait as long, and are stuck to while the move pays. What is bought for it
is found again as an empty node, at the same price, until the pods are there: a restart forgets
nothing. Pods are moved one at a time, and only when everything they need is ready; a workload's last
one is replaced before it goes.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY
from provisioner.core.cart import price_of
from provisioner.core.model import Node, Pod
from provisioner.core.movable import Movable, refusal
from provisioner.core.pack import pack
from provisioner.core.plan import DETACH, DRAIN, EVICT, MARK, NodeStep, Repack
from provisioner.core.policy import Policy
from provisioner.core.scale_down import guests_of, removable_since
from provisioner.core.served import is_served
from provisioner.core.situation import Outcome, Situation
from provisioner.core.snapshot import Snapshot

_MOST: Final = 12
"""Nodes that are tried: alone, and the worst filled ones of them together."""
_HOUR_S: Final = 3600

Without = Callable[[AbstractSet[str]], Situation]
"""The situation as it would be without some nodes and what is on them."""


@dataclass(frozen=True, slots=True)
class _Option:
    leaving: tuple[Node, ...]
    moved: tuple[Pod, ...]
    outcome: Outcome
    saving_per_hour: Decimal
    worth: Decimal
    """Over the expected life, less what the moves cost."""


def find(snapshot: Snapshot, without: Without, go_on: Callable[[], bool]) -> Repack | None:
    """The set of nodes that is best emptied; None when no move pays. No pod may be pending."""
    there = without(frozenset())
    view = _View(snapshot, there.terms.policy, without, _prices(snapshot, there))
    begun = tuple(node for node in view.candidates if REMOVABLE_SINCE_KEY in node.annotations)
    best = view.judged(begun) if begun else None
    if best is None:
        for leaving in _sets(view.candidates[:_MOST]):
            if not go_on():
                break
            option = view.judged(leaving)
            if option is not None and (best is None or option.worth > best.worth):
                best = option
    return view.said(best, there.terms.now) if best else None


def steps(repack: Repack, snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[NodeStep]:
    """The next step for each node that leaves."""
    movable = Movable(snapshot.pods, snapshot.budgets)
    guests = guests_of(snapshot.pods)
    evicted = False
    for node in snapshot.nodes:
        if node.name not in repack.leaving:
            continue
        if removable_since(node) is None:
            yield NodeStep(node.name, MARK, repack.why)
        elif not repack.is_ready or not _has_waited(node, policy, now):
            continue
        elif not node.is_cordoned or DRAINING_KEY not in node.annotations:
            yield NodeStep(node.name, DRAIN, repack.why)
        elif not evicted and (pod := movable.first(guests[node.name])) is not None:
            evicted = True
            action = DETACH if movable.serves_alone(pod) else EVICT
            yield NodeStep(node.name, action, f"{pod.key} moves: {repack.why}", pod)


def _has_waited(node: Node, policy: Policy, now: datetime) -> bool:
    since = removable_since(node)
    return since is not None and now - since >= timedelta(seconds=policy.node_unneeded_s)


def _sets(nodes: Sequence[Node]) -> Iterator[tuple[Node, ...]]:
    """Each alone, then ever more together."""
    yield from ((node,) for node in nodes)
    yield from (tuple(nodes[:count]) for count in range(2, len(nodes) + 1))


def _prices(snapshot: Snapshot, situation: Situation) -> dict[str, Decimal]:
    """Of each node of ours by its name, those on their way among them."""
    catalog = situation.terms.catalog
    prices = {name: price_of(pool.spec, catalog) for name, pool in snapshot.pool_of.items()}
    for pool in snapshot.pools:
        names = [*(instance.node_name for instance in pool.instances), *pool.unlisted]
        prices |= {name: price_of(pool.spec, catalog) for name in names if name not in prices}
    return prices


class _View:
    """What every option is judged by."""

    def __init__(
        self, snapshot: Snapshot, policy: Policy, without: Without, prices: dict[str, Decimal]
    ) -> None:
        self._snapshot, self._policy, self._without, self._prices = snapshot, policy, without, prices
        self._guests = guests_of(snapshot.pods)
        self._movable = Movable(snapshot.pods, snapshot.budgets)
        self._idle = frozenset(name for name in prices if name not in self._guests)
        self.candidates = sorted(filter(self._may_leave, snapshot.nodes), key=self._fill)

    def judged(self, leaving: tuple[Node, ...]) -> _Option | None:
        """The better way of emptying these: with nodes that are empty now kept, or without; None: neither."""
        ways = [
            self._way(leaving, closed)
            for closed in ((frozenset(), self._idle) if self._idle else (frozenset(),))
        ]
        found = [way for way in ways if way is not None and way.worth > 0]
        return max(found, key=lambda way: way.worth, default=None)

    def said(self, option: _Option, now: datetime) -> Repack:
        """The option as a part of a plan."""
        ready = {node.name for node in self._snapshot.nodes if node.is_ready}
        nodes, targets = tuple(option.outcome.bought), frozenset(option.outcome.placed)
        waited = all(_has_waited(node, self._policy, now) for node in option.leaving)
        pods = len(option.moved)
        where = [*sorted(targets), *(str(each.size) for each in nodes)]
        return Repack(
            frozenset(node.name for node in option.leaving),
            targets,
            nodes if waited else (),
            option.saving_per_hour,
            not nodes and targets <= ready,
            f"its pods fit on {', '.join(where)}; moving {pods} pods off {len(option.leaving)} nodes saves "
            f"${option.saving_per_hour.normalize():f} an hour",
        )

    def _way(self, leaving: tuple[Node, ...], closed: AbstractSet[str]) -> _Option | None:
        names = frozenset(node.name for node in leaving)
        moved = tuple(
            replace(pod, node_name="", phase="Pending")
            for node in leaving
            for pod in self._guests[node.name]
            if not (pod.is_deleting or pod.steps_aside)
        )
        situation = self._without(names)
        outcome = pack(replace(situation, pods=moved, closed=situation.closed | closed, go_on=lambda: False))
        if outcome.refused:
            return None
        kept = sum((self._prices[name] for name in outcome.placed if name in self._idle), Decimal(0))
        spent = sum((planned.size.price_per_hour for planned in outcome.bought), kept)
        saving = sum((self._prices[name] for name in names), Decimal(0)) - spent
        life_h = Decimal(str(self._policy.repack_life_s)) / _HOUR_S
        worth = saving * life_h - self._policy.repack_cost_per_pod * len(moved)
        return _Option(leaving, moved, outcome, saving, worth)

    def _may_leave(self, node: Node) -> bool:
        guests = self._guests.get(node.name)
        if not guests or node.name not in self._prices or not node.is_ready or refusal(node.annotations):
            return False
        if node.is_deleting or node.provider_id in self._snapshot.leaving:
            return False
        if node.is_cordoned and REMOVABLE_SINCE_KEY not in node.annotations:
            return False
        if any(self._movable.why_never(pod) or not is_served(pod, self._policy) for pod in guests):
            return False
        return DRAINING_KEY in node.annotations or not any(map(self._movable.why_not_now, guests))

    def _fill(self, node: Node) -> tuple[float, str]:
        """What is paid for and not used, the most first."""
        cpu = sum(pod.requests.cpu_millicores for pod in self._guests[node.name])
        memory = sum(pod.requests.memory_bytes for pod in self._guests[node.name])
        room = node.allocatable
        used = cpu / max(1, room.cpu_millicores) + memory / max(1, room.memory_bytes)
        return float(self._prices[node.name]) * (used - 2), node.name
