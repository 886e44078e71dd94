"""Placing pods that are there together with those that room is made for ahead of time.

Together they get a cheaper set than one after another. Where a limit binds, pods that are there come
first: room for others is dropped as soon as it would cost one of them its place. Headroom comes last:
it is looked for in what is left by all others, and bought together with what they need.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from provisioner.core.headroom import HEADROOM
from provisioner.core.model import Pod
from provisioner.core.plan import Reason, Unplaced
from provisioner.core.situation import Outcome, Situation, number_of

Mode = Callable[[Situation], Outcome]
Anew = Callable[[], Situation]
"""The situation as it was before anything was placed."""


_LAST: Final = Reason("limit", "it would cost a pod its place")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Pods that are not there."""

    growth: tuple[Pod, ...] = ()
    headroom: tuple[Pod, ...] = ()
    shunned: frozenset[str] = frozenset()
    """Nodes that have to go, and are no place for headroom."""


def place(situation: Situation, coming: Ahead, anew: Anew, mode: Mode) -> Outcome:
    """Places for the situation's pods and, as far as nobody loses one by it, for those to come."""
    outcome, after = _with_growth(situation, coming.growth, anew, mode)
    return _with_headroom(outcome, after, coming, anew, mode) if coming.headroom else outcome


def of_pods_there(outcome: Outcome) -> Outcome:
    """The outcome with nothing but pods that are there; what is bought says whom else it has room for."""
    placed = {room: list(there(pods)) for room, pods in outcome.placed.items()}
    return replace(
        outcome,
        placed={room: pods for room, pods in placed.items() if pods},
        bought=[
            replace(
                planned,
                pods=there(planned.pods),
                kept_for=tuple(pod for pod in planned.pods if pod.stands_for),
            )
            for planned in outcome.bought
        ],
        refused=[each for each in outcome.refused if not each.pod.stands_for],
        kept={},
    )


def kept_in(outcome: Outcome) -> dict[str, tuple[Pod, ...]]:
    """By room that is there already, pods that are not there and that it has room for."""
    both = {name: [*outcome.placed.get(name, ()), *outcome.kept.get(name, ())] for name in outcome.rooms}
    found = {name: tuple(pod for pod in pods if pod.stands_for) for name, pods in sorted(both.items())}
    return {name: pods for name, pods in found.items() if pods}


def there(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Those that stand for nothing but themselves."""
    return tuple(pod for pod in pods if not pod.stands_for)


def _with_growth(
    situation: Situation, growth: Sequence[Pod], anew: Anew, mode: Mode
) -> tuple[Outcome, Situation]:
    """The outcome, and the situation after it."""
    if not growth:
        return mode(situation), situation
    both = replace(situation, pods=(*situation.pods, *growth))
    together = mode(both)
    if not _losers(together):
        return together, both
    only = anew()
    alone = mode(only)
    return (together, both) if _losers(together) <= _losers(alone) else (alone, only)


def _with_headroom(outcome: Outcome, after: Situation, coming: Ahead, anew: Anew, mode: Mode) -> Outcome:
    kept, left = _kept(after, coming)
    found = replace(outcome, refused=[*outcome.refused, *(Unplaced(pod, (_LAST,)) for pod in left)])
    if left:
        before = anew()
        for name, pods in (*outcome.placed.items(), *kept.items()):
            for pod in pods:
                before.site.put(pod, before.site.rooms[name])
        housed = {pod.key for pods in outcome.placed.values() for pod in pods}
        others = [pod for pod in after.pods if pod.key not in housed]
        closed = before.closed | coming.shunned
        together = mode(replace(before, pods=(*others, *left), closed=closed))
        if _losers(together) <= _losers(outcome):
            for name, pods in outcome.placed.items():
                together.place(pods, name)
            found = together
    return _sorted_out(found, kept)


def _kept(after: Situation, coming: Ahead) -> tuple[dict[str, list[Pod]], Sequence[Pod]]:
    """Headroom by the room that is there and has it, and the rest; beside pods rather than alone."""
    rooms = [
        room for room in after.open_rooms if number_of(room.name) is None and room.name not in coming.shunned
    ]
    kept: dict[str, list[Pod]] = {}
    left = list(coming.headroom)
    for room in sorted(rooms, key=lambda room: (not room.guests, room.name)):
        while left and after.site.why_not(left[0], room) is None:
            after.site.put(left[0], room)
            kept.setdefault(room.name, []).append(left.pop(0))
    return kept, left


def _sorted_out(outcome: Outcome, kept: Mapping[str, Sequence[Pod]]) -> Outcome:
    """Headroom in rooms that are there, or refused, is nothing that anybody waits for."""
    found = {name: list(pods) for name, pods in kept.items()}
    placed: dict[str, list[Pod]] = {}
    for name, pods in outcome.placed.items():
        own = [pod for pod in pods if pod.stands_for != HEADROOM]
        if own:
            placed[name] = own
        if len(own) < len(pods):
            found.setdefault(name, []).extend(pod for pod in pods if pod.stands_for == HEADROOM)
    return replace(
        outcome,
        placed=placed,
        kept=found,
        refused=[each for each in outcome.refused if each.pod.stands_for != HEADROOM],
        short=[each for each in outcome.refused if each.pod.stands_for == HEADROOM],
        # What the mode knows of a bound was with the rooms that were left.
        bound=Decimal(0),
    )


def _losers(outcome: Outcome) -> set[str]:
    return {each.pod.key for each in outcome.refused if not each.pod.stands_for}
