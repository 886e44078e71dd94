"""What the emulated project and its region are: names, addresses, zones, Kubernetes versions."""

from emulator.gcp import account
from emulator.gcp.account import (
    CHANNELS,
    COMPUTE_URL,
    CONTAINER_URL,
    KUBERNETES_VERSIONS,
    PROJECT,
    PROJECT_NUMBER,
    REGION,
    is_zone,
)

__all__ = [
    "CHANNELS",
    "COMPUTE_URL",
    "CONTAINER_URL",
    "KUBERNETES_VERSIONS",
    "PROJECT",
    "PROJECT_NUMBER",
    "REGION",
    "is_zone",
    "zones_of",
]


def zones_of(region: str) -> list[str]:
    """Zones of a region: the emulated one's, else those in which the catalog sells something."""
    return list(account.zones_of(region))
