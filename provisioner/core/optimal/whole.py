"""The linear program over whole loads: how much of each to buy, and what pods are worth then.

min sum(price * x) with sum(load * x) >= pods, x >= 0. A load that is worth more than its price by the
worths of this answer makes it cheaper.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Bin, Load, load_of
from provisioner.core.optimal.program import INFINITE, Program
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables

_BETTER: Final = 1e-5
_WHOLE: Final = 1e-6


class Whole:
    """Loads so far, with the program over them."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._loads: list[Ints] = []
        self._known: set[tuple[int, bytes]] = set()
        self._program = Program()
        self._rows = self._program.add_rows(tables.count.astype(np.float64), np.full(tables.size, INFINITE))
        self.worth: Floats = np.zeros(tables.size)

    @property
    def value(self) -> float:
        """Price of the answer."""
        return self._program.value

    def join_bins(self, bins: Iterable[Bin]) -> None:
        """Let the loads of bins take part."""
        self._add([(_row(each.load, self._tables.size), each.price, each.shelf) for each in bins])

    def join(self, loads: Sequence[tuple[Ints, float, int]]) -> bool:
        """Let loads, with price and shelf, take part that are worth more than they cost; says whether any is."""
        return self._add([each for each in loads if each[0] @ self.worth > each[1] * (1 + _BETTER)])

    def solve(self) -> bool:
        """Bring answer and worths up to date."""
        if not self._program.solve():
            return False
        self.worth = np.maximum(self._program.duals, 0)
        return True

    def rounded_down(self) -> tuple[list[Load], Ints]:
        """The whole part of the answer, and the pods it leaves."""
        loads: list[Load] = []
        left = self._tables.count.copy()
        for load, amount in zip(self._loads, self._program.amounts, strict=False):
            for _ in range(int(amount + _WHOLE)):
                taken = np.minimum(load, left)
                if taken.any():
                    left -= taken
                    loads.append(load_of(taken))
        return loads, left

    def _add(self, loads: Iterable[tuple[Ints, float, int]]) -> bool:
        fresh = []
        for load, price, shelf in loads:
            if (shelf, load.tobytes()) not in self._known:
                self._known.add((shelf, load.tobytes()))
                fresh.append((load, price))
        if fresh:
            matrix = np.array([load for load, _ in fresh], dtype=np.float64)
            prices = np.array([price for _, price in fresh])
            self._program.add_columns(prices, np.full(len(fresh), INFINITE), matrix, self._rows)
            self._loads += [load for load, _ in fresh]
        return bool(fresh)


def _row(load: Load, groups: int) -> Ints:
    row = np.zeros(groups, dtype=np.int64)
    for group, pods in load:
        row[group] = pods
    return row
