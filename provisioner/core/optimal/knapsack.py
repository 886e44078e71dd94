"""One node in one dimension, in whole pods: the most worth that fits, exactly.

Amounts are put together at given rates into one; what fits all amounts fits their mixture, so the
answer is never below the truth. Weights are whole steps, rounded down where they are not.
"""

from math import gcd
from typing import Final

import numpy as np

from provisioner.core.optimal.shelf import Floats, Ints

_STEPS: Final = 4000
"""Steps that a room is divided into where amounts have no common divisor of use."""


def most_worth(worth: Floats, need: Floats, room: Floats, caps: Floats, rates: Floats) -> tuple[float, Ints]:
    """The most worth of whole pods whose mixture at these rates fits the room's, and their numbers."""
    weights, capacity = _weights(need, room, rates)
    groups, pods = _bundles(worth, weights, caps, capacity)
    best = np.zeros(capacity + 1)
    taken = np.zeros((len(groups), capacity + 1), dtype=bool)
    for item, (group, many) in enumerate(zip(groups, pods, strict=True)):
        weight, value = int(weights[group] * many), float(worth[group] * many)
        if weight:
            with_it = np.full(capacity + 1, -np.inf)
            with_it[weight:] = best[:-weight] + value
        else:
            with_it = best + value
        taken[item] = with_it > best
        best = np.maximum(best, with_it)
    load = np.zeros(len(worth), dtype=np.int64)
    left = capacity
    for item in range(len(groups) - 1, -1, -1):
        if taken[item, left]:
            load[groups[item]] += pods[item]
            left -= int(weights[groups[item]] * pods[item])
    return float(best[capacity]), load


def _weights(need: Floats, room: Floats, rates: Floats) -> tuple[Ints, int]:
    """Steps that a pod of each group takes, and those there are."""
    priced = np.flatnonzero(rates * room > 0)
    if len(priced) == 1:
        amounts = need[:, priced[0]].astype(np.int64)
        step = gcd(*amounts.tolist()) or 1
        capacity = int(room[priced[0]]) // step
        if capacity <= _STEPS:
            return amounts // step, capacity
    share = need @ rates / max(float(room @ rates), 1e-300)
    return np.floor(share * _STEPS * (1 - 1e-12)).astype(np.int64), _STEPS


def _bundles(worth: Floats, weights: Ints, caps: Floats, capacity: int) -> tuple[list[int], list[int]]:
    """Pods of each group in bundles of 1, 2, 4, ... and a rest, so that every number can be made."""
    groups: list[int] = []
    pods: list[int] = []
    for group in np.flatnonzero((worth > 0) & (caps > 0) & (weights <= capacity)).tolist():
        left = int(min(caps[group], capacity // weights[group])) if weights[group] else int(caps[group])
        many = 1
        while left > 0:
            groups.append(group)
            pods.append(min(many, left))
            left -= many
            many *= 2
    return groups, pods
