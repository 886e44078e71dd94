"""A price below which no set of nodes can be, from what pods are worth.

If no node of any size can hold pods worth more than rho times its price, then all pods together
cannot be bought for less than their worth / rho. How much worth a size holds at most is relaxed
validly: with a price lambda >= 0 on each amount,

    worth <= lambda . usable + sum over groups of most_g * max(0, worth_g - lambda . need_g)

for every lambda, where most_g whole pods of a group fit the size at most. Each lambda found for one
size is tried on all others; the best counts. Free rooms take their worth off the total.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.knapsack import most_worth
from provisioner.core.optimal.problem import MEMORY
from provisioner.core.optimal.program import INFINITE, Program
from provisioner.core.optimal.shelf import Family, Floats, Ints
from provisioner.core.optimal.tables import Tables

_SAFETY: Final = 1e-9
"""Share taken off a bound for rounding in floating-point sums."""
_CLOSE: Final = 1e-5
"""A ratio nearer than this to its limit is not followed further."""
_MANY_GROUPS: Final = 1000
"""From here on whole pods are not limited by the GiB: a looser limit, much sooner there."""
_TRIED: Final = 6
"""Latest prices of amounts that are tried again."""
_ROOMS: Final = 8
"""Rooms for which prices of amounts are sought; the others take what was found."""


@dataclass(frozen=True, slots=True)
class Overrun:
    """A size that holds more worth than it costs."""

    shelf: int
    room: Floats
    price: float
    load: Ints | None = None
    """Whole pods by group that are worth so much; None where pods were cut."""


class Judge:
    """Bounds what nodes and rooms can hold, by shelf and by kind of room."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._shelves = [_Shelf(tables, index) for index in range(len(tables.shelves))]
        together: dict[bytes, list[int]] = defaultdict(list)
        for index, (_, allowed) in enumerate(tables.rooms):
            together[allowed.tobytes()].append(index)
        self._rooms = [_Rooms(tables, places) for _, places in sorted(together.items()) if len(tables.need)]

    def below(self, worth: Floats, most_solves: int, *, whole: bool = False) -> tuple[float, list[Overrun]]:
        """A bound from what pods are worth, and the sizes that keep it from being higher.

        `whole`: fixed sizes hold whole pods only, which takes longer and gives a higher bound.
        """
        ratio, overruns = 0.0, []
        for shelf in self._shelves:
            top, found = shelf.ratio(worth, most_solves, max(ratio, 1.0), whole=whole)
            ratio = max(ratio, top)
            overruns += found
        if ratio <= 0:
            return 0.0, []
        sound = worth / (ratio * (1 + _SAFETY))
        total = float(self._tables.count @ sound) - sum(rooms.worth(sound) for rooms in self._rooms)
        return max(0.0, total * (1 - _SAFETY)), overruns


class _Sack:
    """Finds the prices of amounts at which one room of given groups is filled best, cutting pods."""

    def __init__(self, need: Floats) -> None:
        self.need = need
        self._unit = np.maximum(need.max(axis=0, initial=0), 1.0)
        self._program = Program()
        self._rows = self._program.add_rows(np.full(need.shape[1], -INFINITE), np.zeros(need.shape[1]))
        self._program.add_columns(np.zeros(len(need)), np.zeros(len(need)), need / self._unit, self._rows)

    def rates(self, worth: Floats, room: Floats, caps: Floats) -> tuple[Floats, float]:
        """Prices of amounts, and the worth that the room then holds, in pieces."""
        self._program.cost(-worth)
        self._program.bound_columns(caps)
        self._program.bound_rows(self._rows, np.full(len(room), -INFINITE), room / self._unit)
        if not self._program.solve():  # cannot be: nothing at all is an answer
            return np.zeros(len(room)), 0.0
        return np.maximum(-self._program.duals, 0) / self._unit, -self._program.value

    def whole(self, worth: Floats, room: Floats, caps: Floats) -> tuple[float, Ints]:
        """A limit of the worth of whole pods that the room holds, and the best found."""
        program = Program()
        row = program.add_rows(np.full(len(room), -INFINITE), room / self._unit)
        program.add_columns(-worth, caps, self.need / self._unit, row)
        found, bound = program.solve_whole(200)
        if not found:
            return np.inf, np.zeros(len(worth), dtype=np.int64)
        return -bound, np.round(program.amounts).astype(np.int64)


