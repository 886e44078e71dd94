"""For each node that is bought: the next best machine that could carry what is on it, and why it is not bought."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from provisioner.core.bin_select import Terms
from provisioner.core.fold import Folded
from provisioner.core.optimal.answer import Node
from provisioner.core.optimal.shelf import Bools, Floats, Shelf, stack
from provisioner.core.plan import RunnerUp


def of(folded: Folded, nodes: Sequence[Node], terms: Terms) -> list[RunnerUp | None]:
    """Runners-up in the order of the nodes; nodes alike are looked at once."""
    alike = list({(node.size, node.pods): node for node in nodes}.values())
    if not alike:
        return []
    demands = np.array([group.demand for group in folded.problem.groups], dtype=np.float64)
    loads: Floats = np.array([sum(demands[at] * pods for at, pods in node.pods) for node in alike])
    rivals = _Rivals(folded, terms)
    prices = np.array([shelf.cheapest(loads) for shelf in rivals.shelves])
    found = {
        (node.size, node.pods): rivals.best(node, loads[[row]], prices[:, row])
        for row, node in enumerate(alike)
    }
    return [found[node.size, node.pods] for node in nodes]


class _Rivals:
    """Machines, each on a shelf of its own; a shape in other zones or with other labels counts once.

    They stand by shape, so that the first of the cheapest is the one to name.
    """

    def __init__(self, folded: Folded, terms: Terms) -> None:
        first: dict[tuple[str, str], int] = {}
        for at, lot in enumerate(folded.lots):
            first.setdefault((lot.offering.shape, lot.offering.capacity_type), at)
        self._folded, self._terms = folded, terms
        self._lots = sorted(first.values(), key=lambda at: (folded.lots[at].offering.shape, at))
        self._shapes = np.array([folded.lots[at].offering.shape for at in self._lots])
        self._open: dict[frozenset[int], Bools] = {}
        self.shelves: list[Shelf] = [stack([(at, folded.problem.machines[at])]) for at in self._lots]

    def best(self, node: Node, load: Floats, prices: Floats) -> RunnerUp | None:
        """The cheapest for the load of a node, given the price of each."""
        lots, problem = self._folded.lots, self._folded.problem
        own = lots[node.size.machine].offering.shape
        price = np.where(self._open_to(node) & (self._shapes != own), prices, np.inf)
        at = int(price.argmin()) if len(price) else -1
        if at < 0 or not np.isfinite(price[at]):
            return None
        (size,) = self.shelves[at].choose(load)
        lot = lots[self._lots[at]]
        sized = self._terms.catalog.size_at(lot.offering, lot.place, size.ocpus, size.gib)
        return RunnerUp(sized, _why_not(problem.price_of(size) - problem.price_of(node.size)))

    def _open_to(self, node: Node) -> Bools:
        """Which of them everything on the node may run on."""
        groups, lots = self._folded.problem.groups, self._folded.lots
        classes = frozenset.intersection(*(groups[at].classes for at, _ in node.pods))
        if classes not in self._open:
            may = {lots[at].offering for at in classes if at < len(lots)}
            self._open[classes] = np.array([lots[at].offering in may for at in self._lots])
        return self._open[classes]


def _why_not(more: Decimal) -> str:
    if more > 0:
        return f"costs ${more.normalize():f} an hour more"
    if more < 0:
        return f"costs ${-more.normalize():f} an hour less, but would be one size more than max_pools allows"
    return "costs the same and comes later by name"
