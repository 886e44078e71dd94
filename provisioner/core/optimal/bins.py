"""Nodes while they are being planned: what is on them, and the cheapest size for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from provisioner.core.optimal.problem import Size
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables

Load: TypeAlias = tuple[tuple[int, int], ...]
"""Groups with the number of their pods, ascending."""

_SAME: Final = 1e-12
"""Prices nearer than this are equal."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One planned node."""

    shelf: int
    load: Load
    price: float
    """Infinite where nothing holds the load."""
    size: Size | None
    """None where nothing holds the load."""


def load_of(row: Ints) -> Load:
    """A load from a row of pods by group."""
    groups = np.flatnonzero(row)
    return tuple(zip(groups.tolist(), row[groups].tolist(), strict=True))


def usage(tables: Tables, loads: Sequence[Load]) -> Floats:
    """(loads, resources): amounts that loads ask for."""
    groups, pods, starts = _flat(loads)
    used: Floats = np.add.reduceat(tables.need[groups] * pods[:, np.newaxis], starts, axis=0)
    return used


def priced(tables: Tables, loads: Sequence[Load]) -> list[Bin]:
    """Each load on the shelf where it is cheapest; loads are never empty."""
    if not loads:
        return []
    groups, _, starts = _flat(loads)
    used = usage(tables, loads)
    best = np.full(len(loads), np.inf)
    where = np.full(len(loads), -1, dtype=np.int64)
    for index, shelf in enumerate(tables.shelves):
        at = np.flatnonzero(np.logical_and.reduceat(tables.open[index][groups], starts))
        price = shelf.cheapest(used[at])
        better = price < best[at] - _SAME
        best[at[better]] = price[better]
        where[at[better]] = index
    sizes: list[Size | None] = [None] * len(loads)
    for index, shelf in enumerate(tables.shelves):
        at = np.flatnonzero(where == index)
        for place, size in zip(at, shelf.choose(used[at]), strict=True):
            sizes[place] = size
    return [
        Bin(int(shelf), load, float(price), size)
        for shelf, load, price, size in zip(where, loads, best, sizes, strict=True)
    ]


def cheapest(tables: Tables, row: Ints) -> float:
    """The lowest price of a size that holds a row of pods by group; infinite where none does."""
    used, on = (row @ tables.need)[np.newaxis], row > 0
    prices = [
        float(shelf.cheapest(used)[0])
        for shelf, may in zip(tables.shelves, tables.open, strict=True)
        if may[on].all()
    ]
    return min(prices, default=float("inf"))


def cost(bins: Sequence[Bin]) -> float:
    """Price of bins together."""
    return sum(each.price for each in bins)


def pods_in(loads: Iterable[Load], groups: int) -> Ints:
    """Pods by group in loads together."""
    total = np.zeros(groups, dtype=np.int64)
    for load in loads:
        for group, pods in load:
            total[group] += pods
    return total


def _flat(loads: Sequence[Load]) -> tuple[Ints, Ints, Ints]:
    lengths = [len(load) for load in loads]
    groups = np.array([group for load in loads for group, _ in load], dtype=np.int64)
    pods = np.array([pods for load in loads for _, pods in load], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    return groups, pods, starts
