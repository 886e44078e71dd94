"""What every mode decides on, and what it answers."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from provisioner.core.bin_select import Terms, choose
from provisioner.core.cart import Cart
from provisioner.core.market import Catalog
from provisioner.core.model import HOSTNAME, Pod
from provisioner.core.plan import PlannedNode, Reason, Unplaced
from provisioner.core.site import Room, Site


@dataclass(frozen=True, slots=True)
class Situation:
    """Pods to be placed, and everything that decides where."""

    pods: tuple[Pod, ...]
    """Pending, not gated; in the order of placing."""
    site: Site
    """Modes put pods and open rooms in it."""
    closed: frozenset[str]
    """Rooms that new pods must not be counted on going to."""
    terms: Terms
    cart: Cart
    held: str
    """Why nothing may be bought at all; empty when buying is allowed."""
    go_on: Callable[[], bool]
    """Asked between rounds of improvement."""

    @property
    def open_rooms(self) -> tuple[Room, ...]:
        """Rooms that new pods may go to."""
        return tuple(room for name, room in sorted(self.site.rooms.items()) if name not in self.closed)


@dataclass(slots=True)
class Outcome:
    """Where pods go; every one of the situation's is in exactly one of the three."""

    placed: dict[str, list[Pod]] = field(default_factory=dict)
    """By room that is there already."""
    bought: list[PlannedNode] = field(default_factory=list)
    refused: list[Unplaced] = field(default_factory=list)
    kept: dict[str, list[Pod]] = field(default_factory=dict)
    """By room that is there already, headroom that is kept in it."""
    short: list[Unplaced] = field(default_factory=list)
    """Headroom that cannot be had."""
    bound: Decimal = Decimal(0)
    """No set of nodes for the pods placed costs less; 0 where the mode does not know."""

    def place(self, pods: Iterable[Pod], room: str) -> None:
        """Pods go to a room."""
        self.placed.setdefault(room, []).extend(pods)

    def seat(self, seated: Mapping[str, Iterable[Pod]]) -> None:
        """Pods that had their places before all others; what is known of a bound was without them."""
        for name, pods in seated.items():
            self.placed[name] = [*pods, *self.placed.get(name, ())]
            self.bound = Decimal(0)

    @property
    def rooms(self) -> frozenset[str]:
        """Rooms that are there already and needed."""
        return frozenset(self.placed) | frozenset(self.kept)

    @property
    def settled(self) -> tuple[Pod, ...]:
        """Pods that have a place."""
        return (
            *(pod for _, pods in sorted(self.placed.items()) for pod in pods),
            *(pod for planned in self.bought for pod in planned.pods),
        )


def _unbuyable(pod: Pod, situation: Situation) -> Reason | None:
    """Why no node can be bought for the pod, whatever is sold."""
    if situation.held:
        return Reason("no-offering", situation.held)
    if pod.device_claims:
        return Reason(
            "no-offering",
            f"it claims the device {pod.device_claims[0]}, and which machine has it is not known: it gets no node of "
            "its own",
        )
    if pod.claims:
        return Reason(
            "volume",
            f"it mounts the claim {pod.claims[0]}, and where that volume can be attached is not known: "
            "it gets no node of its own",
        )
    return None


def chosen(pod: Pod, situation: Situation) -> PlannedNode | Reason:
    """The cheapest node for a pod by itself, or why it gets none.

    Where no size may be added any more, those that this plan buys are as good as those that were there.
    """
    terms, cart = situation.terms, situation.cart
    if cart.sizes_left:
        terms = replace(terms, in_use=cart.sizes_left)
    return _unbuyable(pod, situation) or choose(pod, situation.site, terms, cart.why_not)


def room_for(
    pod: Pod, situation: Situation, may_have: Callable[[Room], bool] = lambda _: True
) -> Room | None:
    """A room the scheduler would accept: an empty one rather than a shared one, the tightest first."""
    site = situation.site
    fitting = [
        room
        for room in site.rooms.values()
        if room.name not in situation.closed and site.why_not(pod, room) is None and may_have(room)
    ]
    return min(
        fitting,
        key=lambda room: (bool(room.guests), room.free.memory_bytes, room.free.cpu_millicores, room.name),
        default=None,
    )


def settle(situation: Situation, outcome: Outcome) -> list[Pod]:
    """Put pods into rooms that are there; returns those that none of them takes."""
    left: list[Pod] = []
    for pod in situation.pods:
        room = room_for(pod, situation)
        if room is None:
            left.append(pod)
        else:
            join(pod, room, situation, outcome)
    return left


def join(pod: Pod, room: Room, situation: Situation, outcome: Outcome) -> None:
    """A pod goes to a node that was there, or one that this plan buys."""
    situation.site.put(pod, room)
    at = number_of(room.name)
    if at is None:
        outcome.place([pod], room.name)
    else:
        outcome.bought[at] = replace(outcome.bought[at], pods=(*outcome.bought[at].pods, pod))


def buy(planned: PlannedNode, situation: Situation, outcome: Outcome) -> Room:
    """Buy a node; returns it as the room that later pods may share."""
    outcome.bought.append(planned)
    situation.cart.add(planned)
    room = new_room(planned, situation.terms.catalog, len(outcome.bought))
    situation.site.open(room)
    return room


_NEW: Final = re.compile(r"\(new node (\d+)\)")


def name_of(at: int) -> str:
    """What the room of a node is called that a plan buys, by its place among them."""
    return f"(new node {at + 1})"


def number_of(name: str) -> int | None:
    """The place, among the nodes a plan buys, of the room with that name; None for rooms that are there."""
    match = _NEW.fullmatch(name)
    return int(match[1]) - 1 if match else None


def new_room(planned: PlannedNode, catalog: Catalog, number: int) -> Room:
    """The bought node as a place: later pods see who is in it."""
    name = name_of(number - 1)
    offering, place = planned.size.offering, planned.spec.place
    labels = {**catalog.labels_at(offering, place), HOSTNAME: name}
    ports = catalog.own(offering, place).host_ports
    return Room(name, labels, planned.spec.taints, planned.size.usable, list(planned.pods), ports)
