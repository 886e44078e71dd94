"""For each node that is bought: the next best machine that could carry what is on it, and why it is not bought."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from provisioner.core.bin_select import Terms
from provisioner.core.fold import Folded
from provisioner.core.optimal.answer import Node
from provisioner.core.optimal.shelf import Floats, Shelf, stack
from provisioner.core.plan import RunnerUp


def of(folded: Folded, nodes: Sequence[Node], terms: Terms) -> list[RunnerUp | None]:
    """Runners-up in the order of the nodes."""
    if not nodes:
        return []
    demands = np.array([group.demand for group in folded.problem.groups], dtype=np.float64)
    loads: Floats = np.array([sum(demands[at] * pods for at, pods in node.pods) for node in nodes])
    rivals = _rivals(folded)
    prices = np.array([shelf.cheapest(loads) for _, shelf in rivals])
    return [
        _runner_up(
            folded,
            node,
            loads[[row]],
            [(price, *rival) for price, rival in zip(prices[:, row], rivals, strict=True)],
            terms,
        )
        for row, node in enumerate(nodes)
    ]


def _rivals(folded: Folded) -> list[tuple[int, Shelf]]:
    """Machines, each on a shelf of its own; a shape in other zones or with other labels counts once."""
    first: dict[tuple[str, str], int] = {}
    for at, lot in enumerate(folded.lots):
        first.setdefault((lot.offering.shape, lot.offering.capacity_type), at)
    return [(at, stack([(at, folded.problem.machines[at])])) for at in first.values()]


def _runner_up(
    folded: Folded, node: Node, load: Floats, rivals: Sequence[tuple[float, int, Shelf]], terms: Terms
) -> RunnerUp | None:
    allowed = frozenset.intersection(*(folded.problem.groups[at].classes for at, _ in node.pods))
    may = {folded.lots[at].offering for at in allowed if at < len(folded.lots)}
    own = folded.lots[node.size.machine].offering.shape
    options = [
        (price, folded.lots[at].offering.shape, at, shelf)
        for price, at, shelf in rivals
        if np.isfinite(price) and folded.lots[at].offering in may and folded.lots[at].offering.shape != own
    ]
    if not options:
        return None
    _, _, at, shelf = min(options, key=lambda option: option[:3])
    (size,) = shelf.choose(load)
    sized = terms.catalog.size(folded.lots[at].offering, size.ocpus, size.gib)
    return RunnerUp(sized, _why_not(sized.price_per_hour - folded.problem.price_of(node.size)))


def _why_not(more: Decimal) -> str:
    if more > 0:
        return f"costs ${more.normalize():f} an hour more"
    if more < 0:
        return f"costs ${-more.normalize():f} an hour less, but would be one size more than max_pools allows"
    return "costs the same and comes later by name"
