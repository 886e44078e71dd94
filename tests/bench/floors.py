"""What the bench holds us to: prices over the bound by catalog and family, and never dearer than a peer."""

from collections.abc import Iterator
from typing import Final

from tests.bench.measure import Ours
from tests.bench.peers import Peer

_RATIO: Final = {"oke": 1.01, "linear": 1.02, "gke": 1.03}
_BIMODAL_ON_GKE: Final = 1.05
REPORTED: Final = ("spread", "incremental", "distinct", "trace")
"""Families that are reported without a floor on their ratio: rules between pods, rooms, no two pods
alike, a foreign trace."""
FEWEST: Final = 200
"""Pods below which a ratio says more about the last node than about the packing."""
_SAME: Final = 1 + 1e-9


def faults(catalog: str, family: str, pods: int, own: Ours, peers: dict[str, Peer]) -> Iterator[str]:
    """What falls short, in words."""
    most = _BIMODAL_ON_GKE if (catalog, family) == ("gke", "bimodal") else _RATIO[catalog]
    if family not in REPORTED and pods >= FEWEST and own.ratio > most:
        yield f"{own.ratio:.4f} of the bound, the floor is {most}"
    for name, peer in peers.items():
        if own.unplaced > peer.unplaced:
            yield f"{own.unplaced} pods are left over, with {name} {peer.unplaced}"
        elif own.unplaced == peer.unplaced and own.price_per_hour > peer.price_per_hour * _SAME:
            yield f"${own.price_per_hour:.4f} is dearer than {name}'s ${peer.price_per_hour:.4f}"
