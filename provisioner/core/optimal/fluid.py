"""The relaxation that lets pods be cut: what a pod of each group is worth, and which sizes to use.

min sum(price_s * z_s) where sizes s take parts x_gs of the pods of each group, all of every group is
taken, and sum_g(need_g * x_gs) <= usable_s * z_s for each amount. Its duals are rates (prices of
amounts on each size) and worths of pods. Sizes enter as the worths found so far prove them too good;
free rooms that take the same groups enter together, for nothing, once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.blend import blend
from provisioner.core.optimal.program import INFINITE, Program
from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables

_CLUMSY: Final = 7.0
"""How much more than its share counts that a typical pod takes a large one of the size."""
_LEAST: Final = 1e-6
"""Fewer nodes than this count as none."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One size in use: how many of it, parts of groups it takes, rates of its amounts."""

    shelf: int
    room: Floats
    price: float
    nodes: float
    parts: Floats
    rates: Floats
    factor: float
    """By how much the size is taken as dearer."""


@dataclass(frozen=True, slots=True)
class _Entry:
    shelf: int
    room: Floats
    price: float
    holds: Bools
    """By group."""
    blends: Ints
    columns: Ints
    rows: Ints


class Fluid:
    """The program with the sizes so far."""

    def __init__(self, tables: Tables, most_blends: int, tight: float = 0.0, large: float = 0.0) -> None:
        """`most_blends`: groups are blended to about so many, for speed.

        `tight`: sizes are taken as dearer by this share of what of them a typical pod takes. 0 gives true
        worths; more prefers, of sizes as cheap, the roomier: they are easier to fill. `large`: by this
        share of their part in what is still to be spent, too: the last node of a large size is seldom full.
        """
        self._tables, self._tight, self._large = tables, tight, large
        self._blend = blend(tables, most_blends)
        self._used = np.flatnonzero(tables.need.any(axis=0))
        self._unit = np.maximum(tables.need.max(axis=0, initial=0), 1.0)
        volume = tables.count @ tables.need
        self._bulk = tables.count @ tables.need**2 / np.maximum(volume, 1.0)
        self._known: set[tuple[int, bytes]] = set()
        self._entries: list[_Entry] = []
        self._factors: dict[int, float] = {}
        self._left = tables.count
        self._program = Program()
        self._program.add_rows(self._blend.total(tables.count), np.full(self._blend.size, INFINITE))
        self.value = 0.0
        self.worth: Floats = np.zeros(tables.size)

    def add(self, shelf: int, room: Floats, price: float) -> bool:
        """Let a size take part; says whether it is new and holds anything."""
        if (shelf, room.tobytes()) in self._known:
            return False
        self._known.add((shelf, room.tobytes()))
        share = min(1.0, float((self._bulk / np.maximum(room, 1.0)).max()))
        holds = self._tables.open[shelf] & (self._tables.need <= room).all(axis=1)
        blends = np.flatnonzero(self._blend.open[shelf] & (self._blend.need <= room).all(axis=1))
        factor = 1 + self._tight * (share + _CLUMSY * share**2)
        self._factors[len(self._entries)] = factor
        self._enter(_Entry(shelf, room, price, holds, blends, *_NONE), price * factor, INFINITE)
        return True

    def take_as(self, stream: Stream, factor: float) -> None:
        """Take a size as dearer by another factor from now on."""
        for at, entry in enumerate(self._entries):
            if entry.shelf == stream.shelf and np.array_equal(entry.room, stream.room):
                self._factors[at] = factor
                self._program.cost_of(int(entry.columns[0]), entry.price * factor)

    def add_rooms(self, total: Floats, allowed: Bools) -> None:
        """Let free rooms take part, all those that the same groups may go to together."""
        blends = np.unique(self._blend.of[allowed])
        self._enter(_Entry(-1, total, 0.0, allowed, blends, *_NONE), 0.0, 1.0)

    def demand(self, left: Ints, value: float = INFINITE) -> None:
        """Ask for other numbers of pods from now on; `value`: about what these cost."""
        self._left = left
        if self._large:
            for at, factor in self._factors.items():
                entry = self._entries[at]
                part = min(1.0, entry.price / value)
                self._program.cost_of(int(entry.columns[0]), entry.price * (factor + self._large * part))
        rows = np.arange(self._blend.size)
        self._program.bound_rows(rows, self._blend.total(left), np.full(len(rows), INFINITE))

    def solve(self) -> bool:
        """Solve; `value` and `worth` then hold the answer. False: the sizes so far cannot hold all pods."""
        if not self._program.solve():
            return False
        self.value = self._program.value
        if self._blend.size == self._tables.size:
            self.worth = np.maximum(self._program.duals[: self._blend.size], 0)
        else:
            self.worth = self._least_rate()
        return True

    def streams(self) -> list[Stream]:
        """Sizes in use, with what they take."""
        amounts = self._program.amounts
        streams = []
        for at, entry in enumerate(self._entries):
            is_solved = entry.columns[0] < len(amounts)
            nodes = float(amounts[entry.columns[0]]) if is_solved else 0.0
            if entry.shelf < 0 or nodes < _LEAST:
                continue
            parts = np.zeros(self._blend.size)
            parts[entry.blends] = amounts[entry.columns[1:]]
            parts = self._blend.apart(parts, self._left)
            rates = self._rates(entry)
            streams.append(
                Stream(entry.shelf, entry.room, entry.price, nodes, parts, rates, self._factors[at])
            )
        return streams

    def _rates(self, entry: _Entry) -> Floats:
        rates = np.zeros(len(self._unit))
        rates[self._used] = np.abs(self._program.duals[entry.rows]) / self._unit[self._used]
        return rates

    def _least_rate(self) -> Floats:
        """What a pod takes where that is least: its worth, were it a blend of its own."""
        least = np.full(self._tables.size, np.inf)
        for entry in self._entries:
            takes = self._tables.need @ self._rates(entry)
            np.minimum(least, takes, out=least, where=entry.holds)
        return np.where(np.isfinite(least), least, 0.0)

    def _enter(self, entry: _Entry, cost: float, most: float) -> None:
        """The first column is the size itself, the others parts of blends."""
        amounts, parts = len(self._used), len(entry.blends)
        rows = self._program.add_rows(np.full(amounts, -INFINITE), np.zeros(amounts))
        held = (self._blend.need[entry.blends] / self._unit)[:, self._used]
        size = -(entry.room / self._unit)[np.newaxis, self._used]
        covered = np.concatenate([np.zeros((1, parts)), np.eye(parts)])
        columns = self._program.add_columns(
            np.concatenate([[cost], np.zeros(parts)]),
            np.concatenate([[most], np.full(parts, INFINITE)]),
            np.concatenate([covered, np.concatenate([size, held])], axis=1),
            np.concatenate([entry.blends, rows]),
        )
        self._entries.append(
            _Entry(entry.shelf, entry.room, entry.price, entry.holds, entry.blends, columns, rows)
        )


_NONE: Final = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
