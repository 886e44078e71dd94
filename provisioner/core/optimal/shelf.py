"""Machines of one class in arrays: the cheapest size for many loads at once.

Sizes inside a class differ in amounts and price only. Flexible families are not expanded into
sizes: CPU-like amounts follow from the OCPUs alone and memory from the GiB alone, so the cheapest
size of a load is a look-up on each axis.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from provisioner.core.optimal.problem import MEMORY, Fixed, Flexible, Machine, Problem, Size

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Family:
    """A flexible family; arrays by place on the OCPU axis or by GiB."""

    machine: int
    ocpus: Ints
    steps: Floats
    """(OCPU axis, resources), memory 0."""
    memory: Floats
    memory_peak: Floats
    """The most memory any GiB up to this one leaves."""
    gib_least: Ints
    gib_most: Ints
    per_ocpu: float
    per_gib: float
    per_node: float

    def price_of(self, place: Ints, gib: Ints) -> Floats:
        """Prices of sizes, by size."""
        return np.asarray(self.per_node + self.per_ocpu * self.ocpus[place] + self.per_gib * gib)

    def cheapest(self, loads: Floats) -> tuple[Floats, Ints, Ints]:
        """Price (infinite where none holds the load), place on the OCPU axis and GiB, by load."""
        top = len(self.ocpus)
        need = loads[:, MEMORY]
        place = np.zeros(len(loads), dtype=np.int64)
        for resource in range(loads.shape[1]):
            if resource != MEMORY:
                np.maximum(place, np.searchsorted(self.steps[:, resource], loads[:, resource]), out=place)
        gib = np.searchsorted(self.memory_peak, need)
        place = np.maximum(place, np.searchsorted(self.gib_most, gib))
        fits = (place < top) & (gib < len(self.memory))
        place = np.minimum(place, top - 1)
        gib = np.maximum(np.minimum(gib, len(self.memory) - 1), self.gib_least[place])
        while True:
            dips = fits & (self.memory[gib] < need)  # the least GiB sold lies in a dip
            if not dips.any():
                break
            gib = np.where(dips, gib + 1, gib)
            place = np.where(gib > self.gib_most[place], place + 1, place)
            fits &= (place < top) & (gib < len(self.memory))
            place, gib = np.minimum(place, top - 1), np.minimum(gib, len(self.memory) - 1)
            gib = np.maximum(gib, self.gib_least[place])
        return np.where(fits, self.price_of(place, gib), np.inf), place, gib

    def usable(self, place: Ints, gib: Ints) -> Floats:
        """Amounts of sizes, by size."""
        amounts = self.steps[place].copy()
        amounts[:, MEMORY] = self.memory[gib]
        return amounts


@dataclass(frozen=True, slots=True)
class Shelf:
    """Machines that are open to the same groups."""

    usable: Floats
    """Of fixed sizes, cheapest first."""
    price: Floats
    sizes: tuple[Size, ...]
    families: tuple[Family, ...]

    def cheapest(self, loads: Floats) -> Floats:
        """The lowest price of a size that holds each load; infinite where none does."""
        best = self._fixed(loads)[0]
        for family in self.families:
            np.minimum(best, family.cheapest(loads)[0], out=best)
        return best

    def choose(self, loads: Floats) -> list[Size]:
        """The cheapest size for each load, which some size holds; of equals a fixed one, then the first."""
        best, place = self._fixed(loads)
        sizes = [
            self.sizes[at] if np.isfinite(price) else None for price, at in zip(best, place, strict=True)
        ]
        for family in self.families:
            price, at, gib = family.cheapest(loads)
            for row in np.flatnonzero(price < best):
                sizes[row] = Size(family.machine, int(family.ocpus[at[row]]), int(gib[row]))
            np.minimum(best, price, out=best)
        return [size for size in sizes if size is not None]

    def usable_of(self, size: Size) -> Floats:
        """Amounts of one size of this shelf."""
        for family in self.families:
            if family.machine == size.machine:
                place = np.searchsorted(family.ocpus, [size.ocpus])
                return np.asarray(family.usable(place, np.array([size.gib]))[0])
        return np.asarray(self.usable[self.sizes.index(size)])

    def _fixed(self, loads: Floats) -> tuple[Floats, Ints]:
        if not len(self.price):
            return np.full(len(loads), np.inf), np.zeros(len(loads), dtype=np.int64)
        holds = np.ones((len(loads), len(self.price)), dtype=bool)
        for resource in range(loads.shape[1]):
            holds &= loads[:, [resource]] <= self.usable[:, resource]
        place = holds.argmax(axis=1)
        return np.where(holds[np.arange(len(loads)), place], self.price[place], np.inf), place


def stack(machines: Iterable[tuple[int, Machine]]) -> Shelf:
    """A shelf of machines, given with their positions; dominated ones are left out."""
    listed = sorted(machines, key=lambda each: (*_described(each[1]), each[0]))
    fixed = sorted(
        ((machine.price, position, machine) for position, machine in listed if isinstance(machine, Fixed)),
        key=lambda each: (each[0], [-amount for amount in each[2].usable], each[1]),
    )
    kept: list[tuple[int, Fixed]] = []
    amounts = np.zeros((len(fixed), _width(listed)))
    for _, position, machine in fixed:
        mine = np.array(machine.usable, dtype=np.float64)
        if not (amounts[: len(kept)] >= mine).all(axis=1).any():
            amounts[len(kept)] = mine
            kept.append((position, machine))
    families = [_family(position, machine) for position, machine in listed if isinstance(machine, Flexible)]
    return Shelf(
        amounts[: len(kept)],
        np.array([float(machine.price) for _, machine in kept]),
        tuple(Size(position) for position, _ in kept),
        tuple(each for each in families if not any(_outdoes(other, each) for other in families)),
    )


def stack_sizes(problem: Problem, sizes: Sequence[Size]) -> Shelf:
    """A shelf that sells these sizes only."""
    listed = sorted(sizes, key=lambda size: (problem.price_of(size), size))
    usable = np.array([problem.usable_of(size) for size in listed], dtype=np.float64)
    width = len(problem.groups[0].demand)
    return Shelf(
        usable.reshape(len(listed), width),
        np.array([float(problem.price_of(size)) for size in listed]),
        tuple(listed),
        (),
    )


def _described(machine: Machine) -> tuple[Decimal, tuple[int, ...]]:
    """By what order of positions is replaced, so that nothing depends on it but ties."""
    if isinstance(machine, Fixed):
        return (machine.price, machine.usable)
    return (machine.price_per_node + machine.price_per_ocpu + machine.price_per_gib, machine.usable[-1])


def _width(listed: list[tuple[int, Machine]]) -> int:
    """Number of resources."""
    machine = listed[0][1]
    return len(machine.usable) if isinstance(machine, Fixed) else len(machine.usable[0])


def _family(position: int, machine: Flexible) -> Family:
    memory = np.array(machine.memory, dtype=np.float64)
    return Family(
        position,
        np.array(machine.ocpus, dtype=np.int64),
        np.array(machine.usable, dtype=np.float64),
        memory,
        np.maximum.accumulate(memory),
        np.array([least for least, _ in machine.gib], dtype=np.int64),
        np.array([most for _, most in machine.gib], dtype=np.int64),
        float(machine.price_per_ocpu),
        float(machine.price_per_gib),
        float(machine.price_per_node),
    )


def _outdoes(one: Family, other: Family) -> bool:
    """Whether `one` sells every size of `other`, no dearer; of two equals the first does."""
    mine = (one.per_ocpu, one.per_gib, one.per_node)
    theirs = (other.per_ocpu, other.per_gib, other.per_node)
    if one is other or any(a > b for a, b in zip(mine, theirs, strict=True)):
        return False
    if mine == theirs and one.machine > other.machine:
        return False
    reach, span = len(other.ocpus), len(other.memory)
    if len(one.ocpus) < reach or len(one.memory) < span:
        return False
    return bool(
        np.array_equal(one.ocpus[:reach], other.ocpus)
        and (one.steps[:reach] >= other.steps).all()
        and (one.memory[:span] >= other.memory).all()
        and (one.gib_least[:reach] <= other.gib_least).all()
        and (one.gib_most[:reach] >= other.gib_most).all()
    )
