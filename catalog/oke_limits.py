"""Oracle's service limits of machines, each counted in every availability domain.

Source: Oracle's page "Compute Quotas" (5 September 2026). Families that it does not name are not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

OCPUS: Final = "OCPUs"
GIB: Final = "GB of memory"
GPUS: Final = "GPUs"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, and what of a machine counts in it."""

    name: str
    unit: str


def _standard(series: str, cores: str = "core-count") -> tuple[Limit, Limit]:
    return Limit(f"standard{series}-{cores}", OCPUS), Limit(f"standard{series}-memory-count", GIB)


LIMITS: Final[Mapping[str, tuple[Limit, ...]]] = MappingProxyType(
    {
        "VM.Standard.A1": _standard("-a1"),
        "VM.Standard.A2": _standard("-a2"),
        "VM.Standard.A4": _standard("-a4"),
        "VM.Standard.E3": _standard("-e3", "core-ad-count"),
        "VM.Standard.E4": _standard("-e4"),
        "VM.Standard.E5": _standard("-e5", "core-ad-count"),
        "VM.Standard3": _standard("3"),
        "VM.GPU2": (Limit("gpu2-count", GPUS),),
        "VM.GPU3": (Limit("gpu3-count", GPUS),),
        "VM.GPU.A10": (Limit("gpu-a10-count", GPUS),),
    }
)
"""By family of shapes, as the catalog names it."""
