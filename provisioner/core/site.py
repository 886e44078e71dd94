"""The cluster as a plan fills it: rooms with what is in them, and who keeps whom away.

The only mutable thing in the core. A plan makes one from a snapshot, asks it where pods may go and
tells it where they went; it answers as the kube-scheduler would.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.names import STARTING_KEY
from catalog.volumes import are_attachments
from provisioner.core.model import HOSTNAME, ZONE, HostPort, Node, Pod, PodTerm, Spread, Taint
from provisioner.core.plan import Reason
from provisioner.core.resources import Resources

_NOT_YET: frozenset[str] = frozenset(
    {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/network-unavailable",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.kubernetes.io/unschedulable",
        STARTING_KEY,
    }
)
"""Taints of a node that is on its way, which go when it is ready, and of a cordon: whether that is taken back when
a pod needs the node is `Snapshot.closed`'s to say."""


@dataclass(slots=True)
class Room:
    """A place for pods: a node, or one that is to be bought."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    free: Resources
    pods: list[Pod] = field(default_factory=list)
    host_ports: tuple[HostPort, ...] = ()
    """Taken, or about to be, by pods of the node's own."""

    @property
    def guests(self) -> list[Pod]:
        """Pods that are not the node's own."""
        return [pod for pod in self.pods if not pod.is_daemon]


def room_of(node: Node) -> Room:
    """An empty room of a node."""
    taints = tuple(taint for taint in node.taints if taint.key not in _NOT_YET)
    return Room(node.name, node.labels, taints, node.allocatable, host_ports=node.host_ports)


def why_not_there(pod: Pod, name: str, labels: Mapping[str, str], taints: Iterable[Taint]) -> Reason | None:
    """Why a place's labels and taints keep the pod away, whatever else is there; None if they do not."""
    for key, value in sorted(pod.node_selector.items()):
        if labels.get(key) != value:
            return Reason("selector", f"it selects {key}={value}, which no node it could get has")
    if pod.node_affinity is not None and not any(term.holds(labels, name) for term in pod.node_affinity):
        return Reason("affinity", "no node it could get meets its required node affinity")
    for taint in taints:
        if taint.repels and not pod.tolerates(taint):
            return Reason("taint", f"it does not tolerate {taint}")
    return None


