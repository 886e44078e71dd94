"""Offerings as the packing kernel takes them: amounts in vectors, flexible shapes by their two axes."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from catalog import allocatable
from catalog.offering import Offering
from provisioner.core.market import Catalog
from provisioner.core.optimal.problem import LARGEST_AMOUNT, MEMORY, Fixed, Flexible, Machine
from provisioner.core.pools import Place
from provisioner.core.resources import NOTHING, Resources

LEAST_PRICE: Final = Decimal("1e-9")
"""Stands for a price of 0, of which no bound can be told."""


def vector(amounts: Resources, names: Sequence[str]) -> tuple[int, ...]:
    """What a place has: CPU, memory, GPUs, pods, then other amounts by name. Nothing is below 0."""
    return tuple(min(max(0, amount), LARGEST_AMOUNT - 1) for amount in _amounts(amounts, names))


def demand(amounts: Resources, names: Sequence[str]) -> tuple[int, ...]:
    """What a pod asks for; an amount beyond every place's is one that no place has."""
    return tuple(min(max(0, amount), LARGEST_AMOUNT) for amount in _amounts(amounts, names))


def _amounts(amounts: Resources, names: Sequence[str]) -> tuple[int, ...]:
    others = (amounts.extended.get(name, 0) for name in names)
    return (amounts.cpu_millicores, amounts.memory_bytes, amounts.gpus, amounts.pods, *others)


def machine(
    catalog: Catalog, offering: Offering, place: Place, klass: int, names: Sequence[str]
) -> Machine | None:
    """The offering in that place as a machine of that class; None where no size leaves anything to pods."""
    lost = catalog.lost(offering, place)
    if not offering.is_flexible:
        size = catalog.size(offering)
        left = vector(size.usable - lost, names)
        return Fixed(klass, left, max(size.price_per_hour, LEAST_PRICE)) if lost.fits(size.usable) else None
    axes = _axes(catalog.cloud, catalog.accounting, catalog.ephemeral_storage_bytes, offering, tuple(names))
    if axes is not None and lost != NOTHING:
        axes = _less(axes, vector(lost, names))
    if axes is None:
        return None
    ocpus, usable, memory, gib = axes
    return Flexible(
        klass,
        ocpus,
        usable,
        memory,
        gib,
        max(offering.price_per_ocpu_hour or Decimal(0), LEAST_PRICE),
        max(offering.price_per_gib_hour or Decimal(0), LEAST_PRICE),
    )


_Axes = tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[int, ...], tuple[tuple[int, int], ...]]


@lru_cache(maxsize=256)
def _axes(
    cloud: str, accounting: str, ephemeral: int, offering: Offering, names: tuple[str, ...]
) -> _Axes | None:
    """OCPUs sold; what each leaves; memory that each GiB leaves; GiB sold with each OCPU count.

    Reservations of memory follow from the GiB alone, those of everything else from the OCPUs alone.
    """
    catalog = Catalog((), cloud, accounting, ephemeral)
    least = allocatable.least_memory_gib(cloud, accounting, offering.family)
    sold = {ocpu: offering.gib_range(ocpu) for ocpu in offering.ocpu_range()}
    ranges = {ocpu: (max(least, gib.start), gib.stop - 1) for ocpu, gib in sold.items()}
    ranges = {ocpu: (low, high) for ocpu, (low, high) in ranges.items() if low <= high}
    if not ranges:
        return None
    span = max(high for _, high in ranges.values())
    by_ocpu = [vector(catalog.size(offering, ocpu, span).usable, names) for ocpu in ranges]
    memory = [_memory(cloud, accounting, offering.arch, offering.gpus, gib) for gib in range(1, span + 1)]
    return (
        tuple(ranges),
        tuple((cpu, 0, *others) for cpu, _, *others in by_ocpu),
        (0, *memory),
        tuple(ranges.values()),
    )


def _less(axes: _Axes, lost: Sequence[int]) -> _Axes | None:
    """The sizes that have what is lost, without it; None if there are none."""
    _, lost_memory, *_ = lost
    lost = [0 if at == MEMORY else amount for at, amount in enumerate(lost)]
    ocpus, usable, memory, gib = axes
    least = next((at for at, has in enumerate(memory) if has >= lost_memory), len(memory))
    kept = [
        (ocpu, tuple(has - lacks for has, lacks in zip(each, lost, strict=True)), (max(low, least), high))
        for ocpu, each, (low, high) in zip(ocpus, usable, gib, strict=True)
        if max(low, least) <= high and all(has >= lacks for has, lacks in zip(each, lost, strict=True))
    ]
    if not kept:
        return None
    ocpus, usable, gib = zip(*kept, strict=True)
    return ocpus, usable, tuple(max(0, has - lost_memory) for has in memory), gib


@lru_cache(maxsize=2**14)
def _memory(cloud: str, accounting: str, arch: str, gpus: int, gib: int) -> int:
    """Bytes that so many GiB leave to pods."""
    whole = allocatable.allocatable(
        cloud, accounting, arch=arch, vcpus=1, memory_gib=gib, gpus=gpus, max_pods=allocatable.MAX_PODS
    )
    return allocatable.usable(cloud, accounting, whole).memory_bytes
