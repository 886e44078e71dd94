"""Improving an answer: a few nodes and rooms are emptied, and their pods packed anew."""

from dataclasses import replace
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Bin, Load, cheapest, load_of, pods_in, priced
from provisioner.core.optimal.patterns import propose
from provisioner.core.optimal.rooms import refill
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.sketch import Sketch
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import aims_of

_MOST_EMPTIED: Final = 6
_MOST_ROOMS: Final = 4


def improve(tables: Tables, sketch: Sketch, worth: Floats, random: np.random.Generator) -> Sketch:
    """The same or a cheaper answer."""
    if not sketch.bins:
        return sketch
    emptied = _victims(sketch.bins, worth, random)
    places = _rooms_to_empty(sketch, random)
    loads = [sketch.bins[at].load for at in emptied] + [sketch.rooms[place] for place in places]
    pods = pods_in(loads, tables.size)
    rooms = list(sketch.rooms)
    for place, load in zip(places, refill(tables, places, pods, worth, random), strict=True):
        rooms[place] = load
    before = sum(sketch.bins[at].price for at in emptied)
    anew = repack(tables, pods, worth, before, random)
    if anew is None:
        return sketch
    gone = set(emptied)
    kept = [each for at, each in enumerate(sketch.bins) if at not in gone]
    return replace(sketch, rooms=tuple(rooms), bins=(*kept, *anew))


def repack(
    tables: Tables, pods: Ints, worth: Floats, most: float, random: np.random.Generator
) -> list[Bin] | None:
    """Nodes for the pods at no more than that price, one after another by worth; None if that fails.

    At each step, putting all that is left on one node is the other way to go on.
    """
    left = pods.copy()
    chosen: list[Load] = []
    best: list[Load] | None = None
    spent, least = 0.0, most + 1e-12
    while left.any():
        if tables.may_share(left):
            price = cheapest(tables, left)
            if spent + price <= least:
                best, least = [*chosen, load_of(left)], spent + price
        found = propose(tables, aims_of(tables, left), worth, left, random)
        if not len(found.price):
            break
        at = int(found.ratio.argmax())
        left -= found.loads[at]
        spent += float(found.price[at])
        if spent > least:
            break
        chosen.append(load_of(found.loads[at]))
        if not left.any():
            best = chosen
    return None if best is None else priced(tables, best)


def _victims(bins: tuple[Bin, ...], worth: Floats, random: np.random.Generator) -> list[int]:
    """Nodes that cost more than what is on them is worth, by chance."""
    excess = np.array([each.price - _worth_of(each.load, worth) for each in bins])
    weight = np.maximum(excess, 0) + 0.02 * np.array([each.price for each in bins])
    many = min(len(bins), int(random.integers(2, _MOST_EMPTIED + 1)))
    return sorted(random.choice(len(bins), many, replace=False, p=weight / weight.sum()).tolist())


def _rooms_to_empty(sketch: Sketch, random: np.random.Generator) -> list[int]:
    many = min(len(sketch.rooms), int(random.integers(0, _MOST_ROOMS + 1)))
    return random.choice(len(sketch.rooms), many, replace=False).tolist() if many else []


def _worth_of(load: Load, worth: Floats) -> float:
    return float(sum(pods * worth[group] for group, pods in load))
