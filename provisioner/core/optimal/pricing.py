"""Loads that are worth more than they cost, soon found: sizes are filled by chance, and the best refilled."""

from typing import Final

import numpy as np

from provisioner.core.optimal.fill import NOTHING, Offer, offer, spread_out, top_up
from provisioner.core.optimal.patterns import Patterns, joined, rate
from provisioner.core.optimal.problem import CPU, MEMORY
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import Aim, aims_of

_ROWS: Final = 240
"""Nodes filled at once."""
_LEAST: Final = 0.01
"""Weight that an amount has at least in what pods take."""
_NOISE: Final = 0.5
_REFILLS: Final = 4
_TAKEN_OUT: Final = 0.3
"""Chance of a pod to be taken out before a node is refilled."""
_MOST: Final = 60
"""Loads that are told at once."""


def dear_loads(tables: Tables, worth: Floats, random: np.random.Generator) -> list[tuple[Ints, float, int]]:
    """Loads with price and shelf, those with the most worth for each dollar first."""
    found = joined(
        [_filled(tables, aim, worth, random) for aim in aims_of(tables, tables.count)], tables.size
    )
    best = np.argsort(-found.ratio, kind="stable")[:_MOST]
    return [(found.loads[row], float(found.price[row]), int(found.shelf[row])) for row in best]


def _filled(tables: Tables, aim: Aim, worth: Floats, random: np.random.Generator) -> Patterns:
    what = offer(tables, tables.count, np.flatnonzero(tables.open[aim.shelf] & (worth > 0)))
    rooms = np.repeat(aim.rooms, max(1, _ROWS // len(aim.rooms)), axis=0)
    loads = np.zeros((len(rooms), len(what.need)), dtype=np.int64)
    top_up(what, rooms, loads, _keys(what, rooms, worth, random))
    found = [loads]
    for _ in range(_REFILLS):
        gain = loads @ worth[what.groups] / tables.shelves[aim.shelf].cheapest(loads @ what.need)
        at = np.argsort(-np.nan_to_num(gain), kind="stable")[: max(1, len(loads) // 2)]
        loads, rooms = np.tile(loads[at], (2, 1)), np.tile(rooms[at], (2, 1))
        loads = random.binomial(loads, 1 - _TAKEN_OUT)
        top_up(what, rooms, loads, _keys(what, rooms, worth, random))
        found.append(loads)
    return rate(tables, aim.shelf, spread_out(what, np.concatenate(found), tables.size), worth)


def _keys(what: Offer, rooms: Floats, worth: Floats, random: np.random.Generator) -> Floats:
    """By node and group: worth for what a pod takes, amounts weighed by chance."""
    weight = random.random((len(rooms), 2)) ** 2 + _LEAST
    takes = (weight / np.maximum(rooms[:, [CPU, MEMORY]], 1.0)) @ what.need[:, [CPU, MEMORY]].T
    keys: Floats = worth[what.groups] / np.maximum(takes, NOTHING)
    spread = _NOISE * random.random((len(rooms), 1))
    return keys * np.exp(spread * random.standard_normal(keys.shape))
