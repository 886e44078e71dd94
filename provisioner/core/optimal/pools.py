"""At most so many sizes in use: which sizes to keep, and what then goes where.

Sizes are added one by one, each time the one that makes the nodes cheapest that are planned; then
each chosen one is dropped and chosen anew while that helps. Sizes in use already are there from the
start.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Bin, usage
from provisioner.core.optimal.problem import Flexible, Problem, Size
from provisioner.core.optimal.shelf import Floats, Ints, stack_sizes
from provisioner.core.optimal.tables import Tables

_STEPS: Final = 5
"""So many counts of OCPUs and of GiB of a family, spread over those in use, are paired as further candidates."""


def within(problem: Problem, bins: Sequence[Bin]) -> bool:
    """Whether the sizes of bins, with sizes in use already, are few enough."""
    used = {*problem.standing, *(each.size for each in bins)}
    return len(used) <= max(problem.max_pools, len(problem.standing))


def limited(problem: Problem, tables: Tables, bins: Sequence[Bin]) -> Tables:
    """Tables that offer only as many sizes as allowed: those that are best for the bins planned."""
    shelf_of = {
        size: shelf for shelf, sizes in enumerate(_candidates(problem, tables, bins)) for size in sizes
    }
    listed = sorted(shelf_of)
    standing = [at for at, size in enumerate(listed) if size in problem.standing]
    prices, weight = _prices(problem, tables, bins, listed, [shelf_of[size] for size in listed])
    chosen = _chosen(prices, weight, standing, max(problem.max_pools, len(standing)))
    by_shelf: list[list[Size]] = [[] for _ in tables.shelves]
    for at in chosen:
        by_shelf[shelf_of[listed[at]]].append(listed[at])
    shelves = tuple(stack_sizes(problem, sizes) for sizes in by_shelf)
    return replace(tables, shelves=shelves)


def _candidates(problem: Problem, tables: Tables, bins: Sequence[Bin]) -> list[set[Size]]:
    """By shelf: sizes of the bins, mixtures of them, and sizes in use."""
    found: list[set[Size]] = [set() for _ in tables.shelves]
    for each in bins:
        if each.size is not None:
            found[each.shelf].add(each.size)
    for sizes in found:
        for machine in sorted({size.machine for size in sizes}):
            sizes.update(_mixtures(problem, [size for size in sizes if size.machine == machine]))
    for size in problem.standing:
        klass = problem.machines[size.machine].klass
        if klass in tables.shelf_of:
            found[tables.shelf_of[klass]].add(size)
    return found


def _mixtures(problem: Problem, sizes: Sequence[Size]) -> set[Size]:
    machine = problem.machines[sizes[0].machine]
    if not isinstance(machine, Flexible):
        return set()
    places = np.linspace(0, 1, _STEPS)
    ocpus = np.quantile([size.ocpus for size in sizes], places, method="higher").tolist()
    gibs = np.quantile([size.gib for size in sizes], places, method="higher").tolist()
    span = dict(zip(machine.ocpus, machine.gib, strict=True))
    return {
        Size(sizes[0].machine, int(ocpu), int(min(max(gib, span[ocpu][0]), span[ocpu][1])))
        for ocpu in ocpus
        for gib in gibs
    }


def _prices(
    problem: Problem, tables: Tables, bins: Sequence[Bin], sizes: Sequence[Size], shelves: Sequence[int]
) -> tuple[Floats, Ints]:
    """(kinds of bins, sizes): price of the kind in the size, infinite where it does not fit; bins by kind."""
    used = usage(tables, [each.load for each in bins])
    may = np.array(
        [
            [
                tables.open[shelf, [group for group, _ in each.load]].all()
                for shelf in range(len(tables.shelves))
            ]
            for each in bins
        ]
    )
    kinds, weight = np.unique(np.concatenate([used, may], axis=1), axis=0, return_counts=True)
    amounts, allowed = kinds[:, : used.shape[1]], kinds[:, used.shape[1] :] > 0
    usable = np.array([problem.usable_of(size) for size in sizes], dtype=np.float64)
    price = np.array([float(problem.price_of(size)) for size in sizes])
    fits = (amounts[:, np.newaxis, :] <= usable[np.newaxis, :, :]).all(axis=2) & allowed[:, list(shelves)]
    return np.where(fits, price, np.inf), weight


def _chosen(prices: Floats, weight: Ints, standing: Sequence[int], most: int) -> list[int]:
    """Columns to keep, those standing among them."""
    never = 1e3 * max(1.0, float(prices[np.isfinite(prices)].max(initial=1.0)))
    cost = np.minimum(prices, never)
    chosen = list(standing)
    while len(chosen) < min(most, cost.shape[1]):
        best, gain = _next(cost, weight, chosen, never)
        if gain <= 0:
            break
        chosen.append(best)
    for at in [each for each in chosen if each not in set(standing)]:
        rest = [each for each in chosen if each != at]
        best, gain = _next(cost, weight, rest, never)
        if gain > _gain_of(cost, weight, rest, at, never) * (1 + 1e-12):
            chosen = [*rest, best]
    return sorted(chosen)


def _next(cost: Floats, weight: Ints, chosen: Sequence[int], never: float) -> tuple[int, float]:
    """The column that lowers the cost most, and by how much."""
    now = cost[:, list(chosen)].min(axis=1, initial=never)
    gains = weight @ np.maximum(now[:, np.newaxis] - cost, 0)
    best = int(gains.argmax())
    return best, float(gains[best])


def _gain_of(cost: Floats, weight: Ints, chosen: Sequence[int], column: int, never: float) -> float:
    now = cost[:, list(chosen)].min(axis=1, initial=never)
    return float(weight @ np.maximum(now - cost[:, column], 0))
