"""Pods that have to share one node get one that holds them all."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.model import HOSTNAME, ZONE, Pod, PodTerm, Requirement
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_PACK, MODES
from tests.support import provision
from tests.support.provision import ANY_ARCH, catalog, codes, flexible, node, offering, pod

APP = (Requirement("app", "In", ("a",)),)
BESIDE = PodTerm(HOSTNAME, APP, frozenset({"default"}))
IN_ZONE = PodTerm(ZONE, APP, frozenset({"default"}))
MARKET = catalog(flexible(zones=("z1", "z2")))
every_mode = pytest.mark.parametrize("mode", MODES)


def clump(count: int, cpu: str = "700m", **changes: Any) -> list[Pod]:
    return [
        pod(f"p{at}", cpu, **{"labels": {"app": "a"}, "affinity": (BESIDE,), **changes})
        for at in range(count)
    ]


def planned(wanted: list[Pod], mode: str, **snapshot: Any) -> Plan:
    policy = replace(ANY_ARCH, mode=mode, bin_packing_node_cpu=1000, bin_packing_node_memory=2**30)
    return provision.planned(wanted, MARKET, policy, **snapshot)


@every_mode
def test_all_of_them_get_one_node(mode: str) -> None:
    plan = planned(clump(4), mode)
    assert ([len(each.pods) for each in plan.nodes], codes(plan)) == ([4], {})
    assert plan.nodes[0].size.cpu_millicores == 3000
    assert 0 < plan.lower_bound_per_hour <= plan.price_per_hour


@every_mode
def test_room_that_holds_only_some_of_them_is_not_begun(mode: str) -> None:
    plan = planned(clump(4), mode, nodes=(node("small", "2"), node("large", "3")))
    assert {each.node: len(each.pods) for each in plan.existing} == {"large": 4}


@every_mode
def test_where_one_of_them_is_already_the_others_follow(mode: str) -> None:
    running = replace(clump(1)[0], name="r", node_name="n", phase="Running")
    plan = planned([running, *clump(2)], mode, nodes=(node("n", "4"), node("m", "4")))
    assert {each.node: len(each.pods) for each in plan.existing} == {"n": 2}


@every_mode
def test_when_no_node_holds_all_one_is_placed_and_the_others_say_why(mode: str) -> None:
    plan = planned(clump(10, "1500m"), mode)
    assert len(plan.nodes) == 1
    assert set(map(tuple, codes(plan).values())) == {("affinity",)}


@every_mode
def test_in_a_zone_each_may_have_its_own_node(mode: str) -> None:
    plan = planned(clump(3, "7", affinity=(IN_ZONE,)), mode)
    assert (len(plan.nodes), len({each.size.zone for each in plan.nodes}), codes(plan)) == (3, 1, {})


@every_mode
def test_others_may_come_to_the_node(mode: str) -> None:
    plan = planned([*clump(3, "300m"), pod("other", "50m")], mode)
    assert sorted(each.name for one in plan.nodes for each in one.pods) == ["other", "p0", "p1", "p2"]
    assert len({one.spec for one in plan.nodes if any(each.affinity for each in one.pods)}) == 1


def test_small_ones_get_the_shared_size_in_bin_packing() -> None:
    market = catalog(offering("small", "1"), offering("shared", "3", vcpus=4, memory_gib=Decimal(16)))
    policy = replace(ANY_ARCH, mode=BIN_PACK)
    plan = provision.planned([*clump(2, "100m"), pod("other")], market, policy)
    assert [(each.size.offering.shape, len(each.pods)) for each in plan.nodes] == [("shared", 3)]
