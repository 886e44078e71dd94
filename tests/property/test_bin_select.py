"""Bin-selection against brute force: no size that holds a pod is cheaper than the one chosen."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.loader import bundled
from catalog.offering import Offering
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.market import Catalog, Size, cheapest_size
from provisioner.core.model import Pod, PodTerm, Requirement
from provisioner.core.plan import Plan
from provisioner.core.resources import NOTHING, Resources
from tests.support.provision import (
    ANY_ARCH,
    OKE,
    OKE_NOMINAL,
    PLACE,
    amounts,
    catalog,
    daemon_set,
    flexible,
    node,
    offering,
    planned,
    pod,
)

prices = st.decimals("0", "2", places=3)
requests = st.builds(
    Resources,
    st.integers(0, 9000),
    st.integers(0, 44 * 2**30),
    st.sampled_from([0, 0, 0, 1]),
    st.just(1),
)
fixed_offerings = st.builds(
    lambda price, vcpus, gib, gpus: offering(
        "fixed", str(price), vcpus=vcpus, memory_gib=Decimal(gib), gpus=gpus
    ),
    prices,
    st.integers(1, 8),
    st.integers(1, 40),
    st.integers(0, 1),
)
flexible_offerings = st.builds(
    lambda cpu, gib, per, least, most, limit: flexible(
        price_per_ocpu_hour=cpu,
        price_per_gib_hour=gib,
        vcpus_per_ocpu=per,
        gib_per_ocpu_min=least,
        gib_per_ocpu_max=least + most,
        gib_max=limit,
    ),
    prices,
    prices,
    st.integers(1, 2),
    st.decimals("0.5", "4", places=1),
    st.decimals("0", "9", places=1),
    st.integers(1, 48),
)
markets = st.builds(
    lambda offerings, rules: Catalog(tuple(offerings), *rules),
    st.lists(fixed_offerings | flexible_offerings, min_size=1, max_size=1),
    st.sampled_from([("", "nominal"), ("oke", "nominal"), ("oke", "documented")]),
)


daemons = st.lists(
    st.builds(
        lambda cpu, memory: daemon_set(cpu=f"{cpu}m", memory=str(memory)),
        st.integers(0, 900),
        st.integers(0, 2**31),
    ),
    max_size=1,
)


def every_size(market: Catalog, what: Offering) -> list[Size]:
    if not what.is_flexible:
        return [market.size(what)]
    return [market.size(what, ocpus, gib) for ocpus in what.ocpu_range() for gib in what.gib_range(ocpus)]


@settings(max_examples=300)
@given(markets, daemons, requests)
def test_the_size_chosen_is_the_cheapest_that_holds_the_request(
    formulas: Catalog, made: list[DaemonSet], asked: Resources
) -> None:
    market = replace(formulas, daemon_sets=tuple(made))
    (what,) = market.offerings
    lost = market.lost(what, PLACE)
    both = asked + lost
    holding = [size.price_per_hour for size in every_size(market, what) if both.fits(size.usable)]
    chosen = cheapest_size(market, what, lost, asked)
    if chosen is None:
        assert not holding
    else:
        assert both.fits(chosen.usable + lost)
        assert chosen.price_per_hour == min(holding)


@given(st.integers(1, 76), st.integers(1, 80 * 2**30), st.sampled_from([OKE, OKE_NOMINAL]))
def test_on_oke_too(cores: int, memory: int, market: Catalog) -> None:
    asked = Resources(cores * 100, memory, 0, 1)
    arm = next(each for each in bundled("oke") if each.shape == "VM.Standard.A1.Flex")
    least = 4 if market.accounting == "documented" else 1
    sizes = (market.size(arm, ocpus, gib) for ocpus in range(1, 10) for gib in range(max(ocpus, least), 97))
    holding = [s.price_per_hour for s in sizes if s.memory_gib <= 64 * s.ocpus and asked.fits(s.usable)]
    chosen = cheapest_size(market, arm, NOTHING, asked)
    assert chosen is not None
    assert chosen.price_per_hour == min(holding)


labels = st.sampled_from([{}, {"app": "a"}, {"app": "b"}])
apart = st.sampled_from(
    [
        (),
        (PodTerm("kubernetes.io/hostname", (Requirement("app", "Exists"),), frozenset()),),
        (PodTerm("topology.kubernetes.io/zone", (Requirement("app", "In", ("a",)),), frozenset()),),
    ]
)
wanted_pods = st.lists(
    st.builds(
        lambda cpu, memory, own, terms, place: {
            "requests": Resources(cpu, memory, 0, 1),
            "labels": own,
            "anti_affinity": terms,
            "node_name": place,
            "phase": "Running" if place else "Pending",
        },
        st.integers(0, 3000),
        st.integers(0, 9 * 2**30),
        labels,
        apart,
        st.sampled_from(["", "", "n0", "n1"]),
    ),
    max_size=8,
).map(lambda values: [pod(f"p{index}", **each) for index, each in enumerate(values)])


@settings(max_examples=200)
@given(wanted_pods, st.integers(0, 2))
def test_no_pod_is_lost_and_none_is_placed_twice(wanted: list[Pod], nodes: int) -> None:
    market = catalog(offering(), flexible(zones=("z1", "z2")))
    there = tuple(node(f"n{index}", "2", "4Gi") for index in range(nodes))
    plan = planned(wanted, market, nodes=there)
    placed = [p.name for bought in plan.nodes for p in bought.pods]
    placed += [p.name for placement in plan.existing for p in placement.pods]
    assert sorted([*placed, *(each.pod.name for each in plan.unplaced)]) == sorted(
        p.name for p in wanted if not p.node_name
    )
    assert all(len(each.reasons) >= 1 for each in plan.unplaced)
    assert_room(plan, wanted)


MANY_SIZES = catalog(
    flexible(), flexible("other", arch="amd64", vcpus_per_ocpu=2, price_per_ocpu_hour=Decimal("0.025"))
)


@given(
    st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 44 * 2**30)), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_a_cap_on_sizes_leaves_no_pod_that_a_size_in_use_holds(
    asked: list[tuple[int, int]], most: int
) -> None:
    wanted = [pod(f"p{at}", requests=Resources(*each, 0, 1)) for at, each in enumerate(asked)]
    plan = planned(wanted, MANY_SIZES, replace(ANY_ARCH, max_pools=most))
    used = {each.spec: each.size for each in plan.nodes}
    assert len(used) <= most
    for unplaced in plan.unplaced:
        (reason,) = unplaced.reasons
        if reason.code == "limit":
            assert not any(unplaced.pod.requests.fits(size.usable) for size in used.values())
    sizes = [size for what in MANY_SIZES.offerings for size in every_size(MANY_SIZES, what)]
    free = planned(wanted, MANY_SIZES, replace(ANY_ARCH, max_pools=10**9))
    holding = [[size.price_per_hour for size in sizes if p.requests.fits(size.usable)] for p in wanted]
    assert free.price_per_hour == sum((min(prices) for prices in holding if prices), Decimal(0))
    assert len(free.unplaced) == holding.count([])


def assert_room(plan: Plan, wanted: list[Pod]) -> None:
    for bought in plan.nodes:
        assert all(p.requests.fits(bought.size.usable) for p in bought.pods)
        assert len(bought.pods) == 1
    for placement in plan.existing:
        running = [p for p in wanted if p.node_name == placement.node]
        free = amounts("2", "4Gi", pods=110)
        for guest in (*running, *placement.pods):
            free = free - guest.requests
        newcomers = placement.pods
        assert free.cpu_millicores >= 0 or not any(p.requests.cpu_millicores for p in newcomers)
        assert free.memory_bytes >= 0 or not any(p.requests.memory_bytes for p in newcomers)
