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

from provisioner.core.optimal.fill import Offer, fill, offer, spread_out
from provisioner.core.optimal.fluid import Stream
from provisioner.core.optimal.problem import CPU, MEMORY
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import Aim

_TILTS: Final = ((1.0, 1.0), (1.0, 0.15), (0.15, 1.0))
"""Weights of CPU and of everything else when groups are ordered by worth for what they take."""
_MOST_ROWS: Final = 360
_MOST_PLACES: Final = 250
"""Groups that are tried for one node's gaps, or for one whole node."""
_WORTH_ITS_ROOM: Final = 0.97
"""Pods worth less than this share of what their room costs are only used to fill gaps."""


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
    drawn = [_drawn(tables, stream, worth, left, manner, random) for stream in streams]
    marked = [replace(part, source=np.full(len(part.price), at)) for at, part in enumerate(drawn)]
    return joined(marked, tables.size)


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


def _drawn(
    tables: Tables, stream: Stream, worth: Floats, left: Ints, manner: Manner, random: np.random.Generator
) -> Patterns:
    active = np.flatnonzero((left > 0) & tables.open[stream.shelf] & (tables.need <= stream.room).all(axis=1))
    if not len(active):
        return joined([], tables.size)
    what = offer(tables, left, active)
    rows = manner.rows
    share = stream.parts[active] / max(stream.nodes, 1.0)
    whole = np.floor(share + random.random((rows, len(active)))).astype(np.int64)
    room = np.broadcast_to(stream.room, (rows, len(stream.room)))
    takes = what.need @ stream.rates
    whole = np.minimum(whole, what.limit)
    base = fill(what, room, _largest_first(whole, takes), limit=whole)
    loads = fill(
        what, room, _gap_order(what, room - base @ what.need, takes, worth[active], random), start=base
    )
    found = rate(tables, stream.shelf, spread_out(what, loads, tables.size), worth)
    filled = (found.loads @ tables.need / np.maximum(stream.room, 1.0))[:, [CPU, MEMORY]].sum(axis=1)
    return replace(found, ratio=found.ratio + manner.even * filled)


def _largest_first(whole: Ints, takes: Floats) -> Ints:
    """For each node, the groups it is to take: those that take most first."""
    key = np.where(whole > 0, -takes, np.inf)
    places = int((whole > 0).sum(axis=1).max())
    order: Ints = np.argsort(key, axis=1, kind="stable")[:, :places]
    return order


def _gap_order(what: Offer, gap: Floats, takes: Floats, worth: Floats, random: np.random.Generator) -> Ints:
    """For each node, the groups that fit some gap: those worth their room first, large ones first, by chance."""
    fits = (what.need[np.newaxis, :, :] <= gap[:, np.newaxis, :]).all(axis=2).any(axis=0)
    groups = np.flatnonzero(fits)
    noise = 1 + 0.3 * random.standard_normal((len(gap), len(groups)))
    fitting = worth[groups] >= _WORTH_ITS_ROOM * takes[groups]
    key = takes[groups] * noise + np.where(fitting, 2 * takes.max(initial=0), 0)
    order: Ints = groups[np.argsort(-key, axis=1, kind="stable")[:, :_MOST_PLACES]]
    return order


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
