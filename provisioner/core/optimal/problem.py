"""What may be bought and for whom: the question put to the packing kernel.

The kernel knows no clouds, labels or zones. Its caller folds whatever decides where a pod may run
into *classes*: numbers shared by machines and by the groups of pods that may run on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeAlias

CPU: Final = 0
MEMORY: Final = 1
PODS: Final = 3
"""Places of the resources in every vector: CPU (millicores), memory (bytes), GPUs, pods, then whatever else."""

LARGEST_AMOUNT: Final = 2**48
"""Amounts up to here are exact in the floating-point numbers the kernel calculates with."""


class ProblemError(ValueError):
    """A question that makes no sense; the message lists every fault."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pods that nothing tells apart."""

    demand: tuple[int, ...]
    """Of one pod; the place of pods holds 1."""
    count: int
    classes: frozenset[int]
    """Classes of machines it may run on; none: it cannot be placed."""
    most_per_node: int | None = None
    """1 for pods that refuse each other, more for a spread; None: as many as fit."""
    apart: frozenset[int] = frozenset()
    """Positions of the groups that may not share a node with it; one side saying so is enough."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A machine that is sold as it is."""

    klass: int
    usable: tuple[int, ...]
    """What pods may use, after reservations and DaemonSets."""
    price: Decimal
    """US dollars per hour."""


@dataclass(frozen=True, slots=True)
class Flexible:
    """A family of machines sold by the whole OCPU and the whole GiB."""

    klass: int
    ocpus: tuple[int, ...]
    """The counts sold, ascending."""
    usable: tuple[tuple[int, ...], ...]
    """By place in `ocpus`: what pods may use; memory is left 0. Never falls as OCPUs rise."""
    memory: tuple[int, ...]
    """By GiB from 0 on: bytes pods may use; may dip where a reservation steps up."""
    gib: tuple[tuple[int, int], ...]
    """By place in `ocpus`: the least and the most GiB sold with it. Neither falls."""
    price_per_ocpu: Decimal
    price_per_gib: Decimal
    price_per_node: Decimal = Decimal(0)
    """Of each, whatever its size."""


Machine: TypeAlias = Fixed | Flexible


@dataclass(frozen=True, slots=True)
class Room:
    """Free room on a node that is paid for anyway."""

    klass: int
    usable: tuple[int, ...]


@dataclass(frozen=True, order=True, slots=True)
class Size:
    """One size that can be bought: a machine by its position and, if flexible, what of it."""

    machine: int
    ocpus: int = 0
    gib: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Pods, machines, free rooms, and how many distinct sizes may be in use."""

    groups: tuple[Group, ...]
    machines: tuple[Machine, ...]
    rooms: tuple[Room, ...] = ()
    max_pools: int = 20
    standing: frozenset[Size] = field(default_factory=frozenset)
    """Sizes in use already: they count, and cost no further pool."""

    def __post_init__(self) -> None:
        if faults := tuple(_faults(self)):
            raise ProblemError("\n".join(faults))

    def price_of(self, size: Size) -> Decimal:
        """Price per hour of one machine of that size."""
        machine = self.machines[size.machine]
        if isinstance(machine, Fixed):
            return machine.price
        by_size = machine.price_per_ocpu * size.ocpus + machine.price_per_gib * size.gib
        return machine.price_per_node + by_size

    def usable_of(self, size: Size) -> tuple[int, ...]:
        """What pods may use of one machine of that size."""
        machine = self.machines[size.machine]
        if isinstance(machine, Fixed):
            return machine.usable
        usable = list(machine.usable[machine.ocpus.index(size.ocpus)])
        usable[MEMORY] = machine.memory[size.gib]
        return tuple(usable)


def _faults(problem: Problem) -> Iterator[str]:
    width = len(problem.groups[0].demand) if problem.groups else PODS + 1
    if width <= PODS:
        yield f"a demand has {width} amounts; CPU, memory, GPUs and pods are needed at least"
    if problem.max_pools < 1:
        yield f"max_pools is {problem.max_pools}; at least 1 is needed"
    for index, group in enumerate(problem.groups):
        yield from _amounts(f"group {index}: demand", group.demand, width)
        yield from _group_faults(index, group, len(problem.groups))
    for index, machine in enumerate(problem.machines):
        yield from _machine_faults(f"machine {index}", machine, width)
    for index, room in enumerate(problem.rooms):
        yield from _amounts(f"room {index}: usable", room.usable, width)


def _group_faults(index: int, group: Group, groups: int) -> Iterator[str]:
    if group.count < 0:
        yield f"group {index}: count is {group.count}; it cannot be negative"
    if group.most_per_node is not None and group.most_per_node < 1:
        yield f"group {index}: most_per_node is {group.most_per_node}; at least 1 is needed"
    if len(group.demand) > PODS and group.demand[PODS] != 1:
        yield f"group {index}: demand counts {group.demand[PODS]} pods; one pod is 1"
    if any(not 0 <= other < groups or other == index for other in group.apart):
        yield f"group {index}: apart names groups {sorted(group.apart)}; other groups are 0 to {groups - 1}"


def _machine_faults(name: str, machine: Machine, width: int) -> Iterator[str]:
    if isinstance(machine, Fixed):
        yield from _amounts(f"{name}: usable", machine.usable, width)
        if not (machine.price.is_finite() and machine.price > 0):
            yield f"{name}: price is {machine.price}; it has to be positive"
        return
    for usable in machine.usable:
        yield from _amounts(f"{name}: usable", usable, width)
    prices = (machine.price_per_ocpu, machine.price_per_gib)
    if not all(price.is_finite() and price > 0 for price in prices):
        yield f"{name}: prices are {prices[0]} an OCPU, {prices[1]} a GiB; both have to be positive"
    if not (machine.price_per_node.is_finite() and machine.price_per_node >= 0):
        yield f"{name}: price_per_node is {machine.price_per_node}; it has to be 0 or more"
    if not len(machine.ocpus) == len(machine.usable) == len(machine.gib) or not machine.ocpus:
        yield f"{name}: ocpus, usable and gib have to be of one length, not empty"
        return
    rises = (
        pairwise(machine.ocpus),
        *(pairwise(column) for column in zip(*machine.usable, strict=True)),
        *(pairwise(column) for column in zip(*machine.gib, strict=True)),
    )
    if any(after < before for rise in rises for before, after in rise):
        yield f"{name}: ocpus, usable and gib must not fall"
    if any(not 0 <= least <= most < len(machine.memory) for least, most in machine.gib):
        yield f"{name}: gib has to lie within 0 and {len(machine.memory) - 1}, the least first"


def _amounts(name: str, amounts: tuple[int, ...], width: int) -> Iterator[str]:
    if len(amounts) != width:
        yield f"{name} has {len(amounts)} amounts; the first group has {width}"
    if any(not 0 <= amount <= LARGEST_AMOUNT for amount in amounts):
        yield f"{name} is {amounts}; amounts lie between 0 and {LARGEST_AMOUNT}"
