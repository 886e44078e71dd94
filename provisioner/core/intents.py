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
from provisioner.core.opening import ticket
from provisioner.core.plan import Plan
from provisioner.core.pools import PoolSpec
from provisioner.core.resources import NOTHING
from provisioner.core.site import Room, Site, why_not_there
from provisioner.core.snapshot import Intent, Snapshot, is_shut


def intents_of(plan: Plan, snapshot: Snapshot) -> tuple[Intent, ...]:
    """What the plan means each machine for, that is bought by it or was before."""
    specs = {name: pool for pool, names in _rooms(snapshot).items() for name in names}
    registered = {node.name for node in snapshot.nodes}
    there = (
        Intent(
            specs[each.node],
            tuple(pod.uid for pod in each.pods),
            each.node if each.node in registered else "",
        )
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
    meant = _meant(pods, site, closed, snapshot)
    seated: dict[str, list[Pod]] = defaultdict(list)

    def takes_place(pod: Pod) -> bool:
        room = site.rooms[meant[pod.uid]]
        if site.why_not(pod, room) is not None:
            return False
        site.put(pod, room)
        seated[room.name].append(pod)
        return True

    left, before = [pod for pod in pods if pod.uid in meant], -1
    # One may have to wait until others are there, that it has to be beside or must not be far ahead of.
    while left and len(left) != before:
        before = len(left)
        left = [pod for pod in left if not takes_place(pod)]
    has_place = {pod.uid for placed in seated.values() for pod in placed}
    return Seating(dict(seated), tuple(pod for pod in pods if pod.uid not in has_place))


def _meant(pods: Sequence[Pod], site: Site, closed: frozenset[str], snapshot: Snapshot) -> dict[str, str]:
    """The open room that each pod is to have, by uid; those that have none are left out."""
    rooms = {
        spec: [site.rooms[name] for name in names if name in site.rooms and name not in closed]
        for spec, names in _rooms(snapshot).items()
    }
    where = {pod.uid: room for each in rooms.values() for room in each for pod in room.guests}
    meant = {uid: name for uid, name in _let_in(pods, snapshot) if name not in closed}
    by_uid, taken = {pod.uid: pod for pod in pods}, set(meant.values())
    for intent in snapshot.intents:
        waiting = [by_uid[uid] for uid in intent.pods if uid in by_uid]
        new = [pod for pod in waiting if pod.uid not in meant]
        theirs = {meant[pod.uid] for pod in waiting if pod.uid in meant}
        theirs |= {where[uid].name for uid in intent.pods if uid in where}
        # A place on a node that is there is on that one or nowhere: those on their way were bought for others.
        theirs = {intent.node} - closed if intent.node else theirs
        nobodys = (
            room.name
            for room in rooms.get(intent.spec, ())
            if not (intent.node or room.name in taken or room.guests) and _holds(room, waiting)
        )
        known = (name for name in sorted(theirs) if name in site.rooms and _holds(site.rooms[name], waiting))
        name = (next(known, None) or next(nobodys, None)) if new else None
        if name is not None:
            taken.add(name)
            meant |= dict.fromkeys((pod.uid for pod in new), name)
    return meant


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
