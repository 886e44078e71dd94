"""What each node is taken to cost beside its price: it decides between few nodes and many, and nothing else."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from catalog.offering import ARCHITECTURES, Offering
from provisioner.core.market import Catalog
from provisioner.core.model import Pod
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_PACK, BIN_SELECT, OPTIMAL, Policy
from tests.support import provision
from tests.support.provision import (
    ANY_ARCH,
    GKE,
    OKE,
    bought,
    catalog,
    codes,
    flexible,
    offering,
    pod,
    pods,
    worker,
)
from tests.support.world import World

BARE = replace(ANY_ARCH, mode=OPTIMAL)
OVERHEAD = Decimal("0.2")
COUNTED = replace(BARE, node_overhead_price_per_hour=OVERHEAD)
SMALL = offering("small", "1", vcpus=1, memory_gib=Decimal(4))
LARGE = offering("large", "3.1", vcpus=4, memory_gib=Decimal(16))
MARKET = catalog(SMALL, LARGE)
THREE = pods(3, "900m", "3Gi")
OKE_VOLUME, GKE_DISK = Decimal("0.0029"), Decimal("0.0068")
"""Of 50 GiB, an hour."""


def planned(wanted: Any, policy: Policy = COUNTED, **changes: Any) -> Plan:
    return provision.planned(wanted, MARKET, replace(policy, **changes))


def test_fewer_nodes_are_bought_where_each_costs_more_than_its_price() -> None:
    assert bought(planned(THREE, BARE)) == {"small": 3}
    assert bought(planned(THREE)) == {"large": 1}


@pytest.mark.parametrize("few", [LARGE, flexible("flex", price_per_ocpu_hour=Decimal("1.03"))])
def test_sizes_of_every_kind_have_it(few: Offering) -> None:
    market = catalog(SMALL, few)
    assert bought(provision.planned(THREE, market, BARE)) == {"small": 3}
    (node,) = provision.planned(THREE, market, COUNTED).nodes
    assert node.size.offering.shape == few.shape


def test_prices_and_the_bound_are_told_without_it() -> None:
    plan = planned(THREE)
    assert (plan.price_per_hour, plan.lower_bound_per_hour) == (Decimal("3.1"), Decimal(3))
    assert planned(pods(1, "900m", "3Gi")).gap == 0


def test_the_runner_up_costs_more_by_the_difference_of_prices() -> None:
    (bare,) = planned(pods(1, "900m", "3Gi"), BARE).nodes
    (counted,) = planned(pods(1, "900m", "3Gi")).nodes
    assert bare.runner_up == counted.runner_up
    assert counted.runner_up is not None
    assert counted.runner_up.why_not == "costs $2.1 an hour more"


def test_limits_in_dollars_are_about_prices() -> None:
    assert codes(planned(THREE, max_price_per_hour=Decimal("3.1"))) == {}
    wanted = pod("p", annotations={"rightsize.io/instance-max-cost": "1"})
    assert bought(planned([wanted])) == {"small": 1}


@pytest.mark.parametrize("mode", [BIN_SELECT, BIN_PACK])
def test_modes_that_choose_by_the_pod_buy_the_same(mode: str) -> None:
    assert bought(planned(THREE, mode=mode)) == bought(planned(THREE, BARE, mode=mode))


POINTS = ((1, 1), (4, 4), (1, 4), (4, 1))
"""Workers of vgg16 and of squeezenet."""


@pytest.mark.parametrize(
    ("market", "architectures", "overhead", "bare", "counted"),
    [
        (
            OKE,
            ("arm64",),
            OKE_VOLUME,
            ("0.028", "0.072", "0.045", "0.0585"),
            ("0.028", "0.072", "0.0465", "0.0585"),
        ),
        (
            GKE,
            ("arm64",),
            GKE_DISK,
            ("0.077", "0.29596", "0.154", "0.231"),
            ("0.077", "0.308", "0.154", "0.231"),
        ),
        (
            GKE,
            ARCHITECTURES,
            GKE_DISK,
            ("0.067011", "0.265993", "0.134022", "0.201033"),
            ("0.067011", "0.268044", "0.134022", "0.201033"),
        ),
    ],
)
def test_the_boot_volumes_price_makes_a_published_point_dearer_than_its_proven_least(
    market: Catalog,
    architectures: tuple[str, ...],
    overhead: Decimal,
    bare: tuple[str, ...],
    counted: tuple[str, ...],
) -> None:
    """Why it is 0 unless it is set: runs are held to the least of bare prices."""
    for counts, expected in ((Decimal(0), bare), (overhead, counted)):
        policy = Policy(architectures=architectures, node_overhead_price_per_hour=counts)
        prices = [provision.planned(workers(*point), market, policy).price_per_hour for point in POINTS]
        assert prices == [Decimal(price) for price in expected]


def workers(vgg16: int, squeezenet: int) -> list[Pod]:
    return [
        *(pod(f"v{at}", "400m", "4G") for at in range(vgg16)),
        *(pod(f"s{at}", "400m", "1G") for at in range(squeezenet)),
    ]


MOVING = replace(COUNTED, node_unneeded_s=20, repack_cost_per_pod=Decimal("0.01"))


def grown_by_one(policy: Policy) -> World:
    """Three pods that came one after the other while nothing was moved, each on a small node of its own."""
    world = World(MARKET, replace(policy, repack=False))
    for name in "abc":
        world.cluster.add(worker(name, "", "900m", "3Gi"))
        world.rounds(2)
    assert world.bought == ["small"] * 3
    world.policy = policy
    world.restart()
    return world


def test_pods_are_moved_to_fewer_nodes_by_it_and_stay_there() -> None:
    world = grown_by_one(MOVING)
    world.rounds(60)
    assert (world.bought, world.price_per_hour) == (["small"] * 3 + ["large"], Decimal("3.1"))
    assert "$0.3 an hour ($0.2 counted for each node)" in "\n".join(world.log.lines)
    moved = list(world.cluster.evicted)
    world.restart()
    world.rounds(20)
    assert (len(world.bought), world.cluster.evicted) == (4, moved)


def test_without_it_they_stay_where_they_are() -> None:
    world = grown_by_one(replace(MOVING, node_overhead_price_per_hour=Decimal(0)))
    world.rounds(20)
    assert (len(world.bought), world.cluster.evicted) == (3, [])