class _Shelf:
    """Bounds the worth that sizes of one shelf hold for their price."""

    def __init__(self, tables: Tables, index: int) -> None:
        self.index = index
        self.groups = np.flatnonzero(tables.open[index])
        self._sack = _Sack(tables.need[self.groups])
        shelf, self._most = tables.shelves[index], tables.most[self.groups]
        self._usable, self._price = shelf.usable, shelf.price
        self._caps = whole_pods(shelf.usable, self._sack.need, self._most)
        self._grids = [_Grid(family, self._sack.need, self._most) for family in shelf.families]
        self._pool: list[Floats] = []

    def ratio(
        self, worth: Floats, most_solves: int, enough: float, *, whole: bool
    ) -> tuple[float, list[Overrun]]:
        """The most worth for each dollar that a size holds, not below the truth, and what shows it.

        Sizes are looked at from the worst on until the worst is exact, is `enough`, or `most_solves`
        programs were solved.
        """
        mine = worth[self.groups]
        scale = float(mine.max(initial=0.0))
        if scale <= 0:
            return 0.0, []
        limits = [np.full(self._price.shape, np.inf), *(grid.unknown() for grid in self._grids)]
        for rates in self._pool[-_TRIED:]:
            self._tighten(limits, mine, rates * scale)
        overruns: list[Overrun] = []
        exact = 0.0
        for _ in range(most_solves):
            grid, at = self._worst(limits)
            if limits[grid].flat[at] <= max(exact, enough) + _CLOSE:
                break
            room, caps, price = self._size(grid, at)
            rates, held = self._sack.rates(mine / scale, room, caps)
            self._pool.append(rates)
            self._tighten(limits, mine, rates * scale)
            load = None
            if whole and grid == 0:
                most, found = most_worth(mine / scale, self._sack.need, room, caps, rates)
                fits = bool((found @ self._sack.need <= room).all())
                if not fits and most * scale / price > max(exact, enough):
                    most, found = self._sack.whole(mine / scale, room, caps)
                    fits = True
                held = min(held, most)
                if fits:
                    load = np.zeros(len(worth), dtype=np.int64)
                    load[self.groups] = found
            ratio = held * scale * (1 + _SAFETY) / price
            limits[grid].flat[at] = min(ratio, limits[grid].flat[at])
            exact = max(exact, ratio)
            if ratio > 1 + _CLOSE:
                overruns.append(Overrun(self.index, room, price, load))
        grid, at = self._worst(limits)
        return float(limits[grid].flat[at]), overruns

    def _tighten(self, limits: list[Floats], worth: Floats, rates: Floats) -> None:
        """Take the limits of worth for each dollar that these prices of amounts give."""
        surplus = np.maximum(worth - self._sack.need @ rates, 0)
        np.minimum(limits[0], (self._usable @ rates + self._caps @ surplus) / self._price, out=limits[0])
        for grid, known in zip(self._grids, limits[1:], strict=True):
            np.minimum(known, grid.limits(rates, surplus), out=known)

    def _worst(self, limits: list[Floats]) -> tuple[int, int]:
        """Where the largest limit is: among the fixed sizes (0) or in which grid, and its place there."""
        places = [int(limit.argmax()) if limit.size else -1 for limit in limits]
        tops = [limit.flat[at] if at >= 0 else -np.inf for limit, at in zip(limits, places, strict=True)]
        grid = int(np.argmax(tops))
        return grid, places[grid]

    def _size(self, grid: int, at: int) -> tuple[Floats, Floats, float]:
        """Room, whole pods at most, and price of one size."""
        if grid == 0:
            return self._usable[at], self._caps[at], float(self._price[at])
        room, price = self._grids[grid - 1].size(at)
        return room, whole_pods(room[np.newaxis, :], self._sack.need, self._most)[0], price


