"""What all bought nodes together may be, in every mode: nodes, CPU, memory and dollars."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL
from provisioner.core.pools import Instance, Pool
from tests.support import provision
from tests.support.provision import ANY_ARCH, catalog, codes, node, offering, pod, pods

GIB = 2**30
MARKET = catalog(offering("small", "1", vcpus=4, memory_gib=Decimal(8)))
PACKED: dict[str, Any] = {
    "bin_packing_node_cpu": 3000,
    "bin_packing_node_memory": GIB,
    "bin_packing_node_min_pod_count": 1,
}
every_mode = pytest.mark.parametrize("mode", MODES)


def planned(wanted: Any, mode: str, limits: dict[str, Any], **snapshot: Any) -> Plan:
    return provision.planned(wanted, MARKET, replace(ANY_ARCH, mode=mode, **PACKED, **limits), **snapshot)


@every_mode
@pytest.mark.parametrize(
    ("limits", "code", "text"),
    [
        ({"max_nodes": 2}, "limit", "max_nodes is 2: in use are 2, and small would add 1"),
        (
            {"max_cpu_millicores": 11_999},
            "limit",
            "max_cpu_millicores is 11999: in use are 8000, and small would add 4000",
        ),
        (
            {"max_memory_bytes": 20 * GIB},
            "limit",
            f"max_memory_bytes is {20 * GIB}: in use are {16 * GIB}, and small would add {8 * GIB}",
        ),
        (
            {"max_price_per_hour": Decimal("2.99")},
            "budget",
            "max_price_per_hour is 2.99: in use are 2, and small would add 1",
        ),
    ],
)
def test_beyond_a_limit_pods_stay_pending_and_the_limit_is_named(
    mode: str, limits: dict[str, Any], code: str, text: str
) -> None:
    plan = planned(pods(4, "2500m"), mode, limits)
    assert len(plan.nodes) == 2
    assert [[(one.code, one.text) for one in each.reasons] for each in plan.unplaced] == [[(code, text)]] * 2


@every_mode
@pytest.mark.parametrize(
    "limits",
    [
        {"max_nodes": 3},
        {"max_cpu_millicores": 12_000},
        {"max_memory_bytes": 24 * GIB},
        {"max_price_per_hour": Decimal(3)},
    ],
)
def test_a_limit_may_be_used_up_and_counts_what_was_bought_before(mode: str, limits: dict[str, Any]) -> None:
    (first,) = planned(pods(1, "2500m"), mode, {}).nodes
    pool = Pool("pool", "pool", first.spec, 2, (Instance("i1"), Instance("i2")))
    running = [pod(f"r{at}", "3500m", node_name=f"n{at}", phase="Running") for at in (1, 2)]
    nodes = tuple(node(f"n{at}", "4", provider_id=f"i{at}") for at in (1, 2))
    plan = planned([*running, *pods(2, "2500m")], mode, limits, pools=(pool,), nodes=nodes)
    assert (len(plan.nodes), len(codes(plan))) == (1, 1)


@every_mode
@pytest.mark.parametrize(
    "limits",
    [
        {"max_nodes": 0},
        {"max_cpu_millicores": 0},
        {"max_memory_bytes": 0},
        {"max_price_per_hour": Decimal(0)},
    ],
)
def test_a_limit_of_nothing_buys_nothing_and_uses_what_is_there(mode: str, limits: dict[str, Any]) -> None:
    plan = planned(pods(2, "2500m"), mode, limits, nodes=(node("n", "3"),))
    assert (len(plan.nodes), len(plan.existing), len(plan.unplaced)) == (0, 1, 1)


def test_a_limit_on_cpu_holds_for_the_set_that_costs_least() -> None:
    market = catalog(offering("small", "1"), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
    policy = replace(ANY_ARCH, mode=OPTIMAL, max_cpu_millicores=6000)
    plan = provision.planned(pods(40, "450m"), market, policy)
    assert sum(each.size.cpu_millicores for each in plan.nodes) <= 6000
    assert set(map(tuple, codes(plan).values())) == {("limit",)}
