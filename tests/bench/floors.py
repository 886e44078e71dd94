"""What the bench holds us to: price, time, growth and memory, and never dearer than a peer.

Prices are over the bound, by catalog and family. Times are of 2 cores: ours in seconds of CPU on its one
thread, Karpenter's as its Solve takes them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Final

from tests.bench.measure import Ours
from tests.bench.peers import Peer

_RATIO: Final = {"oke": 1.01, "linear": 1.02, "gke": 1.03}
_BIMODAL_ON_GKE: Final = 1.05
REPORTED: Final = ("spread", "incremental", "trace")
"""Families that are reported without a floor on their ratio and time: rules between pods, rooms, a foreign trace."""
DISTINCT: Final = "distinct"
"""No two pods alike: floors up to so many pods as `_UP_TO` only, for those of more are of few shapes. Not held
against Karpenter's time, which is of its Solve alone: ours is mostly of grouping pods that have no like."""
FEWEST: Final = 200
"""Pods below which a ratio says more about the last node than about the packing."""
_SAME: Final = 1 + 1e-9

_UP_TO: Final = 1000
_FIRST_S: Final = 0.1
_FINAL_S: Final = 0.5
"""With up to so many pods."""
_MOST: Final = 20_000
_MOST_S: Final = 2.0
_MOST_BYTES: Final = 300 * 10**6
"""With up to so many pods, in 200 shapes."""
_FIRST_BEATS: Final = 1000
_FINAL_BEATS: Final = 5000
"""Pods from which on the answer is there before Karpenter's."""
_GROWTH: Final = 1.5
"""How much more than n log n the first answer's time may grow, for the noise of two short measurements."""


@dataclass(frozen=True, slots=True)
class Case:
    """One instance, with everybody's answer."""

    catalog: str
    family: str
    pods: int
    own: Ours
    peers: dict[str, Peer]


def deadline_s(pods: int) -> float:
    """What the floors leave for rounds of improvement, the rest being for everything around them."""
    least = 0.8 * _FINAL_S
    return least if pods <= _UP_TO else least + 0.45 * _MOST_S * min(1.0, pods / _MOST)


def faults(case: Case) -> Iterator[str]:
    """What falls short, in words."""
    yield from _dear(case)
    yield from _slow(case)
    if case.pods <= _MOST and case.own.peak_bytes > _MOST_BYTES:
        yield f"{case.own.peak_bytes / 1e6:.0f} MB at the most, the floor is {_MOST_BYTES / 1e6:.0f}"


def growth(cases: Iterable[Case]) -> Iterator[str]:
    """Where the first answer takes longer with more pods than n log n allows, in words."""
    listed = sorted(cases, key=lambda case: (case.catalog, case.family, case.pods))
    for few, many in pairwise(listed):
        if (few.catalog, few.family) != (many.catalog, many.family) or few.pods == many.pods:
            continue
        allowed = _GROWTH * (many.pods * log(many.pods)) / (few.pods * log(few.pods))
        if many.own.first_s > few.own.first_s * allowed:
            yield (
                f"{many.catalog} {many.family}: the first answer takes {few.own.first_s:.3f} s with {few.pods} "
                f"pods and {many.own.first_s:.3f} s with {many.pods}, more than n log n"
            )


def _has_floors(case: Case) -> bool:
    """Whether ratio and time are held to floors, not only reported."""
    return case.family not in REPORTED and (case.family != DISTINCT or case.pods <= _UP_TO)


def _dear(case: Case) -> Iterator[str]:
    own = case.own
    most = _BIMODAL_ON_GKE if (case.catalog, case.family) == ("gke", "bimodal") else _RATIO[case.catalog]
    if _has_floors(case) and case.pods >= FEWEST and own.ratio > most:
        yield f"{own.ratio:.4f} of the bound, the floor is {most}"
    for name, peer in case.peers.items():
        if own.unplaced > peer.unplaced:
            yield f"{own.unplaced} pods are left over, with {name} {peer.unplaced}"
        elif own.unplaced == peer.unplaced and own.price_per_hour > peer.price_per_hour * _SAME:
            yield f"${own.price_per_hour:.4f} is dearer than {name}'s ${peer.price_per_hour:.4f}"


def _slow(case: Case) -> Iterator[str]:
    if not _has_floors(case):
        return
    own, other = case.own, case.peers.get("karpenter")
    if case.pods <= _UP_TO and own.first_s > _FIRST_S:
        yield f"{own.first_s:.3f} s to the first answer, the floor is {_FIRST_S}"
    most = _FINAL_S if case.pods <= _UP_TO else _MOST_S
    if case.pods <= _MOST and own.final_s > most:
        yield f"{own.final_s:.3f} s to the final answer, the floor is {most}"
    if other is None or other.seconds is None or case.family == DISTINCT:
        return
    if case.pods >= _FIRST_BEATS and own.first_s > other.seconds:
        yield f"{own.first_s:.3f} s to the first answer, Karpenter took {other.seconds:.3f}"
    if case.pods >= _FINAL_BEATS and own.final_s > other.seconds:
        yield f"{own.final_s:.3f} s to the final answer, Karpenter took {other.seconds:.3f}"
