"""A problem in arrays: groups merged where nothing tells them apart, machines on shelves.

The order of everything here follows from the problem's content, not from the order of its groups,
so that the answer does not depend on it either.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from provisioner.core.optimal.problem import Machine, Problem
from provisioner.core.optimal.shelf import Bools, Floats, Ints, Shelf, stack

Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """What can be placed, and where. Rows are merged groups; the problem's groups are `members`."""

    need: Floats
    """(groups, resources) of one pod."""
    count: Ints
    most: Ints
    """The most pods of the group on one node."""
    members: tuple[tuple[int, ...], ...]
    shelves: tuple[Shelf, ...]
    shelf_of: Mapping[int, int]
    """By class of machines."""
    open: Bools
    """(shelves, groups): whether pods of the group may run on the shelf's machines."""
    rooms: tuple[tuple[Floats, Bools], ...]
    """Free rooms: amounts, and the groups that may go there."""
    room_places: tuple[int, ...]
    """Where in the problem each of them is."""
    apart: Bools | None
    """(groups, groups): pairs that may not share a node."""

    @property
    def size(self) -> int:
        """Number of merged groups."""
        return len(self.count)

    def may_share(self, pods: Ints) -> bool:
        """Whether nothing but room keeps the pods from one node."""
        if (pods > self.most).any():
            return False
        on = pods > 0
        return self.apart is None or not self.apart[np.ix_(on, on)].any()


def tabulate(problem: Problem) -> tuple[Tables, tuple[tuple[int, int], ...]]:
    """The problem's tables, and the groups (with their counts) that fit on nothing."""
    refuses = _refusals(problem)
    merged: dict[Key, list[int]] = defaultdict(list)
    for index, group in enumerate(problem.groups):
        if group.count:
            is_alone = bool(refuses[index]) or group.most_per_node is not None
            own = (_described(problem, refuses[index]), index) if is_alone else ()
            merged[group.demand, tuple(sorted(group.classes)), group.most_per_node or 0, own].append(index)
    order = sorted(merged)
    rows = [tuple(merged[key]) for key in order]
    shelves, shelf_of, reach = _shelves(problem, rows)
    places, rooms = _rooms(problem, rows)
    need = np.array([problem.groups[row[0]].demand for row in rows], dtype=np.float64)
    fits = _fits(need, reach, shelves, rooms)
    lost = tuple(
        (index, problem.groups[index].count) for place in np.flatnonzero(~fits) for index in rows[place]
    )
    kept = np.flatnonzero(fits)
    rows = [rows[place] for place in kept]
    count = np.array([sum(problem.groups[index].count for index in row) for row in rows], dtype=np.int64)
    most = np.array([problem.groups[row[0]].most_per_node or 2**31 for row in rows], dtype=np.int64)
    return Tables(
        need[kept] if len(kept) else np.zeros((0, need.shape[1] if need.ndim > 1 else 1)),
        count,
        np.minimum(most, count),
        tuple(rows),
        shelves,
        shelf_of,
        reach[:, kept],
        tuple((amounts, allowed[kept]) for amounts, allowed in rooms),
        places,
        _apart(refuses, rows),
    ), tuple(sorted(lost))


def _refusals(problem: Problem) -> list[frozenset[int]]:
    """By group: those it may not share a node with, whichever side says so."""
    sides: list[set[int]] = [set(group.apart) for group in problem.groups]
    for index, group in enumerate(problem.groups):
        for other in group.apart:
            sides[other].add(index)
    return [frozenset(side) for side in sides]


def _described(problem: Problem, others: Iterable[int]) -> tuple[object, ...]:
    """Groups by what they are, so that their order does not depend on their positions."""
    groups = [problem.groups[index] for index in others]
    return tuple(sorted((group.demand, tuple(sorted(group.classes)), group.count) for group in groups))


def _shelves(
    problem: Problem, rows: Sequence[tuple[int, ...]]
) -> tuple[tuple[Shelf, ...], Mapping[int, int], Bools]:
    """Machines whose classes are open to the same groups share a shelf."""
    visitors: dict[frozenset[int], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        visitors[problem.groups[row[0]].classes].append(place)
    together: dict[tuple[int, ...], list[tuple[int, Machine]]] = defaultdict(list)
    for position, machine in enumerate(problem.machines):
        kinds = tuple(at for at, classes in enumerate(visitors) if machine.klass in classes)
        together[kinds].append((position, machine))
    together.pop((), None)
    places = list(visitors.values())
    listed = sorted((sorted(chain.from_iterable(places[at] for at in kinds)), kinds) for kinds in together)
    reach = np.zeros((len(listed), len(rows)), dtype=bool)
    shelf_of = {}
    for shelf, (open_to, kinds) in enumerate(listed):
        reach[shelf, open_to] = True
        shelf_of.update({machine.klass: shelf for _, machine in together[kinds]})
    return tuple(stack(together[kinds]) for _, kinds in listed), shelf_of, reach


def _rooms(
    problem: Problem, rows: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], tuple[tuple[Floats, Bools], ...]]:
    """Places in the problem, and rooms, ordered by what they are."""
    listed = []
    for place, room in enumerate(problem.rooms):
        allowed = tuple(room.klass in problem.groups[row[0]].classes for row in rows)
        listed.append((room.usable, allowed, place))
    listed.sort()
    return tuple(place for *_, place in listed), tuple(
        (np.array(usable, dtype=np.float64), np.array(allowed, dtype=bool)) for usable, allowed, _ in listed
    )


def _fits(
    need: Floats,
    reach: Bools,
    shelves: tuple[Shelf, ...],
    rooms: tuple[tuple[Floats, Bools], ...],
) -> Bools:
    """By row: whether one of its pods fits a machine or a room."""
    fits = np.zeros(len(need), dtype=bool)
    for shelf, visitors in zip(shelves, reach, strict=True):
        at = np.flatnonzero(visitors & ~fits)
        if len(at):
            fits[at] = np.isfinite(shelf.cheapest(need[at]))
    for amounts, allowed in rooms:
        fits |= allowed & (need <= amounts).all(axis=1) if len(need) else allowed
    return fits


def _apart(refuses: list[frozenset[int]], rows: Sequence[tuple[int, ...]]) -> Bools | None:
    place = {index: at for at, row in enumerate(rows) for index in row}
    pairs = [
        (place[index], place[other])
        for index, others in enumerate(refuses)
        for other in others
        if index in place and other in place
    ]
    if not pairs:
        return None
    apart = np.zeros((len(rows), len(rows)), dtype=bool)
    apart[tuple(zip(*pairs, strict=True))] = True
    return apart


def buyable(tables: Tables) -> Bools:
    """By group: whether some size holds one of its pods."""
    holds = np.zeros(tables.size, dtype=bool)
    for shelf, may in zip(tables.shelves, tables.open, strict=True):
        holds |= may & np.isfinite(shelf.cheapest(tables.need))
    return holds
