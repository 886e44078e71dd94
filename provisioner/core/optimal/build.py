"""Whole nodes, one batch after another, each drawn from the fluid answer for the pods still left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Load, load_of
from provisioner.core.optimal.fluid import Fluid, Stream
from provisioner.core.optimal.patterns import Manner, Patterns, draw, joined, propose
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import aims_of

_EMPTIEST: Final = 0.5
"""No size is taken to stay emptier than this."""
_NEAR: Final = 0.02
"""Loads of a batch are worth at most this much less, for each dollar, than its best."""
_LEAST: Final = 1e-9
"""Worth taken for pods that cost nothing."""


@dataclass(slots=True)
class Fullness:
    """What nodes drawn for one size cost, and what was put on them is worth."""

    stream: Stream
    price: float = 0.0
    worth: float = 0.0


@dataclass(frozen=True, slots=True)
class Built:
    """Loads so far, how full the sizes became that they were drawn for, and the pods left by group."""

    loads: list[Load]
    fullness: list[Fullness]
    left: Ints


def build(
    tables: Tables, guide: Fluid, pods: Ints, manner: Manner, random: np.random.Generator
) -> Iterator[Built]:
    """Loads for the pods, after each batch; ends early where the guide's sizes cannot hold those left."""
    left = pods.copy()
    built = Built([], [], left)
    worth: Floats | None = None
    while left.any():
        is_plain = worth is None or not manner.is_wary
        guide.demand(left, np.inf if is_plain else max(float(left @ guide.worth), _LEAST))
        if not guide.solve():
            return
        worth = guide.worth if worth is None else worth
        streams = guide.streams()
        found = draw(tables, streams, guide.worth, left, manner, random)
        if sum(stream.nodes for stream in streams) < manner.few or not len(found.price):
            proposed = propose(tables, aims_of(tables, left), guide.worth, left, random)
            found = joined([found, proposed], tables.size)
        notes = [Fullness(stream) for stream in streams]
        for row, times in _taken(found, left, manner.share * guide.value):
            built.loads.extend([load_of(found.loads[row])] * times)
            if found.source[row] >= 0:
                note = notes[found.source[row]]
                note.price += times * float(found.price[row])
                note.worth += times * float(found.loads[row] @ worth)
        built.fullness.extend(notes)
        if left.any():
            yield built
    yield built


def learn(guide: Fluid, built: Built) -> None:
    """Take sizes that stayed emptier than thought as dearer from now on."""
    for known in {(note.stream.shelf, note.stream.room.tobytes()): note for note in built.fullness}.values():
        alike = [
            note
            for note in built.fullness
            if note.stream.shelf == known.stream.shelf and np.array_equal(note.stream.room, known.stream.room)
        ]
        price, worth = sum(note.price for note in alike), sum(note.worth for note in alike)
        if price:
            factor = known.stream.factor / min(1.0, max(worth / price / known.stream.factor, _EMPTIEST))
            guide.take_as(known.stream, min(factor, known.stream.factor * 2))


def _taken(found: Patterns, left: Ints, spend: float) -> Iterator[tuple[int, int]]:
    """Rows of the best loads that the pods left still allow and how often, until so much is spent.

    Takes them off `left`.
    """
    spent = 0.0
    for row in np.argsort(-found.ratio, kind="stable").tolist():
        if spent and (spent >= spend or found.ratio[row] < found.ratio.max() - _NEAR):
            return
        load = found.loads[row]
        on = np.flatnonzero(load)
        times = int((left[on] // load[on]).min())
        times = min(times, max(1, int((spend - spent) / found.price[row])))
        if times < 1:
            continue
        left -= times * load
        spent += times * float(found.price[row])
        yield row, times
