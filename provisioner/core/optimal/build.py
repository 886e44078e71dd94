"""Whole nodes, one batch after another, each drawn from the fluid answer for the pods still left."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Load, load_of
from provisioner.core.optimal.fluid import Fluid
from provisioner.core.optimal.patterns import Patterns, draw, joined, propose
from provisioner.core.optimal.shelf import Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import aims_of

_FEW: Final = 6.0
"""From so many nodes down, sizes other than the fluid answer's are tried as well."""
_NEAR: Final = 0.02
"""Loads of a batch are worth at most this much less, for each dollar, than its best."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How finely nodes are built: more takes longer and is better as a rule."""

    share: float
    """Part of the money still to be spent that one batch spends."""
    rows: int
    """Nodes drawn for each size in use."""


def build(
    tables: Tables, guide: Fluid, pods: Ints, manner: Manner, random: np.random.Generator
) -> list[Load]:
    """Loads for all pods."""
    left = pods.copy()
    loads: list[Load] = []
    while left.any():
        guide.demand(left)
        if not guide.solve():
            return []
        streams = guide.streams()
        found = draw(tables, streams, guide.worth, left, manner.rows, random)
        if sum(stream.nodes for stream in streams) < _FEW or not len(found.price):
            proposed = propose(tables, aims_of(tables, left), guide.worth, left, random)
            found = joined([found, proposed], tables.size)
        loads += _taken(found, left, manner.share * guide.value)
    return loads


def _taken(found: Patterns, left: Ints, spend: float) -> list[Load]:
    """The best loads that the pods left still allow, until so much is spent; takes them off `left`."""
    loads: list[Load] = []
    spent = 0.0
    for row in np.argsort(-found.ratio, kind="stable"):
        if loads and (spent >= spend or found.ratio[row] < found.ratio.max() - _NEAR):
            break
        load = found.loads[row]
        on = np.flatnonzero(load)
        times = int((left[on] // load[on]).min())
        times = min(times, max(1, int((spend - spent) / found.price[row])))
        if times < 1:
            continue
        left -= times * load
        loads += [load_of(load)] * times
        spent += times * float(found.price[row])
    return loads
