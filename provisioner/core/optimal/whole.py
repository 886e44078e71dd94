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
        left = self._tables.count.copy()
        return self._whole_part(left), left

    def dived(self) -> list[Load] | None:
        """The whole part, then that of the answer for the pods left, and so on; None where it fails.

        Where an answer has no whole part, the load that it takes most of is taken once.
        """
        left = self._tables.count.copy()
        loads: list[Load] = []
        while left.any():
            self._demand(left)
            if not self._program.solve():
                break
            taken = self._whole_part(left)
            if not taken:
                taken = _shared_out([self._loads[int(self._program.amounts.argmax())]], left)
            loads += taken
        self._demand(self._tables.count)
        return None if left.any() else loads

    def _whole_part(self, left: Ints) -> list[Load]:
        whole = (self._program.amounts + _WHOLE).astype(np.int64)
        return _shared_out(np.repeat(np.array(self._loads)[: len(whole)], whole, axis=0), left)

    def _demand(self, left: Ints) -> None:
        self._program.bound_rows(self._rows, left.astype(np.float64), np.full(len(left), INFINITE))

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


def _shared_out(rows: Iterable[Ints], left: Ints) -> list[Load]:
    """Loads as long as there are pods left for them; takes these off `left`."""
    loads: list[Load] = []
    for row in rows:
        taken = np.minimum(row, left)
        if taken.any():
            left -= taken
            loads.append(load_of(taken))
    return loads


def _row(load: Load, groups: int) -> Ints:
    row = np.zeros(groups, dtype=np.int64)
    for group, pods in load:
        row[group] = pods
    return row
