"""The best answer so far, in as few sizes as are allowed."""

from dataclasses import dataclass, replace

import numpy as np

from provisioner.core.optimal.bins import pods_in, priced
from provisioner.core.optimal.greedy import greedy
from provisioner.core.optimal.pools import limited, within
from provisioner.core.optimal.problem import Problem
from provisioner.core.optimal.shelf import Ints
from provisioner.core.optimal.sketch import Sketch
from provisioner.core.optimal.tables import Tables, buyable


@dataclass(frozen=True, slots=True)
class Option:
    """An answer, and the tables it was made by: with fewer sizes where their number is limited."""

    sketch: Sketch
    tables: Tables
    out: Ints
    """Pods by group that are in no room and on no node."""

    @property
    def order(self) -> tuple[int, float]:
        """Fewest pods left out, then cheapest."""
        return int(self.out.sum()), self.sketch.price


class Best:
    """Keeps the best of the answers that it is shown."""

    def __init__(self, problem: Problem, tables: Tables) -> None:
        self._problem, self._tables = problem, tables
        self.option = _option(Sketch(((),) * len(tables.rooms), ()), tables)

    @property
    def sketch(self) -> Sketch:
        """The best answer."""
        return self.option.sketch

    @property
    def tables(self) -> Tables:
        """Those that it was made by."""
        return self.option.tables

    @property
    def out(self) -> Ints:
        """Pods by group that it leaves out."""
        return self.option.out

    def consider(self, sketch: Sketch, tables: Tables | None = None) -> None:
        """Keep it if it is no dearer; `tables` are those it was made by, all sizes if not given."""
        option = self._allowed(sketch, tables)
        if option.order <= self.option.order:
            self.option = option

    def _allowed(self, sketch: Sketch, tables: Tables | None) -> Option:
        """The sketch in as few sizes as are allowed."""
        if within(self._problem, sketch.bins):
            # Sizes of limited tables are those allowed; any others are few enough as well.
            return _option(sketch, self._tables if tables is None else tables)
        few = limited(self._problem, self._tables, sketch.bins)
        bins = priced(few, [each.load for each in sketch.bins])
        homeless = pods_in((each.load for each in bins if each.size is None), few.size)
        again = greedy(few, np.where(buyable(few), homeless, 0))
        kept = [each for each in bins if each.size is not None]
        return _option(replace(sketch, bins=(*kept, *again)), few)


def _option(sketch: Sketch, tables: Tables) -> Option:
    loads = [*sketch.rooms, *(each.load for each in sketch.bins)]
    return Option(sketch, tables, tables.count - pods_in(loads, tables.size))
