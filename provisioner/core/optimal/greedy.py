"""The first answer: first-fit over groups, nodes opened in a good size, shrunk at the end.

Groups go largest first. What no open node takes opens nodes of the size with the best price for
the pods still to come; at the end each node becomes the cheapest size for what is on it.
"""

from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Bin, Load, cost, priced
from provisioner.core.optimal.fill import CRUMB, NOTHING
from provisioner.core.optimal.problem import CPU
from provisioner.core.optimal.shelf import Bools, Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import Aim, aims_of, worthwhile

_MANY_GROUPS: Final = 600
"""From here on one order is tried only, so that the first answer stays early."""

_ONE: Final = np.ones(1, dtype=np.int64)


def greedy(tables: Tables, left: Ints) -> list[Bin]:
    """Nodes for all pods left; every one of their groups fits some shelf."""
    if not left.any():
        return []
    aims = aims_of(tables, left)
    orders = _orders(tables, left, aims)[: 1 if tables.size > _MANY_GROUPS else None]
    return min((priced(tables, _first_fit(tables, left, aims, order)) for order in orders), key=cost)


def _orders(tables: Tables, left: Ints, aims: tuple[Aim, ...]) -> list[Ints]:
    """Those that take most of the mean room first, in all amounts together and in CPU; ties by position."""
    room = np.concatenate([aim.rooms for aim in aims]).mean(axis=0)
    share = tables.need / np.maximum(room, 1)
    active = np.flatnonzero(left)
    return [active[np.argsort(-key[active], kind="stable")] for key in (share.sum(axis=1), share[:, CPU])]


class _Open:
    """Nodes opened so far."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.left: Floats = np.zeros((64, tables.need.shape[1]))
        self.shelf: Ints = np.zeros(64, dtype=np.int64)
        self.loads: list[list[tuple[int, int]]] = []
        self._on: Bools | None = None if tables.apart is None else np.zeros((64, tables.size), dtype=bool)

    def place(self, group: int, pods: int) -> int:
        """Put pods of a group that is on none yet on nodes that have room, first node first.

        Returns how many are left.
        """
        nodes = len(self.loads)
        if not nodes or not pods:
            return pods
        if pods == 1:
            return self._place_one(group, nodes)
        tables = self.tables
        asks = np.where(tables.need[group] > 0, tables.need[group], NOTHING)
        fits = np.floor(((self.left[:nodes] + CRUMB) / asks).min(axis=1))
        fits *= tables.open[self.shelf[:nodes], group]
        if self._on is not None and tables.apart is not None:
            fits[self._on[:nodes, tables.apart[group]].any(axis=1)] = 0
        fits = np.clip(fits, 0, float(tables.most[group]))
        taken = np.clip(pods - (np.cumsum(fits) - fits), 0, fits).astype(np.int64)
        at = np.flatnonzero(taken)
        self._put(at, group, taken[at])
        return pods - int(taken.sum())

    def _place_one(self, group: int, nodes: int) -> int:
        """The same for one pod, which is sooner: nothing has to be divided."""
        tables = self.tables
        fits = (self.left[:nodes] >= tables.need[group]).all(axis=1) & tables.open[self.shelf[:nodes], group]
        if self._on is not None and tables.apart is not None:
            fits &= ~self._on[:nodes, tables.apart[group]].any(axis=1)
        first = int(fits.argmax())
        if not fits[first]:
            return 1
        self._put(np.array([first]), group, _ONE)
        return 0

    def open(self, shelf: int, room: Floats, group: int, pods: Ints) -> None:
        """Open as many nodes as there are numbers of pods of a group."""
        at = np.arange(len(self.loads), len(self.loads) + len(pods))
        while at[-1] >= len(self.left):
            self.left = np.concatenate([self.left, np.zeros_like(self.left)])
            self.shelf = np.concatenate([self.shelf, np.zeros_like(self.shelf)])
            self._on = None if self._on is None else np.concatenate([self._on, np.zeros_like(self._on)])
        self.left[at], self.shelf[at] = room, shelf
        self.loads.extend([] for _ in at)
        self._put(at, group, pods)

    def _put(self, at: Ints, group: int, pods: Ints) -> None:
        self.left[at] -= pods[:, np.newaxis] * self.tables.need[group]
        if self._on is not None:
            self._on[at, group] = True
        for node, many in zip(at.tolist(), pods.tolist(), strict=True):
            self.loads[node].append((group, many))


def _first_fit(tables: Tables, left: Ints, aims: tuple[Aim, ...], order: Ints) -> list[Load]:
    opened, left = _Open(tables), left.copy()
    for group in order.tolist():
        pods = opened.place(group, int(left[group]))
        left[group] = pods
        while pods:
            shelf, room = worthwhile(tables, aims, group, left)
            asks = tables.need[group]
            each = min(int(np.floor((room[asks > 0] / asks[asks > 0]).min())), int(tables.most[group]))
            loads = np.full(max(1, pods // each), min(each, pods))
            opened.open(shelf, room, group, loads)
            pods -= int(loads.sum())
            left[group] = pods
    return [tuple(sorted(load)) for load in opened.loads]
