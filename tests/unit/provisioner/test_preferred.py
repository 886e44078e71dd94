"""A preferred architecture: bought where it can be, and the other one where it cannot."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.market import Stockout
from provisioner.core.model import ARCH, NodeTerm, Requirement
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_SELECT, MODES, OPTIMAL
from tests.support import provision
from tests.support.provision import ANY_ARCH, NOW, bought, catalog, offering, pod, pods

MARKET = catalog(
    offering("arm", "2", vcpus=4, memory_gib=8),
    offering("amd", "1", arch="amd64", vcpus=4, memory_gib=8),
    offering("amd-large", "5", arch="amd64", vcpus=16, memory_gib=64),
)
PACKED: dict[str, Any] = {"bin_packing_node_memory": 2**30}
every_mode = pytest.mark.parametrize("mode", MODES)


def planned(wanted: Any, mode: str, preferred: str = "arm64", **snapshot: Any) -> Plan:
    policy = replace(ANY_ARCH, mode=mode, preferred_architecture=preferred, **PACKED)
    return provision.planned(wanted, MARKET, policy, **snapshot)


@every_mode
@pytest.mark.parametrize(("preferred", "shape"), [("", "amd"), ("arm64", "arm"), ("amd64", "amd")])
def test_the_preferred_one_is_bought_and_without_one_the_cheapest(
    mode: str, preferred: str, shape: str
) -> None:
    assert bought(planned(pods(1), mode, preferred)) == {shape: 1}


@every_mode
@pytest.mark.parametrize(
    "changes",
    [
        {"node_selector": {ARCH: "amd64"}},
        {"node_affinity": (NodeTerm((Requirement(ARCH, "In", ("amd64",)),)),)},
        {"node_affinity": (NodeTerm((Requirement(ARCH, "NotIn", ("arm64",)),)),)},
    ],
)
def test_a_pod_that_names_the_other_gets_the_other(mode: str, changes: dict[str, Any]) -> None:
    assert bought(planned([pod(**changes)], mode)) == {"amd": 1}


@every_mode
def test_what_the_preferred_one_cannot_hold_goes_to_the_other(mode: str) -> None:
    assert bought(planned([pod("large", "10"), pod("small", "3")], mode)) in (
        {"amd-large": 1, "arm": 1},
        {"amd-large": 1},
    )


@every_mode
def test_while_the_preferred_one_is_out_of_stock_the_other_is_bought(mode: str) -> None:
    out = Stockout("arm", "z1", "on-demand", NOW + timedelta(seconds=60))
    assert bought(planned(pods(1), mode, stockouts=(out,))) == {"amd": 1}


def test_the_runner_up_says_that_it_is_not_preferred() -> None:
    (node,) = planned(pods(1), BIN_SELECT).nodes
    assert node.runner_up is not None
    assert node.runner_up.why_not == "costs $1 an hour less, but arm64 is preferred"


def test_the_bound_is_that_of_the_cheapest_set_whatever_is_preferred() -> None:
    plan = planned(pods(1), OPTIMAL)
    assert [plan.price_per_hour, plan.lower_bound_per_hour] == [Decimal(2), Decimal(1)]
