"""The first answer: first-fit over groups, nodes opened in a good size, shrunk at the end.

Groups go largest first. What no open node takes opens nodes of the size with the best price for
the pods still to come; at the end each node becomes the cheapest size for what is on it.
"""

from typing import Final

import numpy as np

from provisioner.core.optimal.bins import Bin, Load, cost, priced
from provisioner.core.optimal.fill import CRUMB, NOTHING
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.tables import Tables
from provisioner.core.optimal.targets import Aim, aims_of, worthwhile

MANY_GROUPS: Final = 600
"""From here on fewer orders are tried, so that the first answer stays early."""


def greedy(tables: Tables, left: Ints) -> list[Bin]:
    """Nodes for all pods left; every one of their groups fits some shelf."""
    if not left.any():
        return []
    aims = aims_of(tables, left)
    orders = _orders(tables, left, aims)
    if tables.size > MANY_GROUPS:
        orders = orders[:1]
    options = [
        _first_fit(tables, left, aims, order, spread)
        for spread in ((True, False) if tables.size <= MANY_GROUPS else (False,))
        for order in (orders if not spread else orders[:2])
    ]
    return min((priced(tables, loads) for loads in options), key=cost)


def _orders(tables: Tables, left: Ints, aims: tuple[Aim, ...]) -> list[Ints]:
    """Largest share of the mean room first; then by CPU, by memory; ties by position."""
    room = np.concatenate([aim.rooms for aim in aims]).mean(axis=0)
    share = tables.need / np.maximum(room, 1)
    active = np.flatnonzero(left)
    keys = [share.max(axis=1), share.sum(axis=1), share[:, 0], share[:, 1]]
    return [active[np.argsort(-key[active], kind="stable")] for key in keys]


class _Open:
    """Nodes opened so far."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.left: Floats = np.zeros((64, tables.need.shape[1]))
        self.shelf: Ints = np.zeros(64, dtype=np.int64)
        self.loads: list[dict[int, int]] = []

    def place(self, group: int, pods: int) -> int:
        """Put pods of a group on nodes that have room, first node first; returns how many are left."""
        nodes = len(self.loads)
        if not nodes or not pods:
            return pods
        tables = self.tables
        asks = np.where(tables.need[group] > 0, tables.need[group], NOTHING)
        fits = np.floor(((self.left[:nodes] + CRUMB) / asks).min(axis=1))
        fits *= tables.open[self.shelf[:nodes], group]
        if tables.most[group] < tables.count[group]:
            on = np.array([load.get(group, 0) for load in self.loads])
            fits = np.minimum(fits, tables.most[group] - on)
        if tables.apart is not None and tables.apart[group].any():
            others = set(np.flatnonzero(tables.apart[group]).tolist())
            fits *= np.array([others.isdisjoint(load) for load in self.loads])
        fits = np.maximum(fits, 0)
        before = np.cumsum(fits) - fits
        taken = np.clip(pods - before, 0, fits).astype(np.int64)
        for node in np.flatnonzero(taken):
            self._put(int(node), group, int(taken[node]))
        return pods - int(taken.sum())

    def open(self, shelf: int, room: Floats, load: dict[int, int]) -> None:
        """Open a node with a load that fits it."""
        node = len(self.loads)
        if node == len(self.left):
            self.left = np.concatenate([self.left, np.zeros_like(self.left)])
            self.shelf = np.concatenate([self.shelf, np.zeros_like(self.shelf)])
        self.left[node], self.shelf[node] = room, shelf
        self.loads.append({})
        for group, pods in load.items():
            self._put(node, group, pods)

    def _put(self, node: int, group: int, pods: int) -> None:
        self.left[node] -= pods * self.tables.need[group]
        self.loads[node][group] = self.loads[node].get(group, 0) + pods


def _first_fit(tables: Tables, left: Ints, aims: tuple[Aim, ...], order: Ints, spread: bool) -> list[Load]:  # noqa: FBT001 (a variant, not a switch)
    opened, left = _Open(tables), left.copy()
    if spread:
        _spread(opened, left, aims)
    for group in order.tolist():
        pods = opened.place(group, int(left[group]))
        left[group] = pods
        while pods:
            shelf, room = worthwhile(tables, aims, group, left)
            each = int(
                np.floor((room[tables.need[group] > 0] / tables.need[group][tables.need[group] > 0]).min())
            )
            each = min(each, int(tables.most[group]))
            for _ in range(max(1, pods // each)):
                opened.open(shelf, room, {group: min(each, pods)})
                pods -= min(each, pods)
            left[group] = pods
    return [tuple(sorted(load.items())) for load in opened.loads]


def _spread(opened: _Open, left: Ints, aims: tuple[Aim, ...]) -> None:
    """Open equal nodes that each hold an equal part of every group with one home; takes it off `left`."""
    tables = opened.tables
    if tables.apart is not None:
        return
    homes = _homes(tables, left, aims)
    for aim in aims:
        mine = left * (homes == aim.shelf)
        if not mine.any():
            continue
        total = mine @ tables.need
        with np.errstate(divide="ignore", invalid="ignore"):
            nodes = np.where(total > 0, total / aim.rooms, 0).max(axis=1)
        at = int(np.argmin(np.ceil(nodes) * aim.price))
        many = int(np.ceil(nodes[at]))
        part = np.minimum(mine // max(many, 1), tables.most)
        if many < 2 or not part.any() or not np.isfinite(aim.price[at]):  # noqa: PLR2004 (nothing to divide)
            continue
        load = {int(group): int(part[group]) for group in np.flatnonzero(part)}
        for _ in range(many):
            opened.open(aim.shelf, aim.rooms[at], load)
        left -= part * many


def _homes(tables: Tables, left: Ints, aims: tuple[Aim, ...]) -> Ints:
    """By group: the shelf where its pods alone are cheapest; -1 where none of the aims holds one."""
    best = np.full(tables.size, np.inf)
    home = np.full(tables.size, -1, dtype=np.int64)
    for aim in aims:
        weight = left * tables.open[aim.shelf]
        mean = weight @ tables.need / max(1, weight.sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            pods = np.where(mean > 0, aim.rooms / mean, np.inf).min(axis=1)
        rate = float((aim.price / np.maximum(pods, 1e-9)).min())
        largest = aim.rooms.max(axis=0)
        better = tables.open[aim.shelf] & (rate < best) & (tables.need <= largest).all(axis=1)
        best[better], home[better] = rate, aim.shelf
    return home
