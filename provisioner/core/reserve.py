"""Keeping a moved pod off the places of others: the scheduler does not know who was meant to go where.

While a pod moves to its target, the other targets of the move are cordoned. They are let go when their
own pod's turn comes, when a pending pod is to have them, and when the move is over or off.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from catalog.names import RESERVED_KEY
from provisioner.core.model import Node
from provisioner.core.plan import RELEASE, RESERVE, NodeStep


def is_reserved(node: Node) -> bool:
    """Whether it is cordoned for others of the same move."""
    return node.is_cordoned and RESERVED_KEY in node.annotations


def closings(nodes: Iterable[Node], others: AbstractSet[str], target: str) -> Iterator[NodeStep]:
    """What is to be done before a pod may leave for its target; nothing once it can go nowhere else."""
    for node in nodes:
        if node.name == target and is_reserved(node):
            yield NodeStep(node.name, RELEASE, "the next pod goes here")
        elif node.name in others and node.name != target and not node.is_cordoned:
            yield NodeStep(node.name, RESERVE, f"others are to have it; the next pod goes to {target}")


def openings(nodes: Iterable[Node], kept: AbstractSet[str]) -> Iterator[NodeStep]:
    """Reservations that nobody needs any more."""
    for node in nodes:
        if RESERVED_KEY in node.annotations and node.name not in kept:
            yield NodeStep(node.name, RELEASE, "nobody is to be kept off it any more")
