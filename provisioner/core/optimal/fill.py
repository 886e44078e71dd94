"""Filling many nodes at once.

One call fills hundreds of nodes, each with its own room and, if need be, its own order of groups: a
loop over places in the order, with every step done for all nodes together.
"""

from dataclasses import dataclass

import numpy as np

from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables

NOTHING = 1e-12
"""Stands for a demand of 0 in divisions."""
CRUMB = 1e-3
"""Added to room, so that 0 / 0 counts as room enough; amounts are whole, so it never lets a pod in."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is to put on nodes: by group, demand of one pod and the most that go on one node."""

    groups: Ints
    """Their places in the tables."""
    need: Floats
    limit: Ints
    apart: Bools | None


def offer(tables: Tables, left: Ints, groups: Ints) -> Offer:
    """Some groups, as many of their pods as are left and may share a node."""
    apart = None if tables.apart is None else tables.apart[np.ix_(groups, groups)]
    return Offer(groups, tables.need[groups], np.minimum(left, tables.most)[groups], apart)


def fill(
    what: Offer, room: Floats, order: Ints, limit: Ints | None = None, start: Ints | None = None
) -> Ints:
    """Pods by (node, group) after filling each node in the order of groups.

    `room` is (nodes, resources) before anything is on them. `order` lists groups, for all nodes alike
    or as (nodes, places). `limit`, (nodes, groups), may lower the offer's. What `start` puts on the
    nodes is there already and fits.
    """
    nodes = len(room)
    row = np.arange(nodes)
    loads = np.zeros((nodes, len(what.need)), dtype=np.int64) if start is None else start.copy()
    asked = np.flatnonzero(what.need.any(axis=0))
    need = what.need[:, asked].T.copy()
    left = (room - loads @ what.need + CRUMB)[:, asked].T.copy()
    divisor = np.where(need > 0, need, NOTHING)
    limits = np.broadcast_to(what.limit if limit is None else limit, loads.shape)
    blocked = None if what.apart is None else (loads > 0) @ what.apart
    for group in np.atleast_2d(order).T:  # one for each node, or for all of them
        fits = np.floor((left / divisor[:, group]).min(axis=0, initial=np.inf))
        fits = np.minimum(fits, limits[row, group] - loads[row, group])
        np.maximum(fits, 0, out=fits)
        if blocked is not None:
            fits[blocked[row, group]] = 0
        if not fits.any():
            continue
        left -= fits * need[:, group]
        loads[row, group] += fits.astype(np.int64)
        if blocked is not None and what.apart is not None:
            blocked |= what.apart[group] & (fits > 0)[:, np.newaxis]
    return loads


def top_up(what: Offer, room: Floats, loads: Ints, key: Floats) -> None:
    """Put onto each node, in place, whatever has the highest key of what fits, until nothing fits.

    `room` is as for `fill`; `key`, (nodes, groups), is minus infinity for what a node never takes.
    """
    nodes, groups = np.arange(len(room)), np.arange(len(what.need))
    gap = room - loads @ what.need + CRUMB
    divisor = np.where(what.need > 0, what.need, NOTHING)
    key = np.where(loads < what.limit, key, -np.inf)
    if what.apart is not None:
        key[(loads > 0) @ what.apart] = -np.inf
    while key.size:
        for resource, needs in enumerate(what.need[groups].T):
            key[needs > gap[:, resource, np.newaxis]] = -np.inf
        fits = key > -np.inf
        some, any_of = fits.any(axis=1), fits.any(axis=0)
        if not some.any():
            return
        key, nodes, groups, gap = key[np.ix_(some, any_of)], nodes[some], groups[any_of], gap[some]
        best, row = key.argmax(axis=1), np.arange(len(nodes))
        chosen = groups[best]
        times = np.floor((gap / divisor[chosen]).min(axis=1)).astype(np.int64)
        times = np.minimum(times, what.limit[chosen] - loads[nodes, chosen])
        loads[nodes, chosen] += times
        gap -= times[:, np.newaxis] * what.need[chosen]
        key[row, best] = -np.inf
        if what.apart is not None:
            key[what.apart[np.ix_(chosen, groups)]] = -np.inf


def spread_out(what: Offer, loads: Ints, groups: int) -> Ints:
    """Loads over an offer's groups as loads over all groups."""
    wide = np.zeros((len(loads), groups), dtype=np.int64)
    wide[:, what.groups] = loads
    return wide
