"""One node in whole pods: the most worth that fits.

Pods that take much of the node are counted one by one: every number of each of their groups, as far as
they fit and too much worth is not lost by them. For the other pods all amounts are put together at given
rates into one; what fits all amounts fits their mixture, so the answer is never below the truth. Weights
are whole steps, rounded down where they are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from provisioner.core.optimal.shelf import Floats, Ints

_STEPS: Final = 2000
"""Steps that a room is divided into."""
_MOST_STARTS: Final = 3000
"""So many ways to begin a node are followed; of more, the groups left are mixed."""
_FINISHED: Final = 16
_SCARCEST: Final = 2
"""Amounts that bind, mostly CPU and memory."""
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Sack:
    """A room, what whole pods of some groups ask of it, are worth and are at most, and rates of amounts."""

    room: Floats
    need: Floats
    worth: Floats
    caps: Floats
    rates: Floats


@dataclass(frozen=True, slots=True)
class _Starts:
    """Nodes begun, with what is taken, the worth of it, and what is lost by it."""

    used: Floats
    worth: Floats
    lost: Floats


@dataclass(frozen=True, slots=True)
class _Level:
    """By start: the one it comes from, and the pods of a group that it adds."""

    group: int
    before: Ints
    pods: Ints


def most_worth(sack: Sack, enough: float) -> tuple[float, list[Ints]]:
    """A limit of the worth of whole pods that fit, and loads that may come near it.

    `enough`: loads worth no more do not matter. The limit is not below it; where nothing is worth more there are none.
    """
    gain = sack.worth - sack.need @ sack.rates
    spare = float(sack.room @ sack.rates + sack.caps @ np.maximum(gain, 0)) - enough
    if spare < 0:
        return enough, []
    groups = np.flatnonzero((sack.worth > 0) & (sack.caps > 0) & (gain > -spare))
    share = (sack.need[groups] / np.maximum(sack.room, 1.0)).max(axis=1)
    order = groups[np.argsort(-share, kind="stable")]
    starts, levels = _started(sack, gain, order, spare)
    rest = order[len(levels) :]
    tables = [_Table(sack, rest, mix) for mix in _mixes(sack, groups)]
    free = np.maximum(1 - starts.used / np.maximum(sack.room, 1.0), 0.0)
    uppers = np.array([table.most(free) for table in tables])
    which = uppers.argmin(axis=0)
    upper = starts.worth + uppers[which, np.arange(len(which))]
    if not len(upper) or upper.max() <= enough:
        return enough, []
    loads = []
    for at in np.argsort(-upper, kind="stable")[:_FINISHED].tolist():
        found = _begun(levels, at, len(sack.worth))
        tables[which[at]].finish(free[at], found)
        _trim(sack, found)
        loads.append(found)
    return float(upper.max()), loads


def _started(sack: Sack, gain: Floats, order: Ints, spare: float) -> tuple[_Starts, list[_Level]]:
    """Every way to begin a node with pods of the first groups in order, of as many groups as can be followed.

    A pod left out that gains, or put on that loses, takes that off what a node could be worth; not more than `spare`.
    """
    starts, levels = _Starts(np.zeros((1, len(sack.room))), np.zeros(1), np.zeros(1)), list[_Level]()
    for group in order.tolist():
        level, lost = _next(sack, float(gain[group]), group, starts, spare)
        if len(lost) > _MOST_STARTS:
            break
        used = starts.used[level.before] + level.pods[:, np.newaxis] * sack.need[group]
        starts = _Starts(used, starts.worth[level.before] + level.pods * sack.worth[group], lost)
        levels.append(level)
    return starts, levels


def _next(sack: Sack, gain: float, group: int, starts: _Starts, spare: float) -> tuple[_Level, Floats]:
    """All numbers of a group's pods with each start, and what is lost then."""
    need, cap = sack.need[group], int(sack.caps[group])
    at = np.arange(len(starts.worth))
    before, lost = list[Ints](), list[Floats]()
    for many in range(cap + 1):
        at = at[(starts.used[at] + many * need <= sack.room).all(axis=1)]
        if not len(at):
            break
        loss = starts.lost[at] + (cap - many) * max(gain, 0.0) + many * max(-gain, 0.0)
        kept = loss <= spare
        before.append(at[kept])
        lost.append(loss[kept])
        if sum(map(len, lost)) > _MOST_STARTS:
            break
    pods = np.repeat(np.arange(len(lost)), [len(each) for each in lost])
    return _Level(group, np.concatenate([*before, at[:0]]), pods), np.concatenate([*lost, np.zeros(0)])


