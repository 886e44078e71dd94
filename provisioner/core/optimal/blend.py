"""Many groups as few: pods alike in size and in where they may run, taken together by their mean.

For answers in fractions only, so that these stay quick whatever the number of distinct pods.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables

_FINEST: Final = 0.02
"""Width of a blend, as the logarithm of an amount, that is tried first; doubled while blends are too many."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Which groups are taken together."""

    of: Ints
    """By group: its blend."""
    need: Floats
    open: Bools
    """(shelves, blends)."""

    @property
    def size(self) -> int:
        """Number of blends."""
        return len(self.need)

    def total(self, pods: Ints) -> Floats:
        """Pods by blend, from pods by group."""
        return np.bincount(self.of, weights=pods, minlength=self.size).astype(np.float64)

    def apart(self, amounts: Floats, pods: Ints) -> Floats:
        """Amounts by group from amounts by blend, in the proportion of the pods."""
        total = np.maximum(self.total(pods), 1.0)
        shares: Floats = (amounts / total)[self.of] * pods
        return shares


def blend(tables: Tables, most: int) -> Blend:
    """About so many blends at most of a problem's groups; so few groups are not blended at all."""
    if tables.size <= most:
        return Blend(np.arange(tables.size), tables.need, tables.open)
    where = _where(tables)
    width, of = _FINEST, np.arange(tables.size)
    while of.max() >= most and width < 1:
        amounts = np.floor(np.log(np.maximum(tables.need, 1.0)) / width)
        of = np.unique(np.column_stack([where, amounts]), axis=0, return_inverse=True)[1].ravel()
        width *= 2
    weight = np.bincount(of, weights=tables.count)
    need = np.column_stack([np.bincount(of, weights=tables.count * column) for column in tables.need.T])
    first = np.unique(of, return_index=True)[1]
    return Blend(of, need / weight[:, np.newaxis], tables.open[:, first])


def _where(tables: Tables) -> Ints:
    """By group: a number for the set of shelves and rooms that are open to it."""
    sets = [tables.open, *(allowed[np.newaxis, :] for _, allowed in tables.rooms)]
    where: Ints = np.unique(np.concatenate(sets).T, axis=0, return_inverse=True)[1].ravel()
    return where
