"""Free rooms first: pods that fit where room is paid for anyway need no node."""

from collections.abc import Sequence

import numpy as np

from provisioner.core.optimal.bins import Load, load_of
from provisioner.core.optimal.fill import CRUMB, NOTHING, fill, offer, spread_out
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables

_TRIES = 24


def occupy(tables: Tables, worth: Floats) -> tuple[Load, ...]:
    """Loads of the free rooms, of several ways the one that leaves the least worth to be bought for."""
    if not tables.rooms:
        return ()
    amounts = np.array([room for room, _ in tables.rooms])
    unit = np.maximum(amounts.max(axis=0), 1.0)
    bulk = (tables.need / unit).max(axis=1)
    sizes = (amounts / unit).sum(axis=1)
    density = worth / np.maximum(bulk, NOTHING)
    ways = [
        _placed(tables, amounts, np.argsort(-key, kind="stable"), np.argsort(order, kind="stable"))
        for key in (bulk, density, worth)
        for order in (sizes, -sizes)
    ]
    best = max(ways, key=lambda loads: float(sum(_worth_of(load, worth) for load in loads)))
    return tuple(best)


def refill(
    tables: Tables, places: Sequence[int], pods: Ints, worth: Floats, random: np.random.Generator
) -> list[Load]:
    """New loads for some of the rooms, one after another, by worth; takes them off `pods`."""
    loads: list[Load] = []
    for place in places:
        room, allowed = tables.rooms[place]
        groups = np.flatnonzero((pods > 0) & allowed & (tables.need <= room).all(axis=1))
        if not len(groups):
            loads.append(())
            continue
        what = offer(tables, pods, groups)
        takes = (what.need / np.maximum(room, 1.0)).max(axis=1)
        power = random.random((_TRIES, 1))
        keys = worth[groups] / np.maximum(takes, NOTHING) ** power
        keys = keys * (1 + 0.1 * random.standard_normal((_TRIES, len(groups))))
        filled = fill(
            what, np.broadcast_to(room, (_TRIES, len(room))), np.argsort(-keys, axis=1, kind="stable")
        )
        row = spread_out(what, filled[[int((filled @ worth[groups]).argmax())]], tables.size)[0]
        pods -= row
        loads.append(load_of(row))
    return loads


def _placed(tables: Tables, amounts: Floats, groups: Ints, rooms: Ints) -> list[Load]:
    """First fit: groups in one order, rooms in another."""
    left = amounts.copy()
    loads: list[dict[int, int]] = [{} for _ in rooms]
    for group in groups.tolist():
        fits = _fitting(tables, group, left, loads)[rooms]
        before = np.cumsum(fits) - fits
        taken = np.clip(int(tables.count[group]) - before, 0, fits).astype(np.int64)
        for at in np.flatnonzero(taken).tolist():
            room = int(rooms[at])
            left[room] -= taken[at] * tables.need[group]
            loads[room][group] = int(taken[at])
    return [tuple(sorted(load.items())) for load in loads]


def _fitting(tables: Tables, group: int, left: Floats, loads: Sequence[dict[int, int]]) -> Floats:
    """Pods of a group that each room takes at most."""
    asks = np.where(tables.need[group] > 0, tables.need[group], NOTHING)
    fits: Floats = np.floor(((left + CRUMB) / asks).min(axis=1))
    fits = np.clip(fits, 0, float(tables.most[group]))
    fits *= np.array([allowed[group] for _, allowed in tables.rooms])
    if tables.apart is not None and tables.apart[group].any():
        others = set(np.flatnonzero(tables.apart[group]).tolist())
        fits *= np.array([others.isdisjoint(load) for load in loads])
    return fits


def _worth_of(load: Load, worth: Floats) -> float:
    return float(sum(pods * worth[group] for group, pods in load))