class Site:
    """Rooms with their pods, and indexes of pods by place for (anti-)affinity and spread."""

    def __init__(self, rooms: Iterable[Room], zones: Iterable[str] = ()) -> None:
        self.rooms: dict[str, Room] = {}
        self._zones = tuple(zones)
        self._matching: dict[PodTerm, Counter[str]] = {}
        self._repelling: dict[PodTerm, Counter[str]] = {}
        self._by_room: dict[PodTerm, Counter[str]] = {}
        self._asked_for: Pod | None = None
        """Of whom `_counted` is: a pod is asked about for one room after another. None once anybody has come."""
        self._counted: dict[Spread, Counter[str]] = {}
        for room in rooms:
            self.open(room)

    def open(self, room: Room) -> None:
        """Add a room; pods that are in it already count."""
        inside, room.pods = room.pods, []
        self._asked_for = None
        self.rooms[room.name] = room
        for pod in inside:
            self.put(pod, room)

    def put(self, pod: Pod, room: Room) -> None:
        """Place a pod, whether it fits or not (what runs, runs)."""
        room.pods.append(pod)
        self._asked_for = None
        room.free = room.free - pod.requests
        for term, places in self._matching.items():
            if term.topology_key in room.labels and term.selects(pod):
                places[room.labels[term.topology_key]] += 1
        for term, by_room in self._by_room.items():
            by_room[room.name] += not pod.is_deleting and term.selects(pod)
        for term in pod.anti_affinity:
            if term.topology_key in room.labels:
                self._repelling.setdefault(term, Counter())[room.labels[term.topology_key]] += 1

    def why_not(self, pod: Pod, room: Room) -> Reason | None:
        """Why the pod cannot go into that room now; None if it can."""
        return (
            why_not_there(pod, room.name, room.labels, room.taints)
            or _lacking(pod, room)
            or _port_taken(pod, room)
            or self.why_not_beside(pod, room.labels)
        )

    @property
    def repels(self) -> bool:
        """Whether pods that are placed keep others away by their own terms."""
        return any(self._repelling.values())

    def why_not_beside(self, pod: Pod, labels: Mapping[str, str]) -> Reason | None:
        """Why other pods keep this one from a place with such labels; None if they do not."""
        return self._repelled(pod, labels) or self._unattracted(pod, labels) or self._crowded(pod, labels)

    def places(self, term: PodTerm) -> Counter[str]:
        """How many pods the term selects, by value of its topology key."""
        if term not in self._matching:
            self._matching[term] = Counter(
                room.labels[term.topology_key]
                for room in self.rooms.values()
                if term.topology_key in room.labels
                for pod in room.pods
                if term.selects(pod)
            )
        return self._matching[term]

    def _repelled(self, pod: Pod, labels: Mapping[str, str]) -> Reason | None:
        for term in pod.anti_affinity:
            if self.places(term)[labels.get(term.topology_key, "")]:
                return Reason(
                    "anti-affinity", f"its anti-affinity over {term.topology_key} keeps it from pods there"
                )
        for term, places in self._repelling.items():
            if places[labels.get(term.topology_key, "")] and term.selects(pod):
                return Reason(
                    "anti-affinity", f"the anti-affinity over {term.topology_key} of pods there keeps it away"
                )
        return None

    def _unattracted(self, pod: Pod, labels: Mapping[str, str]) -> Reason | None:
        """A pod that all its terms are about may be the first, where no such pod is anywhere yet."""
        if not pod.affinity:
            return None
        vague = next((term for term in pod.affinity if term.is_vague), None)
        if vague is not None:
            return Reason(
                "affinity",
                f"its affinity over {vague.topology_key} asks for labels of namespaces, not known here",
            )
        companions = self._companions(pod)
        is_first = not any(places.total() for places in companions.values())
        may_be_first = is_first and all(term.selects(pod) for term in pod.affinity)
        for term, places in companions.items():
            has_place = term.topology_key in labels
            if not has_place or not (may_be_first or places[labels[term.topology_key]]):
                return Reason(
                    "affinity", f"it has to be beside other pods over {term.topology_key}, and none is there"
                )
        return None

    def _companions(self, pod: Pod) -> dict[PodTerm, Counter[str]]:
        """By term, where pods are that all terms are about."""
        if len(pod.affinity) == 1:
            return {pod.affinity[0]: self.places(pod.affinity[0])}
        found: dict[PodTerm, Counter[str]] = {term: Counter() for term in pod.affinity}
        for room in self.rooms.values():
            count = sum(all(term.selects(other) for term in pod.affinity) for other in room.pods)
            for term, places in found.items():
                if count and term.topology_key in room.labels:
                    places[room.labels[term.topology_key]] += count
        return found

    def _crowded(self, pod: Pod, labels: Mapping[str, str]) -> Reason | None:
        for spread in pod.spread:
            key = spread.term.topology_key
            if key not in labels:
                return Reason("spread", f"it spreads over {key}, which a node it could get does not have")
            if key == HOSTNAME and labels[key] not in self.rooms:
                continue  # a new node is a place of its own, where nothing is yet
            counts = self.spread_counts(pod, spread, (labels[key],))
            skew = skew_of(pod, spread, counts, labels[key])
            if skew > spread.max_skew:
                return Reason("spread", f"there it would be {skew} ahead of the least filled {key}")
        return None

    def spread_counts(self, pod: Pod, spread: Spread, own: Iterable[str]) -> Counter[str]:
        """How many pods a spread counts in each place that counts for the pod; `own` count anyway.

        Zones where a node could be bought count as well, though nothing is there yet.
        """
        if self._asked_for is not pod:
            self._asked_for, self._counted = pod, {}
        if spread not in self._counted:
            self._counted[spread] = self._count(pod, spread)
        counts = self._counted[spread].copy()
        for value in own:
            counts[value] += 0
        return counts

    def _count(self, pod: Pod, spread: Spread) -> Counter[str]:
        key = spread.term.topology_key
        by_room = self._in_rooms(spread.term)
        counts: Counter[str] = Counter()
        for room in self.rooms.values():
            if self._counts(pod, spread, room):
                counts[room.labels[key]] += by_room[room.name]
        if key == ZONE:
            for zone in self._zones:
                if not spread.honors_affinity or _may_be_in(pod, zone):
                    counts[zone] += 0
        return counts

    def _counts(self, pod: Pod, spread: Spread, room: Room) -> bool:
        """Whether a room takes part in a spread of the pod's."""
        if any(each.term.topology_key not in room.labels for each in pod.spread):
            return False
        if spread.honors_affinity and why_not_there(pod, room.name, room.labels, ()) is not None:
            return False
        return not spread.honors_taints or all(pod.tolerates(taint) for taint in room.taints if taint.repels)

    def _in_rooms(self, term: PodTerm) -> Counter[str]:
        """How many pods the term selects, by room; those that are going do not count."""
        if term not in self._by_room:
            self._by_room[term] = Counter(
                {
                    room.name: sum(not pod.is_deleting and term.selects(pod) for pod in room.pods)
                    for room in self.rooms.values()
                }
            )
        return self._by_room[term]


def skew_of(pod: Pod, spread: Spread, counts: Counter[str], place: str) -> int:
    """How far ahead of the least filled place this one would be with the pod."""
    least = min(counts.values()) if len(counts) >= spread.min_domains else 0
    return counts[place] + spread.term.selects(pod) - least


def _may_be_in(pod: Pod, zone: str) -> bool:
    """Whether what the pod says of zones, and nothing else, allows this one."""
    labels = {ZONE: zone}
    if pod.node_selector.get(ZONE, zone) != zone:
        return False
    return pod.node_affinity is None or any(
        all(each.holds(labels) for each in term.labels if each.key == ZONE) for term in pod.node_affinity
    )


def _lacking(pod: Pod, room: Room) -> Reason | None:
    lacking = pod.requests.lacking(room.free)
    if not lacking:
        return None
    if all(map(are_attachments, lacking)):
        return Reason("volume", f"{room.name} cannot have so many volumes more")
    return Reason("too-large", f"{room.name} has too little {', '.join(lacking)} free")


def _port_taken(pod: Pod, room: Room) -> Reason | None:
    if not pod.host_ports:
        return None
    taken = (*room.host_ports, *(port for each in room.pods for port in each.host_ports))
    return why_not_ports(pod, taken, room.name)


def why_not_ports(pod: Pod, taken: Iterable[HostPort], name: str) -> Reason | None:
    """Which host port of the pod is taken in a place of that name; None if none is."""
    for port in pod.host_ports:
        if any(port.collides(other) for other in taken):
            return Reason("port", f"host port {port.port} of {name} is taken")
    return None
