"""Pods, offerings and rooms as a question to the packing kernel.

The kernel knows classes of machines only. A class here is an offering in a zone with the labels we
would put on it; a kind of pods may run on a class where the scheduler would let it: labels, taints,
affinity to nodes, capacity type, and pods that are there already. Each free room is a class too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from catalog.offering import Offering
from provisioner.core import kinds as pod_kinds
from provisioner.core import wishes
from provisioner.core.bin_select import NEW_NODE, Terms, asked_labels, out_of_stock, sold_to, why_not_new
from provisioner.core.kinds import Kind
from provisioner.core.machines import demand, machine, vector
from provisioner.core.market import cheapest_size
from provisioner.core.model import CAPACITY_TYPE, HOSTNAME, ZONE, Pod
from provisioner.core.optimal import problem as kernel
from provisioner.core.optimal.problem import Flexible, Group, Machine, Problem
from provisioner.core.pools import Place
from provisioner.core.site import Room, Site

Labels = tuple[tuple[str, str], ...]
_NO_ROOM: Final = 0


@dataclass(frozen=True, slots=True)
class Lot:
    """One line of what is sold: an offering in a zone, with the labels and taints that our nodes of it get."""

    offering: Offering
    place: Place


@dataclass(frozen=True, slots=True)
class Folded:
    """A question to the kernel, and what its positions stand for."""

    problem: Problem
    kinds: tuple[Kind, ...]
    lots: tuple[Lot, ...]
    """By machine."""
    rooms: tuple[Room, ...]


def fold(kinds: Sequence[Kind], rooms: Iterable[Room], site: Site, terms: Terms) -> Folded:
    """The question for kinds none of which is hard; spreads over zones are divided here."""
    eligible = _Eligible(site, terms)
    lots = _lots(kinds, terms)
    zones = {at: _zones(kind, lots, eligible) for at, kind in enumerate(kinds) if kind.pod.spread}
    divided = pod_kinds.by_zone(kinds, site, zones)
    names = tuple(sorted({name for kind in kinds for name in kind.pod.requests.extended}))
    machines: list[Machine] = []
    sold: list[Lot] = []
    for lot in lots:
        made = machine(terms.catalog, lot.offering, lot.place, len(sold), names)
        if made is not None:
            machines.append(_with_overhead(made, terms.policy.node_overhead_price_per_hour))
            sold.append(lot)
    there = [room for room in rooms if room.free.pods > _NO_ROOM]
    refused = pod_kinds.apart(divided)
    groups = tuple(
        Group(
            demand(kind.pod.requests, names),
            len(kind.pods),
            eligible.classes(kind, sold, there),
            kind.most_per_node,
            refused[at],
        )
        for at, kind in enumerate(divided)
    )
    standing = frozenset(_standing(sold, machines, terms))
    others = len(terms.in_use) - len(standing)
    asked = Problem(
        groups,
        tuple(machines) if terms.policy.max_pools > others or standing else (),
        tuple(kernel.Room(len(sold) + at, vector(room.free, names)) for at, room in enumerate(there)),
        max(1, terms.policy.max_pools - others),
        standing,
    )
    return Folded(asked, tuple(divided), tuple(sold), tuple(there))


def _with_overhead(made: Machine, price: Decimal) -> Machine:
    """The machine, at what having one more node of it is taken to cost."""
    if isinstance(made, Flexible):
        return replace(made, price_per_node=price)
    return replace(made, price=made.price + price)


class _Eligible:
    """Which lots and rooms kinds may go to; asked once for kinds that answer alike."""

    def __init__(self, site: Site, terms: Terms) -> None:
        self._site, self._terms = site, terms
        self._known: dict[object, frozenset[int]] = {}

    def classes(self, kind: Kind, lots: Sequence[Lot], rooms: Sequence[Room]) -> frozenset[int]:
        """Classes open to the kind: lots by position, then rooms."""
        key = ("lots", self._alike_on_new_nodes(kind), kind.zone)
        if key not in self._known:
            self._known[key] = frozenset(at for at, lot in enumerate(lots) if self.takes(kind, lot))
        own = self._known[key] - self._passed_over(kind, lots, self._known[key])
        return own | self._open_rooms(kind, rooms, len(lots)) if rooms else own

    def _open_rooms(self, kind: Kind, rooms: Sequence[Room], first: int) -> frozenset[int]:
        key = ("rooms", self._alike(kind), kind.zone)
        if key not in self._known:
            found = (first + at for at, room in enumerate(rooms) if self._lets_in(kind, room))
            self._known[key] = frozenset(found)
        return self._known[key]

    def _passed_over(self, kind: Kind, lots: Sequence[Lot], classes: frozenset[int]) -> frozenset[int]:
        """Lots of other architectures, where the preferred one has a node for the kind."""
        catalog, preferred = self._terms.catalog, self._terms.policy.preferred_architecture
        if not preferred:
            return frozenset()
        own = {at: lots[at] for at in classes if at < len(lots)}
        wanted = {at: lot for at, lot in own.items() if lot.offering.arch == preferred}
        lost = ((lot.offering, catalog.lost(lot.offering, lot.place)) for lot in wanted.values())
        if not any(cheapest_size(catalog, *each, kind.pod.requests) for each in lost):
            return frozenset()
        return frozenset(own.keys() - wanted.keys())

    def takes(self, kind: Kind, lot: Lot) -> bool:
        """Whether a new node of the lot takes pods of the kind."""
        return kind.zone in {"", lot.place.zone} and self._on(kind.pod, lot)

    def _lets_in(self, kind: Kind, room: Room) -> bool:
        """Whether the room takes pods of the kind, if it has enough of everything."""
        return kind.zone in {"", room.labels.get(ZONE, "")} and self._in_room(kind.pod, room)

    def _on(self, pod: Pod, lot: Lot) -> bool:
        catalog, policy = self._terms.catalog, self._terms.policy
        if not sold_to(pod, lot.offering, policy):
            return False
        if why_not_new(pod, lot.offering, lot.place, catalog) is not None:
            return False
        labels = {**catalog.labels_at(lot.offering, lot.place), HOSTNAME: NEW_NODE}
        return self._site.why_not_beside(_unspread(pod), labels) is None

    def _in_room(self, pod: Pod, room: Room) -> bool:
        unlimited = replace(
            pod, requests=replace(pod.requests, cpu_millicores=0, memory_bytes=0, gpus=0, extended={})
        )
        if self._site.why_not(_unspread(unlimited), room) is not None:
            return False
        # A spread counts pods that are there already; the kernel would not.
        return not any(
            self._site.places(each.term)[room.labels.get(HOSTNAME, "")]
            for each in pod.spread
            if each.term.topology_key == HOSTNAME
        )

    def _alike(self, kind: Kind) -> object:
        pod = kind.pod
        if self._site.repels or pod.anti_affinity or pod.spread or pod.host_ports:
            return pod.key
        return _by_itself(pod)

    def _alike_on_new_nodes(self, kind: Kind) -> object:
        """Nobody is on a new node, so that rules about pods of the same host keep none away."""
        pod = kind.pod
        others = [term for term in pod.anti_affinity if term.topology_key != HOSTNAME]
        return pod.key if self._site.repels or pod.affinity or others else _by_itself(pod)


def _by_itself(pod: Pod) -> object:
    """What tells pods apart by where they may run, whoever else is there."""
    return (
        tuple(sorted(pod.node_selector.items())),
        pod.node_affinity,
        pod.lasting_tolerations,
        pod.host_ports,
        bool(pod.requests.gpus),
        wishes.key_of(pod),
    )


def _unspread(pod: Pod) -> Pod:
    """Spreads are said to the kernel by other means."""
    return replace(pod, spread=()) if pod.spread else pod


def _lots(kinds: Sequence[Kind], terms: Terms) -> list[Lot]:
    """Everything sold that is in stock: sizes in use first, then by shape and zone, for ties."""
    asked = sorted({tuple(sorted(asked_labels(kind.pod).items())) for kind in kinds})
    lots = {
        Lot(offering, Place(zone, _labels(wanted, offering, terms), terms.policy.node_taints))
        for offering in terms.catalog.offerings
        if offering.available
        for zone in offering.zones or ("",)
        if out_of_stock(offering, zone, terms) is None
        for wanted in asked
    }
    used = {(spec.shape, spec.zone, spec.capacity_type, spec.labels) for spec in terms.in_use}
    return sorted(lots, key=lambda lot: (_identity(lot) not in used, *_identity(lot)))


def _identity(lot: Lot) -> tuple[str, str, str, Labels]:
    return lot.offering.shape, lot.place.zone, lot.offering.capacity_type, lot.place.labels


def _labels(asked: Labels, offering: Offering, terms: Terms) -> Labels:
    labels = {**dict(asked), **terms.policy.node_labels, CAPACITY_TYPE: offering.capacity_type}
    return tuple(sorted(labels.items()))


def _zones(kind: Kind, lots: Iterable[Lot], eligible: _Eligible) -> list[str]:
    return sorted({lot.place.zone for lot in lots if lot.place.zone and eligible.takes(kind, lot)})


def _standing(lots: Sequence[Lot], machines: Sequence[Machine], terms: Terms) -> Iterator[kernel.Size]:
    """Sizes in use already, as far as they are sold still."""
    for spec in terms.in_use:
        if spec.taints != terms.policy.node_taints:
            continue
        for at, (lot, made) in enumerate(zip(lots, machines, strict=True)):
            if _identity(lot) != (spec.shape, spec.zone, spec.capacity_type, spec.labels):
                continue
            if not isinstance(made, Flexible):
                yield kernel.Size(at)
            elif spec.ocpus in made.ocpus:
                least, most = made.gib[made.ocpus.index(spec.ocpus)]
                if least <= spec.memory_gib <= most:
                    yield kernel.Size(at, spec.ocpus, int(spec.memory_gib))
