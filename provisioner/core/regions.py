"""The region that a cluster is in, as far as its nodes and pods tell: no cluster is in two.

A catalog may state several regions at the prices of each. `plan` and `explain` know no cluster's settings,
so what they plan with is kept to the regions that somebody names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from provisioner.core.market import Catalog
from provisioner.core.model import REGION, ZONE, Node, Pod

_OLD_REGION: Final = "failure-domain.beta.kubernetes.io/region"
_OLD_ZONE: Final = "failure-domain.beta.kubernetes.io/zone"
_KEYS: Final = (REGION, _OLD_REGION, ZONE, _OLD_ZONE)
"""Labels that say where a node is; a region's name goes before a zone's."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A zone of a region, with the labels that say so on its nodes."""

    region: str
    labels: Mapping[str, str]


def kept_to_regions(catalog: Catalog, nodes: Iterable[Node], pods: Iterable[Pod], home: str = "") -> Catalog:
    """The catalog of the regions that nodes are in and that pods keep to.

    Where nobody names one of the catalog's, that of `home`; where that is not the catalog's either, all of it. What
    is sold without a region is sold everywhere.
    """
    spots = _spots(catalog)
    every = {spot.region for spot in spots}
    named = {region for node in nodes for region in _of_node(node, spots)}
    named |= {region for pod in pods for region in _of_pod(pod, spots)}
    regions = named or ({home} & every) or every
    kept = tuple(each for each in catalog.offerings if not each.region or each.region in regions)
    return replace(catalog, offerings=kept)


def _spots(catalog: Catalog) -> list[_Spot]:
    found = {
        (offering.region, zone): offering
        for offering in catalog.offerings
        if offering.region
        for zone in offering.zones or ("",)
    }
    return [
        _Spot(
            region,
            {key: value for key, value in catalog.labels(offering, zone).items() if key in _KEYS},
        )
        for (region, zone), offering in sorted(found.items(), key=lambda each: each[0])
    ]


def _of_node(node: Node, spots: Iterable[_Spot]) -> set[str]:
    """Regions by the first label that says where the node is."""
    key = next((key for key in _KEYS if key in node.labels), "")
    return {spot.region for spot in spots if key and spot.labels.get(key) == node.labels[key]}


def _of_pod(pod: Pod, spots: Iterable[_Spot]) -> set[str]:
    """Regions that the pod may be in, where it may not be in all of them; none where it does not care."""
    may = {spot.region: False for spot in spots}
    for spot in spots:
        may[spot.region] |= _may_be_at(pod, spot.labels)
    return set() if all(may.values()) else {region for region, is_open in may.items() if is_open}


def _may_be_at(pod: Pod, labels: Mapping[str, str]) -> bool:
    """Whether what the pod says of regions and zones, and nothing else, allows the place."""
    if any(labels.get(key) != value for key, value in pod.node_selector.items() if key in _KEYS):
        return False
    return pod.node_affinity is None or any(
        all(each.holds(labels) for each in term.labels if each.key in _KEYS) for term in pod.node_affinity
    )
