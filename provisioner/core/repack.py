"""Moving pods for money: nodes whose pods fit into a cheaper set are emptied and given back.

A set of nodes leaves when its hourly price, less that of the nodes bought for its pods and of the
empty nodes kept for them, is worth more over the expected life than moving the pods costs. Its nodes
are marked like empty ones, wait as long, and are stuck to while the move pays. What is bought for it
is found again as an empty node, at the same price, until the pods are there: a restart forgets
nothing. `relocate` has the steps. What each node is taken to cost beside its price (the policy's
`node_overhead_price_per_hour`) counts on both sides, so that what is bought by it also stays by it.

Where nodes are bought for pending pods anyway, they are bought with room for pods whose nodes can then
be given back, if that is cheaper in the end by the same reckoning.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY
from provisioner.core.ahead import of_pods_there
from provisioner.core.cart import price_of
from provisioner.core.leavers import Leaver
from provisioner.core.model import Node, Pod
from provisioner.core.movable import Movable
from provisioner.core.plan import Repack
from provisioner.core.policy import UNDERUSED
from provisioner.core.relocate import has_waited
from provisioner.core.reserve import is_reserved
from provisioner.core.scale_down import guests_of, refusal
from provisioner.core.served import is_served
from provisioner.core.situation import Outcome, Situation
from provisioner.core.snapshot import Snapshot
from provisioner.core.spot import shared_out
from provisioner.core.stuck import is_left_alone

_MOST: Final = 12
"""Nodes that are tried: alone, and the worst filled ones of them together."""
_MOST_IDLE: Final = 4
"""Empty nodes that are tried alone."""
_HOUR_S: Final = 3600
_UNITS: Final = (timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
_NO_PLACE: Final = "its pods would have no other place now"

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


@dataclass(frozen=True, slots=True)
class Moving:
    """What moves have to keep to, beside the cluster."""

    mode: Callable[[Situation], Outcome]
    """How pods are given places."""
    headroom: Mapping[str, Sequence[Pod]] = field(default_factory=dict)
    """By node, room that is kept there now, and has to be somewhere afterwards."""
    leavers: Sequence[Leaver] = ()
    """Nodes that have to go."""

    @property
    def kept(self) -> tuple[Pod, ...]:
        """The headroom, wherever it is."""
        return tuple(pod for pods in self.headroom.values() for pod in pods)


class Repacking:
    """What could be moved at one moment, and what that would save."""

    def __init__(self, snapshot: Snapshot, situation: Situation, without: Without, moving: Moving) -> None:
        self._snapshot, self._without, self._moving = snapshot, without, moving
        self._policy, self._now = situation.terms.policy, situation.terms.now
        self._go_on, catalog = situation.go_on, situation.terms.catalog
        self._life_h = self._expected_life_h()
        staying = (each for each in snapshot.machines if not each.is_leaving)
        self._specs = {machine.name: machine.spec for machine in staying}
        self._overhead = self._policy.node_overhead_price_per_hour
        self._prices = {name: price_of(spec, catalog) + self._overhead for name, spec in self._specs.items()}
        self._guests = guests_of(snapshot.pods)
        self._movable = Movable(snapshot.pods, snapshot.budgets)
        self._idle = frozenset(name for name in self._prices if name not in self._guests)
        self._movable_nodes = sorted(filter(self._may_leave, snapshot.nodes), key=self._fill)
        self._candidates = [node for node in self._movable_nodes if self._may_leave_now(node)]

    def find(self) -> tuple[Repack | None, str]:
        """The set of nodes that is best emptied, or why none is; no pod may be pending.

        What has begun and pays is gone on with; then come nodes that have to go, then those that cost too much.
        """
        if not self._policy.saves_by_moving:
            return self._forced()
        begun = tuple(node for node in self._candidates if REMOVABLE_SINCE_KEY in node.annotations)
        going_on = self._better_way(begun) if begun else None
        if going_on is not None and going_on.worth > 0:
            return self._said(going_on), ""
        forced, stays = self._forced()
        if forced is not None:
            return forced, ""
        options = tuple(self._options())
        best = max(options, key=lambda option: option.worth, default=None)
        if best is not None and best.worth > 0:
            return self._said(best), ""
        dearest = max(options, key=lambda option: option.saving_per_hour, default=None)
        return None, "; ".join(filter(None, (stays, self._declined(dearest))))

    def _options(self) -> Iterator[_Option]:
        """Sets of nodes that could be emptied, as many as there is time for."""
        for leaving in _sets(self._candidates[:_MOST]):
            if not self._go_on():
                return
            option = self._better_way(leaving)
            if option is not None:
                yield option

    def _forced(self) -> tuple[Repack | None, str]:
        """The first of the nodes that have to go whose pods find places; or why none does."""
        movable = {node.name for node in self._candidates}
        names = frozenset(each.node.name for each in self._moving.leavers)
        stays = ""
        for leaver in self._moving.leavers:
            name = leaver.node.name
            if name in movable:
                leaving = (leaver.node,)
                option = self._better_way(leaving, names - {name}) or self._better_way(leaving)
                if option is not None:
                    return self._said(option, leaver), ""
            if name in self._guests:
                stays = stays or f"{name} has to go ({leaver.why}), but {self._obstacle(leaver.node)}"
        return None, stays

    def _obstacle(self, node: Node) -> str:
        """Why a node that has to go stays."""
        guests = sorted(self._guests[node.name], key=lambda pod: pod.key)
        found = [self._movable.why_never(pod) or self._movable.why_not_now(pod) for pod in guests]
        refused = refusal(node.annotations)
        return next(filter(None, (f"it is annotated {refused}" if refused else "", *found)), _NO_PLACE)

    def ahead(self, pending: Sequence[Pod], outcome: Outcome) -> Outcome:
        """The outcome for pending pods, or one with room for pods that are moved later where that saves more."""
        if not self._policy.saves_by_moving:
            return outcome
        spent = self._spent(outcome)
        worth, best = Decimal(0), outcome
        for leaving in _sets(self._movable_nodes[:_MOST]):
            if not self._go_on():
                break
            option = self._way(leaving, frozenset(), tuple(pending), spent)
            # Pods that have a place on a node that leaves would go there, and be moved with the others.
            crowd = sum(len(outcome.placed.get(node.name, ())) for node in leaving)
            gain = option.worth - self._policy.repack_cost_per_pod * crowd if option else worth
            found = _for_pending(option) if option and gain > worth else None
            if found is not None:
                worth, best = gain, found
        return best

    def _better_way(
        self, leaving: tuple[Node, ...], shunned: AbstractSet[str] = frozenset()
    ) -> _Option | None:
        """The best way of emptying these, with nodes that are empty now kept rather than bought; None: no way."""
        ways = [self._way(leaving, closed | shunned) for closed in self._closings()]
        sound = (way for way in ways if way is not None and not self._buys_twice(way, shunned))
        return max(sound, key=lambda way: way.worth, default=None)

    def _buys_twice(self, way: _Option, shunned: AbstractSet[str]) -> bool:
        """Whether it buys what stands empty already, which is then to be used."""
        unused = {self._specs[name] for name in self._idle - way.outcome.placed.keys() - shunned}
        return any(planned.spec in unused for planned in way.outcome.bought)

    def _closings(self) -> list[frozenset[str]]:
        """Empty nodes that are passed over: none; all but one, or but the cheapest ones, of the cheap ones; all.

        Room that is there is filled whatever it costs, so that a large empty node would hide a small one that is
        enough, and another small one would be bought, and again.
        """
        cheap = sorted(self._idle, key=lambda name: (self._prices[name], name))[:_MOST_IDLE]
        opened = [
            self._idle,
            *(frozenset(cheap[:count]) for count in range(1, len(cheap) + 1)),
            *(frozenset({name}) for name in cheap),
            frozenset[str](),
        ]
        return list(dict.fromkeys(self._idle - each for each in opened))

    def _way(
        self,
        leaving: tuple[Node, ...],
        closed: AbstractSet[str],
        pending: tuple[Pod, ...] = (),
        spent_anyway: Decimal = Decimal(0),
    ) -> _Option | None:
        names = frozenset(node.name for node in leaving)
        moved = tuple(
            pod.off_its_node()
            for node in leaving
            for pod in self._guests[node.name]
            if not (pod.is_deleting or pod.steps_aside)
        )
        situation = self._without(names)
        closed = situation.closed | closed
        shared = shared_out((*pending, *moved), self._snapshot, self._policy)
        pods = (*shared, *self._moving.kept)
        outcome = self._moving.mode(replace(situation, pods=pods, closed=closed, go_on=lambda: False))
        if outcome.refused:
            return None
        held = self._moving.headroom.keys() & self._idle
        saving = sum((self._prices[name] for name in names | held), spent_anyway) - self._spent(outcome)
        worth = saving * self._life_h - self._policy.repack_cost_per_pod * len(moved)
        return _Option(leaving, moved, outcome, saving, worth)

    def _spent(self, outcome: Outcome) -> Decimal:
        """What is paid an hour for nodes that are bought, and for empty ones that are kept."""
        kept = sum((self._prices[name] for name in outcome.placed if name in self._idle), Decimal(0))
        return sum((planned.size.price_per_hour + self._overhead for planned in outcome.bought), kept)

    def _said(self, option: _Option, leaver: Leaver | None = None) -> Repack:
        """The option as a part of a plan."""
        told = of_pods_there(option.outcome)
        ready = {node.name for node in self._snapshot.nodes if node.is_ready}
        nodes, placed = tuple(told.bought), told.placed
        waited = all(has_waited(node, self._policy, self._now) for node in option.leaving)
        where = [*sorted(placed), *(str(each.size) for each in nodes)]
        return Repack(
            frozenset(node.name for node in option.leaving),
            frozenset(option.outcome.placed),
            nodes if waited else (),
            {pod.key: name for name, pods in placed.items() for pod in pods},
            option.saving_per_hour,
            not nodes and placed.keys() <= ready,
            f"its pods fit on {', '.join(where)}; {leaver.why if leaver else self._gain(option)}",
            leaver.reason if leaver else UNDERUSED,
        )

    def _declined(self, option: _Option | None) -> str:
        if option is None or option.saving_per_hour <= 0:
            return ""
        life = _roughly(timedelta(hours=float(self._life_h)))
        cost = self._policy.repack_cost_per_pod * len(option.moved)
        return (
            f"${option.saving_per_hour.normalize():f} an hour less is possible{self._counted()}, "
            f"but moving {len(option.moved)} pods is taken to cost ${cost.normalize():f}, and nodes to serve for {life}"
        )

    def _gain(self, option: _Option) -> str:
        return (
            f"moving {len(option.moved)} pods off {len(option.leaving)} nodes "
            f"saves ${option.saving_per_hour.normalize():f} an hour{self._counted()}"
        )

    def _counted(self) -> str:
        """What a saving counts beside prices, which need not fall by as much, nor fall at all."""
        return f" (${self._overhead.normalize():f} counted for each node)" if self._overhead else ""

    def _expected_life_h(self) -> Decimal:
        """How long nodes are expected to serve: as long again as nothing has changed, at least the policy's time."""
        ages = [
            (self._now - pod.created).total_seconds()
            for pod in self._snapshot.pods
            if pod.created and is_served(pod, self._policy) and not (pod.is_finished or pod.is_daemon)
        ]
        unchanged_s = Decimal(str(min(ages, default=0)))
        return max(Decimal(str(self._policy.repack_life_s)), unchanged_s) / _HOUR_S

    def _may_leave(self, node: Node) -> bool:
        guests = self._guests.get(node.name)
        if not guests or node.name not in self._prices or not node.is_ready or refusal(node.annotations):
            return False
        if node.is_deleting or node.provider_id in self._snapshot.leaving:
            return False
        if is_left_alone(node, self._policy, self._now):
            return False
        if node.is_cordoned and REMOVABLE_SINCE_KEY not in node.annotations and not is_reserved(node):
            return False
        return all(is_served(pod, self._policy) and not self._movable.why_never(pod) for pod in guests)

    def _may_leave_now(self, node: Node) -> bool:
        guests = self._guests[node.name]
        return DRAINING_KEY in node.annotations or not any(map(self._movable.why_not_now, guests))

    def _fill(self, node: Node) -> tuple[float, str]:
        """What is paid for and not used, the most first."""
        cpu = sum(pod.requests.cpu_millicores for pod in self._guests[node.name])
        memory = sum(pod.requests.memory_bytes for pod in self._guests[node.name])
        room = node.allocatable
        used = cpu / max(1, room.cpu_millicores) + memory / max(1, room.memory_bytes)
        return float(self._prices[node.name]) * (used - 2), node.name


def _roughly(life: timedelta) -> timedelta:
    """In whole hours, or what is whole below one: told to the second, it would be news at every look."""
    unit = next((unit for unit in _UNITS if life >= unit), _UNITS[-1])
    return life // unit * unit


def _for_pending(option: _Option) -> Outcome | None:
    """What is bought now; None where a node would be bought for no pending pod."""
    moved = {pod.key for pod in option.moved}
    bought = [
        replace(
            planned,
            pods=tuple(pod for pod in planned.pods if pod.key not in moved),
            room_for=tuple(pod for pod in planned.pods if pod.key in moved),
        )
        for planned in option.outcome.bought
    ]
    if not all(planned.pods for planned in bought):
        return None
    placed = {
        name: left
        for name, pods in option.outcome.placed.items()
        if (left := [pod for pod in pods if pod.key not in moved])
    }
    return Outcome(placed, bought)


def _sets(nodes: Sequence[Node]) -> Iterator[tuple[Node, ...]]:
    """Each alone, then ever more together."""
    yield from ((node,) for node in nodes)
    yield from (tuple(nodes[:count]) for count in range(2, len(nodes) + 1))
