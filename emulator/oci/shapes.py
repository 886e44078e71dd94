"""Machines that the emulated cloud can launch: a shape of the catalog in a certain size."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.allocatable import Capacity, allocatable, capacity, oke_max_pods
from catalog.offering import Offering
from emulator.cloud.errors import ApiError
from emulator.oci.errors import invalid
from emulator.oci.wire import ShapeConfig

CLOUD: Final = "oke"
ON_DEMAND: Final = "on-demand"
SPOT: Final = "spot"
_DEFAULT_GIB_PER_OCPU: Final = {"VM.Standard.A1.Flex": 6}
_OTHER_GIB_PER_OCPU: Final = 16
"""Memory of a flexible shape when only OCPUs are given."""
_NOMINAL_MAX_PODS: Final = 110
_BYTES_PER_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Machine:
    """A shape in a size, at a price."""

    shape: str
    arch: str
    ocpus: int
    vcpus: int
    memory_gib: int
    gpus: int
    price_per_hour: Decimal
    preemptible: bool
    zones: tuple[str, ...]

    @property
    def memory_bytes(self) -> int:
        """The memory bought."""
        return self.memory_gib * _BYTES_PER_GIB

    def max_pods(self, accounting: str, asked: int | None) -> int:
        """Pods a node of it takes: what its VNICs allow, or less when asked."""
        if accounting == "nominal":
            return asked or _NOMINAL_MAX_PODS
        most = oke_max_pods(self.ocpus)
        return min(most, asked) if asked else most

    def capacity(self, accounting: str, max_pods: int) -> Capacity:
        """`status.capacity` of a node of it."""
        return capacity(
            CLOUD,
            accounting,
            arch=self.arch,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            gpus=self.gpus,
            max_pods=max_pods,
        )

    def allocatable(self, accounting: str, max_pods: int) -> Capacity:
        """`status.allocatable` of a node of it."""
        return allocatable(
            CLOUD,
            accounting,
            arch=self.arch,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            gpus=self.gpus,
            max_pods=max_pods,
        )


class Shapes:
    """The offerings of the emulated cloud."""

    def __init__(
        self, offerings: Iterable[Offering], withdrawn: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        """`withdrawn` says which shapes are not offered any more."""
        self._by_key = {(row.shape, row.capacity_type): row for row in offerings if row.available}
        self._families = {row.shape: row.family for row in self._by_key.values()}
        self._withdrawn = withdrawn

    def names(self) -> tuple[str, ...]:
        """Every shape that can be had, sorted."""
        return tuple(sorted(self._families.keys() - self._withdrawn()))

    def ever(self) -> frozenset[str]:
        """Every shape that is or was offered."""
        return frozenset(self._families)

    def family(self, shape: str) -> str:
        """The family of a shape, as the catalog names it; empty when there never was such a shape."""
        return self._families.get(shape, "")

    def machine(self, shape: str, config: ShapeConfig | None, *, preemptible: bool = False) -> Machine:
        """The machine that a node pool describes.

        Raises:
            ApiError: 400 when the shape is not offered, or not in that size.
        """
        offering = self._by_key.get((shape, SPOT if preemptible else ON_DEMAND))
        if offering is None or shape in self._withdrawn():
            kind = "as preemptible capacity" if preemptible else "in this region"
            raise invalid(f"nodeShape: '{shape}' is not available {kind}; shapes: {', '.join(self.names())}")
        if offering.kind == "fixed":
            return _fixed(offering, config, preemptible=preemptible)
        return _flexible(offering, config, preemptible=preemptible)


def _fixed(offering: Offering, config: ShapeConfig | None, *, preemptible: bool) -> Machine:
    if config is not None and (config.ocpus is not None or config.memory_in_gbs is not None):
        raise invalid(f"nodeShapeConfig: '{offering.shape}' is not a flexible shape; leave it out")
    vcpus = int(offering.vcpus or 0)
    return Machine(
        shape=offering.shape,
        arch=offering.arch,
        ocpus=max(1, vcpus // 2),
        vcpus=vcpus,
        memory_gib=math.floor(offering.memory_gib or 0),
        gpus=offering.gpus,
        price_per_hour=offering.price_of(),
        preemptible=preemptible,
        zones=offering.zones,
    )


def _flexible(offering: Offering, config: ShapeConfig | None, *, preemptible: bool) -> Machine:
    if config is None or config.ocpus is None:
        raise invalid(f"nodeShapeConfig.ocpus: required for the flexible shape '{offering.shape}'")
    ocpus = _whole("nodeShapeConfig.ocpus", config.ocpus)
    per_ocpu = _DEFAULT_GIB_PER_OCPU.get(offering.shape, _OTHER_GIB_PER_OCPU)
    memory = config.memory_in_gbs if config.memory_in_gbs is not None else float(ocpus * per_ocpu)
    memory_gib = _whole("nodeShapeConfig.memoryInGBs", memory)
    _check_limits(offering, ocpus, memory_gib)
    return Machine(
        shape=offering.shape,
        arch=offering.arch,
        ocpus=ocpus,
        vcpus=offering.vcpus_of(ocpus),
        memory_gib=memory_gib,
        gpus=offering.gpus,
        price_per_hour=offering.price_of(ocpus, memory_gib),
        preemptible=preemptible,
        zones=offering.zones,
    )


def _check_limits(offering: Offering, ocpus: int, memory_gib: int) -> None:
    faults = []
    fewest, most = int(offering.ocpus_min or 1), int(offering.ocpus_max or ocpus)
    if not fewest <= ocpus <= most:
        faults.append(f"nodeShapeConfig.ocpus: {ocpus} must be between {fewest} and {most}")
    least = max(1, math.ceil((offering.gib_per_ocpu_min or 0) * ocpus))
    greatest = math.floor((offering.gib_per_ocpu_max or memory_gib) * ocpus)
    if offering.gib_max is not None:
        greatest = min(greatest, math.floor(offering.gib_max))
    if not least <= memory_gib <= greatest:
        faults.append(
            f"nodeShapeConfig.memoryInGBs: {memory_gib} must be between {least} and {greatest} "
            f"for {ocpus} OCPU of '{offering.shape}'"
        )
    if faults:
        raise ApiError(400, "InvalidParameter", "; ".join(faults))


def _whole(name: str, value: float) -> int:
    if value != int(value):
        raise invalid(f"{name}: {value} must be a whole number")
    return int(value)
