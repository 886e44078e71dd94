"""Patterns: what to put on one node so that it is worth more than it costs.

Two sources. `draw` makes whole nodes of the fluid answer, which says what parts of which groups a
size takes on average: parts are rounded up or down by chance, largest pods first, and gaps filled
with what else is worth its room. `propose` fills any sizes in order of worth for what a pod takes.
Many nodes are made, the best are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from provisioner.core.optimal.fill import Offer, fill, offer, spread_out, top_up
from provisioner.core.optimal.fluid import Stream
from provisioner.core.optimal.problem import CPU, MEMORY
from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import Aim

_TILTS: Final = ((1.0, 1.0), (1.0, 0.15), (0.15, 1.0))
"""Weights of CPU and of everything else when groups are ordered by worth for what they take."""
_MOST_ROWS: Final = 360
_MOST_PLACES: Final = 250
"""Groups that are tried for one node's gaps, or for one whole node."""
_OVERFLOWS: Final = 4
"""Groups that are left out of a node as too much for it, before all the smaller ones are."""
_WORTH_ITS_ROOM: Final = 0.97
"""Pods worth less than this share of what their room costs are only used to fill gaps."""
_BEYOND: Final = 0.05
"""How much less a whole node is worth of whose size none is taken, where that matters."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How finely nodes are built: more takes longer and is better as a rule."""

    share: float
    """Part of the money still to be spent that one batch spends."""
    rows: int
    """Nodes drawn for each size in use."""
    even: float
    """How much a load is preferred, of those worth as much, that uses more of what is not scarce.

    It leaves pods that are easier to place.
    """
    is_wary: bool = False
    """Whether large sizes and those that the fluid answer takes less than once are left for the end.

    It helps where the last nodes are seldom full, and else it costs a little.
    """
    few: float = 6.0
    """From so many nodes down, sizes other than the fluid answer's are tried as well."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Candidate nodes in rows."""

    shelf: Ints
    loads: Ints
    price: Floats
    ratio: Floats
    """Worth for each dollar."""
    source: Ints
    """Which stream a node was drawn for; -1: none."""


def draw(
    tables: Tables,
    streams: Sequence[Stream],
    worth: Floats,
    left: Ints,
    manner: Manner,
    random: np.random.Generator,
) -> Patterns:
    """Nodes for every stream; loads never ask for more pods than are left."""
    what = offer(tables, left, np.flatnonzero(left))
    drawn = [_rounded(tables, what, stream, manner.rows, random) for stream in streams]
    keys = [_gap_keys(tables, what, stream, worth, manner.rows, random) for stream in streams]
    if not drawn or not len(what.need):
        return joined([], tables.size)
    rooms = np.repeat([stream.room for stream in streams], manner.rows, axis=0)
    loads, key = np.concatenate(drawn), np.concatenate(keys)
    if len(what.need) > _MOST_PLACES:
        key[:, random.permutation(len(what.need))[_MOST_PLACES:]] = -np.inf
    top_up(what, rooms, loads, key)
    wide = np.split(spread_out(what, loads, tables.size), len(streams))
    return joined(
        [_judged(tables, at, stream, wide[at], worth, manner) for at, stream in enumerate(streams)],
        tables.size,
    )


def propose(
    tables: Tables, aims: Sequence[Aim], worth: Floats, left: Ints, random: np.random.Generator
) -> Patterns:
    """Every room of the aims filled in several orders."""
    parts = []
    for aim in aims:
        active = np.flatnonzero((left > 0) & tables.open[aim.shelf])
        if not len(active):
            continue
        what = offer(tables, left, active)
        rooms, orders = _orders(what.need, aim, worth[active], random)
        parts.append(rate(tables, aim.shelf, spread_out(what, fill(what, rooms, orders), tables.size), worth))
    return joined(parts, tables.size)


def rate(tables: Tables, shelf: int, loads: Ints, worth: Floats) -> Patterns:
    """Loads with the cheapest price on a shelf; empty ones and what fits nothing there are left out."""
    loads = loads[loads.any(axis=1)]
    price = tables.shelves[shelf].cheapest(loads @ tables.need)
    keep = np.isfinite(price)
    loads, price = loads[keep], price[keep]
    shelves, nothing = np.full(len(price), shelf), np.full(len(price), -1)
    return Patterns(shelves, loads, price, loads @ worth / price, nothing)


