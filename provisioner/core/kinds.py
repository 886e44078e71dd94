"""Pods that nothing tells apart, and what keeps kinds of pods from each other, for the packing kernel.

The kernel knows how many pods of a kind may share a node, and which kinds may not share one. That
says all of host ports, of (anti-)affinity and spread by host name between pods that are to be
placed. Spread over zones is said by giving each zone its share. What cannot be said (affinity to
other pods, anti-affinity and spread over anything else, what a node may cost) makes a kind `hard`: it is placed pod by
pod when the others are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from provisioner.core import wishes
from provisioner.core.model import HOSTNAME, ZONE, Pod, Spread
from provisioner.core.resources import Resources
from provisioner.core.site import Site, skew_of


@dataclass(frozen=True, slots=True)
class Kind:
    """Pods of one kind."""

    pods: tuple[Pod, ...]
    zone: str = ""
    """The zone that these pods are for; empty: any."""

    @property
    def pod(self) -> Pod:
        """One of them, for all."""
        return self.pods[0]

    @property
    def is_hard(self) -> bool:
        """Whether the kernel cannot be told what its pods need."""
        pod = self.pod
        return bool(
            pod.affinity
            or pod.claims
            or pod.device_claims
            or wishes.limits_price(pod)
            or any(term.topology_key != HOSTNAME for term in pod.anti_affinity)
            or any(each.term.topology_key not in {HOSTNAME, ZONE} for each in pod.spread)
        )

    @property
    def most_per_node(self) -> int | None:
        """How many of its pods may share a node; None: as many as fit."""
        pod = self.pod
        limits = [1 for term in pod.anti_affinity if term.topology_key == HOSTNAME and term.selects(pod)]
        limits += [1 for _ in pod.host_ports]
        limits += [each.max_skew for each in _by_host(pod) if each.term.selects(pod)]
        return max(1, min(limits)) if limits else None

    def refuses(self, other: "Kind") -> bool:
        """Whether a pod of this kind may not share a node with one of the other."""
        mine, theirs = self.pod, other.pod
        terms = [term for term in mine.anti_affinity if term.topology_key == HOSTNAME]
        # Pods that one spread counts together are kept apart, so that each may count for itself.
        terms += [each.term for each in _by_host(mine)]
        return any(term.selects(theirs) for term in terms) or any(
            one.collides(two) for one in mine.host_ports for two in theirs.host_ports
        )


def _by_host(pod: Pod) -> Iterator[Spread]:
    return (each for each in pod.spread if each.term.topology_key == HOSTNAME)


def kinds_of(pods: Sequence[Pod], site: Site) -> list[Kind]:
    """Kinds in the order of their first pods; labels tell pods apart only where some term asks for them."""
    placed = (pod for room in site.rooms.values() for pod in room.pods)
    keys, in_namespaces = _asked_for([*pods, *placed])
    together: dict[object, list[Pod]] = defaultdict(list)
    for pod in pods:
        labels = tuple((key, pod.labels.get(key)) for key in keys) if keys else ()
        namespace = pod.namespace if in_namespaces else ""
        together[_requests(pod.requests), labels, namespace, *_rules(pod)].append(pod)
    return [Kind(tuple(each)) for each in together.values()]


def _asked_for(pods: Iterable[Pod]) -> tuple[tuple[str, ...], bool]:
    """Label keys that some pod's terms ask for, and whether any term asks for anything."""
    terms = [
        term
        for pod in pods
        for term in (*pod.affinity, *pod.anti_affinity, *(each.term for each in pod.spread))
    ]
    return tuple(sorted({each.key for term in terms for each in term.selector or ()})), bool(terms)


def _requests(amounts: Resources) -> object:
    return (
        amounts.cpu_millicores,
        amounts.memory_bytes,
        amounts.gpus,
        amounts.pods,
        tuple(sorted(amounts.extended.items())) if amounts.extended else (),
    )


def _rules(pod: Pod) -> tuple[object, ...]:
    return (
        tuple(sorted(pod.node_selector.items())) if pod.node_selector else (),
        pod.node_affinity,
        pod.lasting_tolerations,
        pod.affinity,
        pod.anti_affinity,
        pod.spread,
        pod.host_ports,
        pod.claims,
        pod.device_claims,
        wishes.key_of(pod),
    )


NOWHERE: Final = "(no zone)"
"""The zone of pods that no zone may have now."""


def apart(kinds: Sequence[Kind]) -> list[frozenset[int]]:
    """By kind: positions of the kinds that may not share a node with it."""
    refused: list[set[int]] = [set() for _ in kinds]
    for at, kind in enumerate(kinds):
        if kind.pod.anti_affinity or kind.pod.host_ports or kind.pod.spread:
            refused[at] |= {other for other, each in enumerate(kinds) if other != at and kind.refuses(each)}
    return [frozenset(each) for each in refused]


def by_zone(kinds: Iterable[Kind], site: Site, zones: Mapping[int, Sequence[str]]) -> list[Kind]:
    """Kinds that spread over zones, divided: each pod for the zone that has the fewest so far.

    `zones`, by position: those where nodes can be bought for the kind. A pod that would be too far ahead of
    some other zone that counts is for no zone, and so are all where nothing can be bought.
    """
    added: dict[Spread, Counter[str]] = defaultdict(Counter)
    divided: list[Kind] = []
    for at, kind in enumerate(kinds):
        rules = [each for each in kind.pod.spread if each.term.topology_key == ZONE]
        if kind.is_hard or not rules:
            divided.append(kind)
            continue
        if not zones[at]:
            divided.append(replace(kind, zone=NOWHERE))
            continue
        counts = {rule: _with(site.spread_counts(kind.pod, rule, zones[at]), added[rule]) for rule in rules}
        shares: dict[str, list[Pod]] = defaultdict(list)
        for pod in kind.pods:
            zone = min(zones[at], key=lambda zone: (max(counts[rule][zone] for rule in rules), zone))
            if any(skew_of(pod, rule, counts[rule], zone) > rule.max_skew for rule in rules):
                shares[NOWHERE].append(pod)
                continue
            shares[zone].append(pod)
            for rule, places in added.items():
                places[zone] += rule.term.selects(pod)
            for rule in rules:
                counts[rule][zone] += rule.term.selects(pod)
        divided += [replace(kind, pods=tuple(pods), zone=zone) for zone, pods in sorted(shares.items())]
    return divided


def _with(counts: Counter[str], added: Counter[str]) -> Counter[str]:
    """Counts with what was added, in the places that count."""
    return Counter({place: count + added[place] for place, count in counts.items()})
