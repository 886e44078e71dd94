"""The cheapest set on the clouds' own prices, where each node costs something beside them, held against an exact answer."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.offering import ARCHITECTURES
from provisioner.core.decide import decide
from provisioner.core.market import Catalog, cheapest_size
from provisioner.core.policy import Policy
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import GKE, NOW, OKE, pod

MARKETS = [(OKE, ("arm64",)), (OKE, ARCHITECTURES), (GKE, ("arm64",)), (GKE, ARCHITECTURES)]
GIB = 2**30
overheads = st.sampled_from(["0", "0.0029", "0.00685", "0.02"]).map(Decimal)
kind = st.tuples(
    st.sampled_from([100, 250, 400, 900, 1500]),
    st.sampled_from([GIB // 4, 10**9, 2 * 10**9, 4 * 10**9, 6 * 10**9]),
)
"""CPU in millicores and memory in bytes."""
counts = st.tuples(st.integers(1, 5), st.integers(1, 5))


def least(
    asks: Callable[[int, int], Resources], wanted: tuple[int, int], price: Callable[[Resources], Decimal]
) -> Decimal:
    """By trying every way of dividing pods of two kinds over nodes."""
    alone = cache(lambda one, other: price(asks(one, other)))

    @cache
    def of(one: int, other: int) -> Decimal:
        if not one and not other:
            return Decimal(0)
        loads = [(a, b) for a in range(one + 1) for b in range(other + 1) if a or b]
        return min(alone(a, b) + of(one - a, other - b) for a, b in loads)

    return of(*wanted)


@pytest.mark.parametrize(("market", "architectures"), MARKETS)
@settings(max_examples=25, deadline=None)
@given(kind, kind, counts, overheads)
def test_no_set_of_nodes_costs_less_with_what_each_costs_beside_its_price(
    market: Catalog,
    architectures: tuple[str, ...],
    first: tuple[int, int],
    second: tuple[int, int],
    wanted: tuple[int, int],
    overhead: Decimal,
) -> None:
    offerings = [
        each
        for each in market.offerings
        if each.arch in architectures and each.capacity_type == "on-demand" and not each.gpus
    ]

    def asks(one: int, other: int) -> Resources:
        cpu, memory = (first[at] * one + second[at] * other for at in (0, 1))
        return Resources(cpu, memory, 0, one + other)

    def bare(asked: Resources) -> Decimal:
        sizes = (cheapest_size(market, each, NOTHING, asked) for each in offerings)
        return min(size.price_per_hour for size in sizes if size is not None)

    pods = [pod(f"a{at}", requests=asks(1, 0)) for at in range(wanted[0])]
    pods += [pod(f"b{at}", requests=asks(0, 1)) for at in range(wanted[1])]
    policy = Policy(architectures=architectures, node_overhead_price_per_hour=overhead, max_pools=1000)
    plan = decide(Snapshot(tuple(pods)), market, policy, NOW, rounds(200))
    assert not plan.unplaced
    with_overhead = plan.price_per_hour + overhead * len(plan.nodes)
    assert with_overhead == least(asks, wanted, lambda asked: bare(asked) + overhead)
    assert plan.lower_bound_per_hour <= least(asks, wanted, bare)
