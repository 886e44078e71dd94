"""An offering: one shape at one price, as a catalog's row states it.

The planner chooses among offerings, the emulated cloud charges by them. Prices are US dollars
per hour and exact (`Decimal`), memory is GiB because that is what clouds sell (Oracle's and
Google's "GB" of memory is 2**30 bytes).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

ARCHITECTURES: Final = ("amd64", "arm64")
KINDS: Final = ("fixed", "flexible")
ON_DEMAND: Final = "on-demand"
SPOT: Final = "spot"
CAPACITY_TYPES: Final = (ON_DEMAND, SPOT)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offering:
    """One row of a catalog; what its kind leaves empty is None."""

    shape: str
    arch: str
    kind: str
    vcpus: int | None
    """Of a fixed shape; 1 vCPU is 1000 millicores."""
    memory_gib: Decimal | None
    """Of a fixed shape."""
    gpus: int
    """Of the whole machine."""
    gpu_model: str
    price_per_hour: Decimal | None
    """Of a fixed shape, the whole machine with its GPUs."""
    vcpus_per_ocpu: int | None
    ocpus_min: int | None
    ocpus_max: int | None
    gib_per_ocpu_min: Decimal | None
    gib_per_ocpu_max: Decimal | None
    gib_max: int | None
    price_per_ocpu_hour: Decimal | None
    price_per_gib_hour: Decimal | None
    capacity_type: str
    zones: tuple[str, ...]
    """Where it is sold; empty: the catalog knows no zones."""
    available: bool
    region: str
    family: str
    max_pods: int | None
    """The most pods the cloud allows on it; None: Kubernetes' own 110."""
    machine_type: str
    """What to ask the cloud for; differs from `shape` where a GPU is attached."""
    source: str
    date: date | None
    """When the price was read."""

    @property
    def is_flexible(self) -> bool:
        """Whether OCPUs and memory are chosen at purchase."""
        return self.kind == "flexible"

    def vcpus_of(self, ocpus: int | None = None) -> int:
        """Virtual CPUs of the shape; a flexible one's follow from its OCPUs."""
        if self.vcpus is not None:
            return self.vcpus
        return _needed(ocpus, self, "ocpus") * _needed(self.vcpus_per_ocpu, self, "vcpus_per_ocpu")

    def price_of(self, ocpus: int | None = None, memory_gib: int | None = None) -> Decimal:
        """Price per hour of the whole machine; a flexible shape's size has to be given."""
        if self.price_per_hour is not None:
            return self.price_per_hour
        cpu = _needed(self.price_per_ocpu_hour, self, "price_per_ocpu_hour") * _needed(ocpus, self, "ocpus")
        memory = _needed(self.price_per_gib_hour, self, "price_per_gib_hour")
        return cpu + memory * _needed(memory_gib, self, "memory_gib")

    def gib_range(self, ocpus: int) -> range:
        """Whole GiB that may be bought with so many OCPUs of a flexible shape."""
        least = _needed(self.gib_per_ocpu_min, self, "gib_per_ocpu_min") * ocpus
        most = int(_needed(self.gib_per_ocpu_max, self, "gib_per_ocpu_max") * ocpus)
        return range(max(1, math.ceil(least)), min(most, _needed(self.gib_max, self, "gib_max")) + 1)

    def ocpu_range(self) -> range:
        """OCPUs that may be bought of a flexible shape."""
        return range(
            _needed(self.ocpus_min, self, "ocpus_min"), _needed(self.ocpus_max, self, "ocpus_max") + 1
        )


def at_home(offerings: Iterable[Offering], region: str, zones: Iterable[str]) -> tuple[Offering, ...]:
    """The same offerings as sold in another region, at the same prices.

    Oracle's prices are the same in all of its commercial regions, so its catalog states one.
    """
    everywhere = tuple(sorted(zones))
    return tuple(replace(offering, region=region, zones=everywhere) for offering in offerings)


def within(offerings: Iterable[Offering], region: str, zones: Iterable[str]) -> tuple[Offering, ...]:
    """What a region sells in some of its zones, for a cloud whose prices are each region's own."""
    open_to_us = frozenset(zones)
    return tuple(
        replace(offering, zones=common)
        for offering in offerings
        if offering.region == region
        and (common := tuple(zone for zone in offering.zones if zone in open_to_us))
    )


def _needed(value: T | None, offering: Offering, name: str) -> T:
    if value is None:
        message = f"{name} of the {offering.kind} shape {offering.shape} is not known"
        raise ValueError(message)
    return value
