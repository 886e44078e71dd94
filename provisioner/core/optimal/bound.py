"""A price below which no set of nodes can be, from what pods are worth.

If no node of any size can hold pods worth more than rho times its price, then all pods together
cannot be bought for less than their worth / rho. How much worth a size holds at most is relaxed
validly: with a price lambda >= 0 on each amount,

    worth <= lambda . usable + sum over groups of most_g * max(0, worth_g - lambda . need_g)

for every lambda, where most_g whole pods of a group fit the size at most. Each lambda found for one
size is tried on all others; the best counts. Free rooms take their worth off the total.
"""

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.knapsack import Sack, most_worth
from provisioner.core.optimal.problem import MEMORY
from provisioner.core.optimal.program import INFINITE, Program
from provisioner.core.optimal.shelf import Family, Floats, Ints
from provisioner.core.optimal.tables import Tables

_SAFETY: Final = 1e-9
"""Share taken off a bound for rounding in floating-point sums."""
_CLOSE: Final = 1e-5
"""A ratio nearer than this to its limit is not followed further."""
_MANY_GROUPS: Final = 400
"""Of more groups whole pods are not limited by the GiB: a looser limit, much sooner there."""
_FAR: Final = 0.97
"""Part of what is enough below which a size is not looked at again."""
_MANY_LEFT: Final = 0.8
"""Part of the sizes from which on leaving out the others is not worth it."""
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
    loads: tuple[Ints, ...] = ()
    """Whole pods by group that are about worth so much; none where pods were cut, or may not share a node."""


class Judge:
    """Bounds what nodes and rooms can hold, by shelf and by kind of room."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._shelves = [_Shelf(tables, index) for index in range(len(tables.shelves))]
        together: dict[bytes, list[int]] = defaultdict(list)
        for index, (_, allowed) in enumerate(tables.rooms):
            together[allowed.tobytes()].append(index)
        self._rooms = [_Rooms(tables, places) for _, places in sorted(together.items()) if len(tables.need)]

    def below(self, worth: Floats, most_solves: int) -> tuple[float, list[Overrun]]:
        """A bound from what pods are worth, and the sizes that keep it from being higher."""
        steps = self.steps(worth, most_solves, whole=False)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: tuple[float, list[Overrun]] = end.value
                return found

    def steps(
        self, worth: Floats, most_solves: int, *, whole: bool
    ) -> Generator[bool, None, tuple[float, list[Overrun]]]:
        """The same, with a stop after each program.

        `whole`: sizes hold whole pods only, which takes longer and gives a higher bound.
        """
        ratio, overruns = 0.0, []
        for shelf in self._shelves:
            top, found = yield from shelf.ratio(worth, most_solves, max(ratio, 1.0), whole=whole)
            ratio = max(ratio, top)
            overruns += found
        if ratio <= 0:
            return 0.0, []
        sound = worth / (ratio * (1 + _SAFETY))
        total = float(self._tables.count @ sound) - sum(rooms.worth(sound) for rooms in self._rooms)
        return max(0.0, total * (1 - _SAFETY)), overruns


class _Filler:
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


class _Shelf:
    """Bounds the worth that sizes of one shelf hold for their price."""

    def __init__(self, tables: Tables, index: int) -> None:
        self.index, self._tables = index, tables
        self.groups = np.flatnonzero(tables.open[index])
        self._filler = _Filler(tables.need[self.groups])
        shelf, self._most = tables.shelves[index], tables.most[self.groups]
        self._fixed = _Fixed(shelf.usable, shelf.price, self._filler.need, self._most)
        grids = [_Grid(family, self._filler.need, self._most) for family in shelf.families]
        self._parts: list[_Fixed | _Grid] = [self._fixed, *grids]
        self._pool: list[Floats] = []

    def ratio(
        self, worth: Floats, most_solves: int, enough: float, *, whole: bool
    ) -> Generator[bool, None, tuple[float, list[Overrun]]]:
        """The most worth for each dollar that a size holds, not below the truth, and what shows it.

        Sizes are looked at from the worst on until the worst is exact, is `enough`, or `most_solves`
        programs were solved.
        """
        mine = worth[self.groups]
        scale = float(mine.max(initial=0.0))
        if scale <= 0:
            return 0.0, []
        limits = _Limits(self._parts, enough)
        for rates in self._pool[-_TRIED:]:
            self._tighten(limits, mine, rates * scale)
        overruns: list[Overrun] = []
        for _ in range(most_solves):
            top, part, at = limits.worst()
            if top <= limits.enough + _CLOSE:
                break
            room, price = self._parts[part].size(at)
            caps = whole_pods(room[np.newaxis, :], self._filler.need, self._most)[0]
            rates, held = self._filler.rates(mine / scale, room, caps)
            self._pool.append(rates)
            self._tighten(limits, mine, rates * scale)
            loads: tuple[Ints, ...] = ()
            if whole:
                held, loads = self._whole(
                    mine / scale, (room, caps, rates), held, limits.enough * price / scale
                )
            ratio = held * scale * (1 + _SAFETY) / price
            limits.is_exactly(part, at, ratio)
            if ratio > 1 + _CLOSE:
                overruns.append(Overrun(self.index, room, price, loads))
            yield True
        return limits.worst()[0], overruns

    def _whole(
        self, worth: Floats, filled: tuple[Floats, Floats, Floats], held: float, enough: float
    ) -> tuple[float, tuple[Ints, ...]]:
        """A limit of the worth of whole pods that a room holds, and good loads, over all groups.

        Neither knows which groups may not share a node; loads that mix them are left out.
        """
        room, caps, rates = filled
        most, found = most_worth(Sack(room, self._filler.need, worth, caps, rates), enough)
        loads = []
        for each in found:
            load = np.zeros(self._tables.size, dtype=np.int64)
            load[self.groups] = each
            if self._tables.may_share(load):
                loads.append(load)
        return min(held, most), tuple(loads)

    def _tighten(self, limits: "_Limits", worth: Floats, rates: Floats) -> None:
        """Take the limits of worth for each dollar that these prices of amounts give."""
        surplus = np.maximum(worth - self._filler.need @ rates, 0)
        limits.lower(rates, surplus)


class _Limits:
    """What is known of the worth for each dollar that sizes hold; those that no longer matter are dropped."""

    def __init__(self, parts: Sequence["_Fixed | _Grid"], enough: float) -> None:
        self._parts = parts
        self.enough = enough
        self._at = [np.arange(len(part.price)) for part in parts]
        self._value = [np.full(len(part.price), np.inf) for part in parts]
        self._dropped = 0.0

    def lower(self, rates: Floats, surplus: Floats) -> None:
        """Take the limits from prices of amounts where they are lower."""
        on = np.flatnonzero(surplus)
        for place, part in enumerate(self._parts):
            at = self._at[place]
            if not len(at):
                continue
            value = np.minimum(self._value[place], part.limits(rates, surplus, on, at))
            keep = value > _FAR * self.enough
            if keep.mean() < _MANY_LEFT:
                self._dropped = max(self._dropped, float(value[~keep].max(initial=0.0)))
                self._at[place], value = at[keep], value[keep]
            self._value[place] = value

    def worst(self) -> tuple[float, int, int]:
        """The largest limit, the part it is in, and the size's place there; no part: of those dropped."""
        top, where = self._dropped, (-1, -1)
        for part, value in enumerate(self._value):
            if len(value) and value.max() > top:
                row = int(value.argmax())
                top, where = float(value[row]), (part, int(self._at[part][row]))
        return top, *where

    def is_exactly(self, part: int, at: int, ratio: float) -> None:
        """A size holds no more than that for each dollar."""
        self._value[part][self._at[part] == at] = ratio
        self.enough = max(self.enough, ratio)


