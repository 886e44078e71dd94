"""Machines that the emulated cloud can launch: a machine type of the catalog, with its GPUs, in a zone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from google.cloud import container_v1

from catalog.accelerators import ACCELERATORS
from catalog.allocatable import Capacity, allocatable, capacity, max_pods
from catalog.offering import Offering
from emulator.gcp.account import CLOUD
from emulator.gcp.errors import invalid

ON_DEMAND: Final = "on-demand"
SPOT: Final = "spot"
MOST_GPUS: Final = 4
"""Cards of one kind that a machine may have."""
_BYTES_PER_GIB: Final = 1024**3
_HYPERDISK_ONLY: Final = frozenset({"c4a", "n4a"})
_DISKS: Final[Mapping[bool, tuple[str, ...]]] = MappingProxyType(
    {True: ("hyperdisk-balanced",), False: ("pd-balanced", "pd-standard", "pd-ssd")}
)
"""Types of boot disks, the default first, by whether only hyperdisks go with the family."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type with its GPUs, at a price."""

    shape: str
    """As the catalog calls it."""
    machine_type: str
    family: str
    arch: str
    vcpus: int
    memory_gib: Decimal
    gpus: int
    accelerator: str
    """Google's name of the GPUs, empty without any."""
    price_per_hour: Decimal
    spot: bool
    zone: str

    @property
    def memory_bytes(self) -> int:
        """The memory bought."""
        return int(self.memory_gib * _BYTES_PER_GIB)

    @property
    def disk_types(self) -> tuple[str, ...]:
        """Types of boot disks that go with it, the default first."""
        return _DISKS[self.family in _HYPERDISK_ONLY]

    def amounts(self, accounting: str, limit: int) -> tuple[Capacity, Capacity]:
        """`status.capacity` and `status.allocatable` of a node of it that takes so many pods."""
        pods = max_pods(CLOUD, accounting, ocpus=self.vcpus, limit=limit)
        whole = capacity(
            CLOUD,
            accounting,
            arch=self.arch,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            gpus=self.gpus,
            max_pods=pods,
        )
        left = allocatable(
            CLOUD,
            accounting,
            arch=self.arch,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            gpus=self.gpus,
            max_pods=pods,
            machine_type=self.machine_type,
        )
        return whole, left


class Machines:
    """The offerings of the emulated cloud."""

    def __init__(
        self, offerings: Iterable[Offering], withdrawn: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        """`withdrawn` says which shapes are not offered any more."""
        self._all = tuple(row for row in offerings if row.available)
        self._withdrawn = withdrawn

    @property
    def _rows(self) -> tuple[Offering, ...]:
        withdrawn = self._withdrawn()
        return tuple(row for row in self._all if row.shape not in withdrawn)

    def ever(self) -> Iterator[str]:
        """Every shape that is or was sold."""
        return (row.shape for row in self._all)

    def offering(self, shape: str) -> Offering | None:
        """A shape of the catalog, offered still or not."""
        return next((row for row in self._all if row.shape == shape), None)

    def sold_in(self, zone: str) -> Iterator[Offering]:
        """What is sold on demand in a zone."""
        return (row for row in self._rows if zone in row.zones and row.capacity_type == ON_DEMAND)

    def machine(self, config: container_v1.NodeConfig, zone: str) -> Machine:
        """The machine that a pool's configuration describes.

        Raises:
            ApiError: 400 when it is not sold there.
        """
        wanted = config.machine_type
        spot = config.spot or config.preemptible
        rows = [
            row
            for row in self._rows
            if row.machine_type == wanted and zone in row.zones and (row.capacity_type == SPOT) == spot
        ]
        if not rows:
            raise invalid(self._not_sold(wanted, zone, spot=spot))
        cards = sum(accelerator.accelerator_count for accelerator in config.accelerators)
        kinds = {accelerator.accelerator_type for accelerator in config.accelerators}
        builtin = all(row.gpus for row in rows) and not cards
        for row in rows:
            kind = ACCELERATORS.get(row.gpu_model, "")
            if builtin or (row.gpus == cards and kinds <= {kind}):
                return _machine(row, zone, spot=spot)
        described = ", ".join(
            f"{each.accelerator_count} x {each.accelerator_type}" for each in config.accelerators
        )
        raise invalid(
            f"Accelerators {described or 'none'} cannot be had with machine type {wanted} in zone {zone}; "
            f"there are: {', '.join(sorted({_cards(row) for row in rows}))}."
        )

    def _not_sold(self, machine_type: str, zone: str, *, spot: bool) -> str:
        zones = sorted(
            {
                other
                for row in self._rows
                if row.machine_type == machine_type and (row.capacity_type == SPOT) == spot
                for other in row.zones
            }
        )
        kind = " as spot capacity" if spot else ""
        places = f"it is in {', '.join(zones)}" if zones else "no zone has it"
        return f'Machine type "{machine_type}"{kind} is not available in zone "{zone}"; {places}.'


def _machine(row: Offering, zone: str, *, spot: bool) -> Machine:
    return Machine(
        shape=row.shape,
        machine_type=row.machine_type,
        family=row.family,
        arch=row.arch,
        vcpus=row.vcpus_of(),
        memory_gib=row.memory_gib or Decimal(0),
        gpus=row.gpus,
        accelerator=ACCELERATORS.get(row.gpu_model, ""),
        price_per_hour=row.price_of(),
        spot=spot,
        zone=zone,
    )


def _cards(row: Offering) -> str:
    return f"{row.gpus} x {ACCELERATORS[row.gpu_model]}" if row.gpus else "none"
