"""The emulated account: one project with its owner, its regions and zones, its Kubernetes versions."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from catalog.loader import bundled

CLOUD: Final = "gke"
PROJECT: Final = "emulated-project"
PROJECT_NUMBER: Final = "123456789012"
OWNER: Final = f"owner@{PROJECT}.iam.gserviceaccount.com"
"""The service account that credentials outside of clusters are a key of."""
DEFAULT_NODES: Final = f"{PROJECT_NUMBER}-compute@developer.gserviceaccount.com"
"""What nodes run as when a pool names no service account."""
WORKLOAD_POOL: Final = f"{PROJECT}.svc.id.goog"

REGION: Final = "us-central1"
ZONES: Final = tuple(f"{REGION}-{letter}" for letter in "abcf")

KUBERNETES_VERSIONS: Final = ("1.35.6-gke.1204000", "1.36.3-gke.1092000")
"""On offer, oldest first."""
CHANNELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RAPID": KUBERNETES_VERSIONS[-1],
        "REGULAR": KUBERNETES_VERSIONS[-1],
        "STABLE": KUBERNETES_VERSIONS[0],
        "EXTENDED": KUBERNETES_VERSIONS[0],
    }
)
"""Version that a cluster of each release channel is made with."""

COMPUTE_URL: Final = "https://www.googleapis.com/compute/v1"
CONTAINER_URL: Final = "https://container.googleapis.com/v1"


@cache
def regions() -> Mapping[str, tuple[str, ...]]:
    """Every region with its zones: the account's own, and those in which the catalog sells something."""
    found: dict[str, set[str]] = {REGION: set(ZONES)}
    for row in bundled(CLOUD):
        if row.region != REGION:
            found.setdefault(row.region, set()).update(row.zones)
    return MappingProxyType({name: tuple(sorted(zones)) for name, zones in sorted(found.items())})


def region_of(location: str) -> str:
    """The region of a zone, or the region itself."""
    return location.rsplit("-", 1)[0] if is_zone(location) else location


def is_zone(location: str) -> bool:
    """Whether it has the form of a zone: a region has one dash, a zone two."""
    return location.count("-") > 1


def zones_of(location: str) -> tuple[str, ...]:
    """Zones of a location: the zone itself, or those of the region; none when there is no such place."""
    zones = regions().get(region_of(location), ())
    if not is_zone(location):
        return zones
    return (location,) if location in zones else ()
