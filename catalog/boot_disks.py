"""Which boot disk a Google machine takes: newer series only take the newer kind."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

USUAL: Final = "pd-balanced"
_BY_SERIES: Final[Mapping[str, str]] = MappingProxyType(
    {"c4a": "hyperdisk-balanced", "n4a": "hyperdisk-balanced"}
)


def boot_disk_type(machine_type: str) -> str:
    """Disk type for a machine type such as `t2a-standard-2`."""
    return _BY_SERIES.get(machine_type.partition("-")[0], USUAL)
