"""Few pods: every load there can be is listed, and an integer program picks the cheapest set.

Then the answer is the optimum and says so. Rooms take part as loads that cost nothing, once each.
"""

from collections import Counter
from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Load, load_of, priced
from provisioner.core.optimal.program import INFINITE, Program
from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.sketch import Sketch
from provisioner.core.optimal.tables import Tables

MOST_LOADS: Final = 3000
"""Loads beyond which listing them all is given up."""
MOST_PODS: Final = 60
"""Pods beyond which it is not even begun."""
_MOST_NODES: Final = 2000
"""Of the search; what is found by then is taken, with the bound proven by then."""


def exact(tables: Tables) -> tuple[Sketch, float] | None:
    """The cheapest answer and a bound below it (the same where proven); None if there is too much to list."""
    if int(tables.count.sum()) > MOST_PODS:
        return None
    rows = _listed(tables)
    if rows is None:
        return None
    program = Program()
    demand = tables.count.astype(np.float64)
    covered = program.add_rows(demand, np.full(tables.size, INFINITE))
    prices = np.array([each.price for each in priced(tables, [load_of(row) for row in rows])])
    bought = rows[np.isfinite(prices)]
    prices = prices[np.isfinite(prices)]
    _add(program, prices, bought, covered)
    kinds = _kinds(tables)
    housed: list[Ints] = []
    for (amounts, allowed), places in kinds:
        fitting = rows[_fits(tables, rows, amounts, allowed)]
        once = program.add_rows(np.zeros(1), np.full(1, float(len(places))))
        matrix = np.concatenate([fitting, np.ones((len(fitting), 1))], axis=1)
        _add(program, np.zeros(len(fitting)), matrix, np.concatenate([covered, once]))
        housed.append(fitting)
    found, bound = program.solve_whole(_MOST_NODES)
    if not found:
        return None
    times = np.round(program.amounts).astype(np.int64)
    return _sketch(
        tables, bought, [(fitting, places) for fitting, (_, places) in zip(housed, kinds, strict=True)], times
    ), bound


def _add(program: Program, cost: Floats, matrix: Ints | Floats, rows: Ints) -> None:
    if len(cost):
        program.add_columns(cost, np.full(len(cost), INFINITE), matrix.astype(np.float64), rows)


def _listed(tables: Tables) -> Ints | None:
    """Every load, not empty, that some room or some size holds."""
    rows = np.zeros((1, tables.size), dtype=np.int64)
    for group in range(tables.size):
        more = [rows]
        for pods in range(1, int(tables.most[group]) + 1):
            longer = rows.copy()
            longer[:, group] = pods
            longer = longer[_possible(tables, longer)]
            if not len(longer):
                break
            more.append(longer)
            if sum(map(len, more)) > MOST_LOADS:
                return None
        rows = np.concatenate(more)
    return rows[1:]


def _possible(tables: Tables, rows: Ints) -> Bools:
    """Whether each load fits anything at all."""
    fits = np.zeros(len(rows), dtype=bool)
    used = rows @ tables.need
    for shelf, may in zip(tables.shelves, tables.open, strict=True):
        at = np.flatnonzero(~(rows[:, ~may] > 0).any(axis=1))
        if len(at):
            fits[at] |= np.isfinite(shelf.cheapest(used[at]))
    for (amounts, allowed), _ in _kinds(tables):
        fits |= _fits(tables, rows, amounts, allowed)
    if tables.apart is not None:
        on = (rows > 0).astype(np.int64)
        fits &= (on * (on @ tables.apart.astype(np.int64))).sum(axis=1) == 0
    return fits


def _fits(tables: Tables, rows: Ints, amounts: Floats, allowed: Bools) -> Bools:
    fits: Bools = np.all(rows @ tables.need <= amounts, axis=1) & ~np.any(rows[:, ~allowed] > 0, axis=1)
    return fits


def _kinds(tables: Tables) -> list[tuple[tuple[Floats, Bools], list[int]]]:
    """Rooms that nothing tells apart, with their places."""
    together: dict[tuple[bytes, bytes], list[int]] = {}
    for place, (amounts, allowed) in enumerate(tables.rooms):
        together.setdefault((amounts.tobytes(), allowed.tobytes()), []).append(place)
    return [(tables.rooms[places[0]], places) for _, places in sorted(together.items())]


def _sketch(tables: Tables, bought: Ints, housed: list[tuple[Ints, list[int]]], times: Ints) -> Sketch:
    """Loads as picked, less what is covered twice: rooms keep theirs first."""
    left = tables.count.copy()
    rooms: list[Load] = [()] * len(tables.rooms)
    at = len(bought)
    for fitting, places in housed:
        free = iter(places)
        picked = Counter({row: int(times[at + row]) for row in range(len(fitting)) if times[at + row]})
        for row in picked.elements():
            taken = np.minimum(fitting[row], left)
            left -= taken
            rooms[next(free)] = load_of(taken)
        at += len(fitting)
    loads = []
    for row in range(len(bought)):
        for _ in range(int(times[row])):
            taken = np.minimum(bought[row], left)
            left -= taken
            if taken.any():
                loads.append(load_of(taken))
    return Sketch(tuple(rooms), tuple(priced(tables, loads)))
