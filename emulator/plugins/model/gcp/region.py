"""What the emulated project and its region are: names, zones, Kubernetes versions."""

from typing import Final

PROJECT: Final = "emulated-project"
PROJECT_NUMBER: Final = "123456789012"
REGION: Final = "us-central1"
ZONES: Final = tuple(f"{REGION}-{letter}" for letter in "abcf")
KUBERNETES_VERSIONS: Final = ("1.35.6-gke.1204000", "1.36.3-gke.1092000")
"""On offer, oldest first."""
CHANNELS: Final = {
    "RAPID": KUBERNETES_VERSIONS[-1],
    "REGULAR": KUBERNETES_VERSIONS[-1],
    "STABLE": KUBERNETES_VERSIONS[0],
    "EXTENDED": KUBERNETES_VERSIONS[0],
}
"""Version that a cluster of each release channel is made with."""


def zones_of(region: str) -> list[str]:
    """Zones of a region: the emulated one's, else those in which the catalog sells something."""
    if region == REGION:
        return list(ZONES)
    from catalog.loader import bundled

    return sorted({zone for row in bundled("gke") if row.region == region for zone in row.zones})
