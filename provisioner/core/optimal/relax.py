"""What pods are worth and what the whole must cost: the fluid answer and the bound, brought closer round by round."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from provisioner.core.optimal.bound import Judge, Overrun
from provisioner.core.optimal.fluid import Fluid, Stream
from provisioner.core.optimal.pricing import dear_loads
from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import promising
from provisioner.core.optimal.whole import Whole

FEW: Final = 80
"""Blends where an answer that is soon there matters more than one that is exact."""
_MANY: Final = 400
_SOLVES: Final = 30
"""Programs in one round of the bound, for each shelf."""
_FEW_SOLVES: Final = 8
"""The same while worths are rough."""
_NEAR: Final = 0.006
"""Part of the price by which rough worths may be away from the bound they give."""

_MISSES: Final = 3
"""Rounds of too little gain after which the search for loads ends."""
_SOON: Final = 40
_SMOOTH: Final = 0.5
_PROGRESS: Final = 0.1
"""Part of the distance to be reached by which a bound must rise to count as progress."""


class Relaxation:
    """The best worths and bound so far."""

    def __init__(self, tables: Tables, buyable: Bools) -> None:
        self._tables, self._buyable = tables, buyable
        self._judge = Judge(tables)
        self._rough = self._fluid(FEW)
        self.worth: Floats = np.zeros(tables.size)
        self.bound = 0.0
        self._more = self._sharpen(self._rough, _FEW_SOLVES)

    def roughly(self) -> Iterator[bool]:
        """Rounds until the sizes in use are about right."""
        while self._more and self._rough.value - self.bound > _NEAR * self._rough.value:
            self._more = self._sharpen(self._rough, _FEW_SOLVES)
            yield True

    def finely(self) -> Iterator[bool]:
        """Rounds until the bound is as high as it gets."""
        fluid = self._rough
        if self._tables.size > FEW:
            fluid = self._fluid(_MANY)
            for stream in self._rough.streams():
                fluid.add(stream.shelf, stream.room, stream.price)
        while self._sharpen(fluid, _SOLVES):
            yield True

    def soon(self, bought: Whole, gain: float, random: np.random.Generator) -> Iterator[bool]:
        """Rounds in which loads join `bought` that are worth more than they cost, as far as they are soon found.

        It ends when some rounds in a row bring no new ones, or when the price no longer falls by that share.
        """
        idle, before = 0, np.inf
        for _ in range(_SOON):
            if idle >= _MISSES or not bought.solve() or bought.value - self.bound < _NEAR * self.bound:
                break
            has_new = bought.join(dear_loads(self._tables, bought.worth, random))
            idle = 0 if has_new and bought.value <= before * (1 - gain) else idle + 1
            before = bought.value
            yield True

    def wholly(self, bought: Whole, near: float, patience: int) -> Iterator[bool]:
        """Rounds of a bound from whole pods, until it is so near; `bought` gains the loads found by then.

        A linear program over loads gives worths; the best loads of each size by these worths join it.
        The best worths so far are mixed in, for worths jump about otherwise.
        """
        best, idle = self.worth, 0
        while idle < patience and bought.solve() and bought.value - self.bound > near * bought.value:
            idle += 1
            for worth in (_SMOOTH * best + (1 - _SMOOTH) * bought.worth, bought.worth):
                bound, overruns = yield from self._judge.steps(worth, _SOLVES, whole=True)
                if bound > self.bound:
                    idle = 0 if bound > self.bound * (1 + _PROGRESS * near) else idle
                    self.bound, best = bound, worth
                if bought.join(_loads_of(overruns)):
                    break
            else:
                break
            yield True

    def streams(self) -> list[Stream]:
        """Sizes in use in the rough answer."""
        return self._rough.streams()

    def _fluid(self, blends: int) -> Fluid:
        """Free rooms, and for a start a few promising sizes."""
        fluid = Fluid(self._tables, blends)
        for allowed in {mask.tobytes(): mask for _, mask in self._tables.rooms}.values():
            total = sum((room for room, mask in self._tables.rooms if (mask == allowed).all()), np.zeros(1))
            fluid.add_rooms(total, allowed)
        for shelf, room, price in promising(self._tables, self._buyable):
            fluid.add(shelf, room, price)
        fluid.demand(np.where(self._buyable, self._tables.count, 0))
        return fluid

    def _sharpen(self, fluid: Fluid, solves: int) -> bool:
        """One round; says whether there are more sizes to take part."""
        if not fluid.solve():
            return False
        bound, overruns = self._judge.below(fluid.worth, solves)
        if bound > self.bound or not self.worth.any():
            self.bound, self.worth = max(bound, self.bound), fluid.worth
        found = [fluid.add(each.shelf, each.room, each.price) for each in overruns]
        return any(found)


def _loads_of(overruns: list[Overrun]) -> list[tuple[Ints, float, int]]:
    """Loads of whole pods that were found, with price and shelf."""
    return [(load, each.price, each.shelf) for each in overruns for load in each.loads]