def joined(parts: Sequence[Patterns], groups: int) -> Patterns:
    """All rows together."""
    none = np.zeros(0)
    empty = Patterns(
        none.astype(np.int64), np.zeros((0, groups), dtype=np.int64), none, none, none.astype(np.int64)
    )
    every = [empty, *parts]
    return Patterns(
        np.concatenate([part.shelf for part in every]),
        np.concatenate([part.loads for part in every]),
        np.concatenate([part.price for part in every]),
        np.concatenate([part.ratio for part in every]),
        np.concatenate([part.source for part in every]),
    )


def _rounded(tables: Tables, what: Offer, stream: Stream, rows: int, random: np.random.Generator) -> Ints:
    """The stream's parts for one node, rounded by chance; what takes most has its room first."""
    loads = np.zeros((rows, len(what.need)), dtype=np.int64)
    share = stream.parts[what.groups] / max(stream.nodes, 1.0)
    whole = np.minimum(np.floor(share + random.random(loads.shape)).astype(np.int64), what.limit)
    groups = np.flatnonzero(whole.any(axis=0) & _holds(tables, what, stream))
    order = groups[np.argsort(-(what.need[groups] @ stream.rates), kind="stable")]
    if what.apart is not None:
        return fill(what, np.repeat([stream.room], rows, axis=0), order, limit=whole)
    wanted = whole[:, order]
    for _ in range(_OVERFLOWS):
        fits = _fitting(wanted, what.need[order], stream.room)
        over = np.flatnonzero(~fits.all(axis=1))
        if not len(over):
            break
        wanted[over, fits[over].argmin(axis=1)] = 0
    loads[:, order] = np.where(_fitting(wanted, what.need[order], stream.room), wanted, 0)
    return loads


def _fitting(wanted: Ints, need: Floats, room: Floats) -> Bools:
    """Whether each group still fits when all before it are there."""
    fits = np.ones(wanted.shape, dtype=bool)
    for resource in np.flatnonzero(need.any(axis=0)).tolist():
        fits &= np.cumsum(wanted * need[:, resource], axis=1) <= room[resource]
    return fits


def _holds(tables: Tables, what: Offer, stream: Stream) -> Bools:
    """Which groups may go to the stream's size, and fit it."""
    holds: Bools = tables.open[stream.shelf, what.groups] & (what.need <= stream.room).all(axis=1)
    return holds


def _gap_keys(
    tables: Tables, what: Offer, stream: Stream, worth: Floats, rows: int, random: np.random.Generator
) -> Floats:
    """What gaps are filled with: those worth their room first, large ones first, by chance."""
    takes = what.need @ stream.rates
    noise = 1 + 0.3 * random.standard_normal((rows, len(takes)))
    fitting = worth[what.groups] >= _WORTH_ITS_ROOM * takes
    key: Floats = takes * noise + np.where(fitting, 2 * takes.max(initial=0), 0)
    return np.where(_holds(tables, what, stream), key, -np.inf)


def _judged(tables: Tables, at: int, stream: Stream, loads: Ints, worth: Floats, manner: Manner) -> Patterns:
    """Loads drawn for a stream, with what they are worth."""
    found = rate(tables, stream.shelf, loads, worth)
    filled = (found.loads @ tables.need / np.maximum(stream.room, 1.0))[:, [CPU, MEMORY]].sum(axis=1)
    ratio = found.ratio + manner.even * filled
    if manner.is_wary:
        ratio -= _BEYOND * max(0.0, 1 - stream.nodes)
    return replace(found, ratio=ratio, source=np.full(len(found.price), at))


def _orders(need: Floats, aim: Aim, worth: Floats, random: np.random.Generator) -> tuple[Floats, Ints]:
    """Rooms, repeated for each tilt, and the order of groups for each."""
    rooms = aim.rooms
    if len(rooms) * len(_TILTS) > _MOST_ROWS:
        rooms = rooms[np.sort(random.choice(len(rooms), _MOST_ROWS // len(_TILTS), replace=False))]
    keys = []
    for cpu, rest in _TILTS:
        weight = rest / np.maximum(rooms, 1.0)
        weight[:, 0] *= cpu / rest
        weight[:, 2] = 0.0
        noise = 1 + 0.02 * random.standard_normal((len(rooms), len(need)))
        keys.append(worth / (weight @ need.T) * noise)
    order = np.argsort(-np.concatenate(keys), axis=1, kind="stable")[:, :_MOST_PLACES]
    return np.tile(rooms, (len(_TILTS), 1)), order