class _Fixed:
    """Fixed sizes."""

    def __init__(self, usable: Floats, price: Floats, need: Floats, most: Ints) -> None:
        self.price = price
        self._usable = usable
        self._caps = whole_pods(usable, need, most)

    def limits(self, rates: Floats, surplus: Floats, on: Ints, at: Ints) -> Floats:
        """Worth for each dollar of sizes at these prices of amounts; `on`: groups with a surplus."""
        extra = self._caps[at][:, on] @ surplus[on]
        limits: Floats = (self._usable[at] @ rates + extra) / self.price[at]
        return limits

    def size(self, at: int) -> tuple[Floats, float]:
        """Room and price of one size."""
        return self._usable[at], float(self.price[at])


class _Grid:
    """All sizes of a family, with their places on the OCPU axis and their GiB."""

    def __init__(self, family: Family, need: Floats, most: Ints) -> None:
        self._family, self._need = family, need
        gib = np.arange(len(family.memory))
        sold = (gib >= family.gib_least[:, np.newaxis]) & (gib <= family.gib_most[:, np.newaxis])
        self._place, self._gib = np.nonzero(sold)
        self.price: Floats = family.price_of(self._place, self._gib)
        by_ocpu = family.steps.copy()
        by_ocpu[:, MEMORY] = family.memory_peak[-1]
        self._caps = whole_pods(by_ocpu, need, most)
        self._fit: Floats | None = None

    def limits(self, rates: Floats, surplus: Floats, on: Ints, at: Ints) -> Floats:
        """As for fixed sizes.

        Whole pods of a group are limited by the OCPUs and by the GiB; the sum over groups of the
        smaller is at most the smaller of the sums.
        """
        place, gib = self._place[at], self._gib[at]
        extra = (self._caps[:, on] @ surplus[on])[place]
        if len(self._need) <= _MANY_GROUPS:
            extra = np.minimum(extra, (surplus[on] @ self._by_gib()[on])[gib])
        amounts = (self._family.steps @ rates)[place] + (self._family.memory * rates[MEMORY])[gib]
        limits: Floats = (amounts + extra) / self.price[at]
        return limits

    def _by_gib(self) -> Floats:
        """(groups, GiB): whole pods that the memory holds."""
        if self._fit is None:
            fit = np.floor(self._family.memory / np.maximum(self._need[:, [MEMORY]], 1.0))
            self._fit = np.minimum(fit, self._caps[-1][:, np.newaxis])
        return self._fit

    def size(self, at: int) -> tuple[Floats, float]:
        """Room and price of one size."""
        place, gib = self._place[[at]], self._gib[[at]]
        return self._family.usable(place, gib)[0], float(self.price[at])


class _Rooms:
    """Bounds the worth that free rooms hold to which the same groups may go."""

    def __init__(self, tables: Tables, places: list[int]) -> None:
        self._groups = np.flatnonzero(tables.rooms[places[0]][1])
        self._amounts = np.array([tables.rooms[place][0] for place in places])
        self._filler = _Filler(tables.need[self._groups])
        self._caps = whole_pods(self._amounts, self._filler.need, tables.most[self._groups])

    def worth(self, worth: Floats) -> float:
        """The most worth that all of them hold, not below the truth."""
        mine = worth[self._groups]
        scale = float(mine.max(initial=0.0))
        if scale <= 0:
            return 0.0
        limits: Floats = self._caps @ mine
        for _ in range(min(_ROOMS, 2 * len(limits))):
            at = int(limits.argmax())
            rates = self._filler.rates(mine / scale, self._amounts[at], self._caps[at])[0] * scale
            surplus = np.maximum(mine - self._filler.need @ rates, 0)
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
