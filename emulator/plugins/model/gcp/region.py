"""What the emulated project and its region are: names, zones, Kubernetes versions."""

from emulator.gcp import account
from emulator.gcp.account import CHANNELS, KUBERNETES_VERSIONS, PROJECT, PROJECT_NUMBER, REGION, ZONES

__all__ = [
    "CHANNELS",
    "KUBERNETES_VERSIONS",
    "PROJECT",
    "PROJECT_NUMBER",
    "REGION",
    "ZONES",
    "zones_of",
]


def zones_of(region: str) -> list[str]:
    """Zones of a region: the emulated one's, else those in which the catalog sells something."""
    return list(account.zones_of(region))