def _begun(levels: list[_Level], at: int, groups: int) -> Ints:
    load = np.zeros(groups, dtype=np.int64)
    for level in reversed(levels):
        load[level.group] = level.pods[at]
        at = int(level.before[at])
    return load


def _trim(sack: Sack, load: Ints) -> None:
    """Take pods off, in place, until the load fits."""
    while True:
        over = load @ sack.need > sack.room
        if not over.any():
            return
        takes = (sack.need[:, over] / np.maximum(sack.room[over], 1.0)).sum(axis=1)
        on = np.flatnonzero((load > 0) & (takes > 0))
        load[on[np.argmin(sack.worth[on] / takes[on])]] -= 1


def _mixes(sack: Sack, groups: Ints) -> list[Floats]:
    """Shares of amounts in what one mixture of them counts: as they are paid for, the scarcest alone, and between."""
    paid = sack.rates * sack.room
    asked = (sack.need[groups] / np.maximum(sack.room, 1.0)).sum(axis=0)
    alone = np.eye(len(paid))[np.argsort(-asked, kind="stable")[:_SCARCEST]]
    if not paid.any():
        return list(alone)
    paid = paid / paid.sum()
    return [paid, *alone, *((alone + paid) / 2)]


class _Table:
    """The most worth of some groups by the part of a room that is free, in one mixture."""

    def __init__(self, sack: Sack, groups: Ints, mix: Floats) -> None:
        self._mix = mix
        share = (sack.need / np.maximum(sack.room, 1.0)) @ mix
        self._weights = np.floor(share * _STEPS * (1 - _TINY)).astype(np.int64)
        self._bundles = list(_bundles(sack, groups, self._weights))
        best = np.zeros(_STEPS + 1)
        self._taken = np.zeros((len(self._bundles), _STEPS + 1), dtype=bool)
        for item, (group, many) in enumerate(self._bundles):
            weight, value = int(self._weights[group]) * many, float(sack.worth[group]) * many
            with_it = best[: _STEPS + 1 - weight] + value
            np.greater(with_it, best[weight:], out=self._taken[item, weight:])
            np.maximum(with_it, best[weight:], out=best[weight:])
        self._best = best

    def most(self, free: Floats) -> Floats:
        """By room: the most worth in what is free of it, by amounts as parts of the whole."""
        most: Floats = self._best[self._steps(free)]
        return most

    def finish(self, free: Floats, load: Ints) -> None:
        """Put the best pods onto a load."""
        left = int(self._steps(free))
        for item in range(len(self._bundles) - 1, -1, -1):
            group, many = self._bundles[item]
            if self._taken[item, left]:
                load[group] += many
                left -= int(self._weights[group]) * many

    def _steps(self, free: Floats) -> Ints:
        return np.floor(free @ self._mix * _STEPS + 1e-9).astype(np.int64)


def _bundles(sack: Sack, groups: Ints, weights: Ints) -> Iterator[tuple[int, int]]:
    """Pods of each group in bundles of 1, 2, 4, ... and a rest, so that every number can be made."""
    for group in groups.tolist():
        left, many = int(sack.caps[group]), 1
        if weights[group]:
            left = min(left, _STEPS // int(weights[group]))
        while left > 0:
            yield group, min(many, left)
            left -= many
            many *= 2
