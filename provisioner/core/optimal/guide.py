"""Fluid answers that whole nodes are drawn from."""

from typing import Final

from provisioner.core.optimal.fluid import Fluid
from provisioner.core.optimal.relax import FEW, Relaxation
from provisioner.core.optimal.shelf import Bools
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import promising, roomier

_TIGHT: Final = 0.03
"""How much roomier sizes are preferred in building."""
_LARGE: Final = 0.03
_ROOMIER: Final = 3
"""How little large sizes are preferred for the last nodes, and how many smaller ones there are; for many groups."""


class Guides:
    """Makes them; the one over all sizes is always the same, so that what was learned of sizes stays."""

    def __init__(self, tables: Tables, may_buy: Bools, *, is_of_few: bool) -> None:
        self._tables, self._may_buy, self._is_of_few = tables, may_buy, is_of_few
        self._guide = self._fluid(tables)

    def along(self, relaxed: Relaxation) -> Fluid:
        """Over sizes in use in the relaxation, larger ones as good, and large ones."""
        guide = self._guide
        for stream in relaxed.streams():
            guide.add(stream.shelf, stream.room, stream.price)
            used = stream.parts @ self._tables.need / stream.nodes
            sold = self._tables.shelves[stream.shelf]
            for room, price in roomier(sold, used, stream.price, 1 if self._is_of_few else _ROOMIER):
                guide.add(stream.shelf, room, price)
        for shelf, room, price in promising(self._tables, self._may_buy):
            guide.add(shelf, room, price)
        return guide

    def of(self, tables: Tables) -> Fluid:
        """Over all sizes of limited tables."""
        guide = self._fluid(tables)
        for index, shelf in enumerate(tables.shelves):
            for room, price in zip(shelf.usable, shelf.price, strict=True):
                guide.add(index, room, float(price))
        return guide

    def _fluid(self, tables: Tables) -> Fluid:
        return Fluid(tables, FEW, _TIGHT, 0.0 if self._is_of_few else _LARGE)
