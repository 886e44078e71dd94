"""Sizes worth filling: all fixed ones, and of flexible families a sample around the demand's mix.

A filled node is bought in the cheapest size that holds what is on it, so a sample is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import priced
from provisioner.core.optimal.problem import MEMORY
from provisioner.core.optimal.shelf import Bools, Family, Floats, Ints, Shelf
from provisioner.core.optimal.tables import Tables

_REACH: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
"""Parts of a family's most OCPUs that are tried."""
_MIXES: Final = (0.5, 0.8, 1.0, 1.25, 2.0, 4.0)
"""Multiples of the demand's memory for each CPU that are tried."""
_EVEN: Final = 1.002
_SMALLER: Final = 0.3
"""Part of a size that is a good deal smaller."""
_PROMISING: Final = 3
_MOST_FIXED: Final = 120
"""Fixed sizes tried at once; of more, those with the best price for the demand."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Rooms of one shelf worth opening, and their prices."""

    shelf: int
    rooms: Floats
    price: Floats


def aims_of(tables: Tables, left: Ints) -> tuple[Aim, ...]:
    """For each shelf, sizes worth filling with the pods left."""
    aims = []
    for index, shelf in enumerate(tables.shelves):
        weight = left * tables.open[index]
        if not weight.any() or not (shelf.sizes or shelf.families):
            continue
        rooms = targets(shelf, weight @ tables.need / weight.sum())
        aims.append(Aim(index, rooms, shelf.cheapest(rooms)))
    return tuple(aims)


def promising(tables: Tables, buyable: Bools) -> list[tuple[int, Floats, float]]:
    """Shelf, room and price of the sizes with the best price for the mean demand, and of the largest.

    And for each group that fits none of these, of a size that it does fit.
    """
    found: list[tuple[int, Floats, float]] = []
    held = ~buyable
    for aim in aims_of(tables, tables.count):
        pods = tables.count * tables.open[aim.shelf]
        best = np.argsort(_rates(aim, pods, tables.need), kind="stable")[:_PROMISING]
        others = [_rates(aim, pods, tables.need * _mixed(mix, tables)).argmin() for mix in _MIXES]
        for at in np.unique(np.concatenate([best, others, aim.rooms.argmax(axis=0)])):
            found.append((aim.shelf, aim.rooms[at], float(aim.price[at])))
            held |= tables.open[aim.shelf] & (tables.need <= aim.rooms[at]).all(axis=1)
    for group in np.flatnonzero(~held).tolist():
        if not held[group]:
            shelf, room, price = _own(tables, group)
            found.append((shelf, room, price))
            held |= tables.open[shelf] & (tables.need <= room).all(axis=1)
    return found


def roomier(shelf: Shelf, used: Floats, price: float, most: int) -> list[tuple[Floats, float]]:
    """Fixed sizes in which amounts that are used together cost no more than that price.

    The largest, then one a good deal smaller, and so on, at most so many.
    """
    some = np.flatnonzero(used > 0)
    if not len(shelf.price) or not len(some):
        return []
    times = (shelf.usable[:, some] / used[some]).min(axis=1)
    times[times * price < shelf.price / _EVEN] = 0.0
    found: list[tuple[Floats, float]] = []
    while len(found) < most and times.any():
        at = int(times.argmax())
        found.append((shelf.usable[at], float(shelf.price[at])))
        times[times > times[at] * _SMALLER] = 0.0
    return found


def _mixed(mix: float, tables: Tables) -> Floats:
    """Factors that give pods so many times the memory."""
    factors: Floats = np.ones(tables.need.shape[1])
    factors[MEMORY] = mix
    return factors


def targets(shelf: Shelf, mean: Floats) -> Floats:
    """(sizes, resources): room of sizes worth filling for pods with that mean demand."""
    rooms: list[Floats] = [_best_fixed(shelf, mean)]
    rooms += [_sampled(family, mean) for family in shelf.families]
    return np.concatenate([room for room in rooms if len(room)])


def worthwhile(tables: Tables, aims: Sequence[Aim], group: int, left: Ints) -> tuple[int, Floats]:
    """The shelf and room to open for a group: the best price for the mean of the pods left there."""
    need = tables.need[group]
    best: tuple[float, int, Floats] | None = None
    for aim in aims:
        if not tables.open[aim.shelf, group]:
            continue
        rate = _rates(aim, left * tables.open[aim.shelf], tables.need)
        rate = np.where((aim.rooms >= need).all(axis=1), rate, np.inf)
        at = _largest(rate, aim.price)
        if np.isfinite(rate[at]) and (best is None or rate[at] < best[0]):
            best = (float(rate[at]), aim.shelf, aim.rooms[at])
    return best[1:] if best else _own(tables, group)[:2]


def _rates(aim: Aim, pods: Ints, need: Floats) -> Floats:
    """Price for each pod of the mean demand, by size; never for more pods than there are."""
    total = float(pods.sum())
    mean = pods @ need / total
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = np.where(mean > 0, aim.rooms / mean, np.inf).min(axis=1)
    rates: Floats = aim.price / np.maximum(np.minimum(fit, total), 1e-9)
    return rates


def _largest(rate: Floats, price: Floats) -> int:
    """The place of the lowest rate; of rates as good as equal, that of the largest size."""
    near = rate <= rate.min() * _EVEN
    return int(np.where(near & np.isfinite(rate), price, -1.0).argmax())


def _own(tables: Tables, group: int) -> tuple[int, Floats, float]:
    """The cheapest size for one pod, for groups that fit none of the sampled sizes."""
    (alone,) = priced(tables, [((group, 1),)])
    if alone.size is None:
        message = f"group {group} fits no shelf"
        raise ValueError(message)
    return alone.shelf, tables.shelves[alone.shelf].usable_of(alone.size), alone.price


def _best_fixed(shelf: Shelf, mean: Floats) -> Floats:
    if len(shelf.price) <= _MOST_FIXED:
        return shelf.usable
    with np.errstate(divide="ignore", invalid="ignore"):
        pods = np.where(mean > 0, shelf.usable / mean, np.inf).min(axis=1)
    order = np.argsort(shelf.price / np.maximum(pods, 1e-9), kind="stable")
    biggest = shelf.usable.argmax(axis=0)
    return np.asarray(shelf.usable[np.unique(np.concatenate([order[:_MOST_FIXED], biggest]))])


def _sampled(family: Family, mean: Floats) -> Floats:
    top = len(family.ocpus) - 1
    places = np.unique(np.round(np.array(_REACH) * top).astype(np.int64))
    cpu = family.steps[places, 0]
    pods = cpu / mean[0] if mean[0] else np.full(len(places), 1.0)
    wanted: Floats = (pods * mean[MEMORY])[:, np.newaxis] * np.array(_MIXES)
    gib: Ints = np.searchsorted(family.memory_peak, wanted)
    gib = np.clip(gib, family.gib_least[places, np.newaxis], family.gib_most[places, np.newaxis])
    pairs = np.unique(np.stack([np.repeat(places, len(_MIXES)), gib.ravel()], axis=1), axis=0)
    return np.asarray(family.usable(pairs[:, 0], pairs[:, 1]))