class _Grid:
    """All sizes of a family: prices by place on the OCPU axis and GiB, infinite where not sold."""

    def __init__(self, family: Family, need: Floats, most: Ints) -> None:
        self._family = family
        gib = np.arange(len(family.memory))
        sold = (gib >= family.gib_least[:, np.newaxis]) & (gib <= family.gib_most[:, np.newaxis])
        price = family.per_ocpu * family.ocpus[:, np.newaxis] + family.per_gib * gib
        self.price: Floats = np.where(sold, price, np.inf)
        by_ocpu = family.steps.copy()
        by_ocpu[:, MEMORY] = family.memory_peak[-1]
        self._ocpu_caps = whole_pods(by_ocpu, need, most)
        self._gib_caps = None
        if len(need) <= _MANY_GROUPS:
            fit = np.floor(family.memory[:, np.newaxis] / np.maximum(need[:, MEMORY], 1.0))
            self._gib_caps = np.minimum(fit, self._ocpu_caps[-1])

    def unknown(self) -> Floats:
        """Limits of which nothing is known yet; sizes that are not sold hold nothing."""
        return np.where(np.isfinite(self.price), np.inf, -np.inf)

    def limits(self, rates: Floats, surplus: Floats) -> Floats:
        """Worth for each dollar of every size at these prices of amounts.

        Whole pods of a group are limited by the OCPUs and by the GiB; the sum over groups of the
        smaller is at most the smaller of the sums.
        """
        by_ocpu, by_gib = self._family.steps @ rates, self._family.memory * rates[MEMORY]
        extra = (self._ocpu_caps @ surplus)[:, np.newaxis]
        if self._gib_caps is not None:
            extra = np.minimum(extra, self._gib_caps @ surplus)
        limits: Floats = (by_ocpu[:, np.newaxis] + by_gib + extra) / self.price
        return limits

    def size(self, at: int) -> tuple[Floats, float]:
        """Room and price of one size, by its place in the flattened grid."""
        place, gib = np.unravel_index(at, self.price.shape)
        return self._family.usable(np.array([place]), np.array([gib]))[0], float(self.price[place, gib])


class _Rooms:
    """Bounds the worth that free rooms hold to which the same groups may go."""

    def __init__(self, tables: Tables, places: list[int]) -> None:
        self._groups = np.flatnonzero(tables.rooms[places[0]][1])
        self._amounts = np.array([tables.rooms[place][0] for place in places])
        self._sack = _Sack(tables.need[self._groups])
        self._caps = whole_pods(self._amounts, self._sack.need, tables.most[self._groups])

    def worth(self, worth: Floats) -> float:
        """The most worth that all of them hold, not below the truth."""
        mine = worth[self._groups]
        scale = float(mine.max(initial=0.0))
        if scale <= 0:
            return 0.0
        limits: Floats = self._caps @ mine
        for _ in range(min(_ROOMS, 2 * len(limits))):
            at = int(limits.argmax())
            rates = self._sack.rates(mine / scale, self._amounts[at], self._caps[at])[0] * scale
            surplus = np.maximum(mine - self._sack.need @ rates, 0)
            np.minimum(limits, self._amounts @ rates + self._caps @ surplus, out=limits)
        return float(limits.sum())


def whole_pods(rooms: Floats, need: Floats, most: Ints) -> Floats:
    """(rooms, groups): whole pods of a group that a room can hold at most."""
    caps = np.broadcast_to(most.astype(np.float64), (len(rooms), len(most))).copy()
    for resource in range(need.shape[1]):
        asks = need[:, resource] > 0
        fit = np.floor(rooms[:, resource, np.newaxis] / need[asks, resource])
        caps[:, asks] = np.minimum(caps[:, asks], fit)
    return caps
