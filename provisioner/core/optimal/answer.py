"""What the packing kernel answers."""

from dataclasses import dataclass
from decimal import Decimal

from provisioner.core.optimal.problem import Size


@dataclass(frozen=True, slots=True)
class Node:
    """One machine to buy and what runs on it."""

    size: Size
    pods: tuple[tuple[int, int], ...]
    """Positions of groups with the number of their pods, ascending."""
    price: Decimal


@dataclass(frozen=True, slots=True)
class Answer:
    """The best set of nodes found, and how far it can be from the cheapest there is."""

    nodes: tuple[Node, ...]
    """By size, then by pods."""
    rooms: tuple[tuple[tuple[int, int], ...], ...]
    """By room: positions of groups with the number of their pods that go there."""
    unplaced: tuple[tuple[int, int], ...]
    """Positions of groups with the number of their pods that no machine can run."""
    price: Decimal
    """Of the nodes together, per hour."""
    bound: Decimal
    """No set of nodes that runs the same pods costs less."""
    rounds: int
    """Rounds of improvement that were run."""

    @property
    def gap(self) -> Decimal:
        """(price - bound) / price; 0 when the price is 0."""
        return (self.price - self.bound) / self.price if self.price else Decimal(0)
