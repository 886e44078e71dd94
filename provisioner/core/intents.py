"""For whom each machine was bought, so that pods keep the places that were planned for them.

A set of tight nodes is found by search. To search again while the nodes are on their way, with nothing
but their rooms to choose from, need not find it again: a node would be bought that nobody needs. So what
was planned is held on to, first by the controller, and by the pods themselves once they are let in to a
node (see `opening`). What is lost on the way is only planned anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from provisioner.core.model import Pod
from provisioner.core.opening import is_shut, ticket
from provisioner.core.plan import Plan
from provisioner.core.pools import PoolSpec
from provisioner.core.resources import NOTHING
from provisioner.core.site import Room, Site, why_not_there
from provisioner.core.snapshot import Intent, Snapshot


def intents_of(plan: Plan, snapshot: Snapshot) -> tuple[Intent, ...]:
    """What the plan means each machine for, that is bought by it or was before."""
    specs = {name: pool for pool, names in _rooms(snapshot).items() for name in names}
    there = (
        Intent(specs[each.node], tuple(pod.uid for pod in each.pods))
        for each in plan.existing
        if each.node in specs
    )
    bought = (Intent(planned.spec, tuple(pod.uid for pod in planned.pods)) for planned in plan.nodes)
    return (*there, *bought)


@dataclass(frozen=True, slots=True)
class Seating:
    """Pods that have the places planned for them, by room, and those that have none."""

    seated: dict[str, list[Pod]]
    left: tuple[Pod, ...]


def seat(pods: Sequence[Pod], site: Site, closed: frozenset[str], snapshot: Snapshot) -> Seating:
    """Put pods where they were meant to go, as far as the scheduler would let them."""
    seats = _Seats(site, closed)
    seats.take(pods, dict(_let_in(pods, snapshot)))
    by_uid = {pod.uid: pod for pod in pods}
    rooms = _rooms(snapshot)
    for intent in snapshot.intents:
        waiting = [by_uid[uid] for uid in intent.pods if uid in by_uid and not seats.has(uid)]
        room = seats.free_room(intent, rooms.get(intent.spec, ()), waiting)
        if room is not None:
            seats.take(waiting, dict.fromkeys(intent.pods, room.name))
    return Seating(dict(seats.seated), tuple(pod for pod in pods if not seats.has(pod.uid)))


class _Seats:
    def __init__(self, site: Site, closed: frozenset[str]) -> None:
        self._site, self._closed = site, closed
        self.seated: dict[str, list[Pod]] = defaultdict(list)
        self._uids: set[str] = set()

    def has(self, uid: str) -> bool:
        """Whether that pod has a place."""
        return uid in self._uids

    def take(self, pods: Iterable[Pod], rooms: dict[str, str]) -> None:
        """Put pods into rooms, by uid; one may have to wait until those are there that it has to be beside."""
        left, before = [pod for pod in pods if pod.uid in rooms], -1
        while left and len(left) != before:
            before = len(left)
            left = [pod for pod in left if not self._put(pod, rooms[pod.uid])]

    def free_room(self, intent: Intent, names: Iterable[str], waiting: Sequence[Pod]) -> Room | None:
        """The machine that was bought for them: where some of them are, else one that nobody has."""
        if not waiting:
            return None
        own = set(intent.pods)
        rooms = [self._site.rooms[name] for name in names if name in self._site.rooms]
        open_rooms = [room for room in rooms if room.name not in self._closed and _holds(room, waiting)]
        shared = (room for room in open_rooms if any(pod.uid in own for pod in room.guests))
        empty = (room for room in open_rooms if not room.guests)
        return next(shared, None) or next(empty, None)

    def _put(self, pod: Pod, name: str) -> bool:
        room = self._site.rooms.get(name)
        if room is None or name in self._closed or self._site.why_not(pod, room) is not None:
            return False
        self._site.put(pod, room)
        self.seated[name].append(pod)
        self._uids.add(pod.uid)
        return True


def _let_in(pods: Iterable[Pod], snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """By uid, pods that were let in to a node which others are still kept off."""
    tickets = {ticket(node): node.name for node in snapshot.nodes if is_shut(node)}
    for pod in pods:
        for toleration in pod.tolerations:
            if toleration in tickets:
                yield pod.uid, tickets[toleration]


def _holds(room: Room, pods: Sequence[Pod]) -> bool:
    """Whether the room has enough for all of them and keeps none of them away."""
    total = sum((pod.requests for pod in pods), NOTHING)
    return total.fits(room.free) and not any(
        why_not_there(pod, room.name, room.labels, room.taints) for pod in pods
    )


def _rooms(snapshot: Snapshot) -> dict[PoolSpec, list[str]]:
    """Rooms of bought machines, registered or not, by what they are."""
    found: dict[PoolSpec, list[str]] = defaultdict(list)
    for machine in snapshot.machines:
        if not machine.is_leaving:
            found[machine.spec].append(machine.name)
    return found
