"""From merged groups and floating point back to the caller's groups and money."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import Final

from provisioner.core.optimal.bins import Load
from provisioner.core.optimal.problem import Fixed, Problem
from provisioner.core.optimal.tables import Tables

_SAFETY: Final = 1e-9
"""Share taken off a bound for rounding in floating-point sums."""


class Deal:
    """Hands the pods of merged groups out to the problem's own groups."""

    def __init__(self, problem: Problem, tables: Tables) -> None:
        self._left = [[[index, problem.groups[index].count] for index in row] for row in tables.members]

    def out(self, load: Load) -> tuple[tuple[int, int], ...]:
        """A load of merged groups as one of the problem's groups."""
        dealt: list[tuple[int, int]] = []
        for row, pods in load:
            wanted = pods
            while wanted:
                first = self._left[row][0]
                taken = min(wanted, first[1])
                dealt.append((first[0], taken))
                first[1] -= taken
                wanted -= taken
                if not first[1]:
                    self._left[row].pop(0)
        return tuple(sorted(dealt))


def money(bound: float, problem: Problem) -> Decimal:
    """A bound as money, rounded up: every price is a multiple of one amount, so every sum of them is."""
    prices: list[Fraction] = []
    for machine in problem.machines:
        own = (
            (machine.price,)
            if isinstance(machine, Fixed)
            else (machine.price_per_ocpu, machine.price_per_gib, machine.price_per_node)
        )
        prices += [Fraction(price) for price in own if price]
    if bound <= 0 or not prices:
        return Decimal(0)
    bottom = lcm(*(price.denominator for price in prices))
    top = gcd(*(price.numerator * (bottom // price.denominator) for price in prices))
    steps = ceil(Fraction(bound * (1 - _SAFETY)) * bottom / top)
    return Decimal(steps * top) / Decimal(bottom)
