from dataclasses import replace
from decimal import Decimal

import pytest

from provisioner.core.explain import purchase
from provisioner.core.model import HOSTNAME, PodTerm, Requirement
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_PACK, BIN_SELECT, Policy
from tests.support import provision
from tests.support.provision import ANY_ARCH, OKE, bought, catalog, codes, flexible, node, offering, pod, pods

SMALL = offering("small", "1", vcpus=1, memory_gib=Decimal(4))
SHARED = offering("shared", "3", vcpus=4, memory_gib=Decimal(8))
GPU = offering("gpu", "9", vcpus=4, memory_gib=Decimal(8), gpus=1)
MARKET = catalog(SMALL, SHARED, GPU)
PACKED = replace(ANY_ARCH, mode=BIN_PACK)


def planned(wanted: object, policy: Policy = PACKED, **snapshot: object) -> Plan:
    return provision.planned(wanted, MARKET, policy, **snapshot)  # type: ignore[arg-type]


def test_small_pods_share_nodes_of_the_configured_size() -> None:
    plan = planned(pods(12, "500m", "512Mi"))
    assert bought(plan) == {"shared": 2}
    assert [len(each.pods) for each in plan.nodes] == [8, 4]


def test_even_one_small_pod_gets_the_shared_size() -> None:
    assert bought(planned(pods(1, "100m", "100Mi"))) == {"shared": 1}


@pytest.mark.parametrize(
    ("cpu", "memory", "size"),
    [("3100m", "1G", "shared"), ("500m", "2001M", "small"), ("500m", "2G", "shared")],
)
def test_pods_above_a_threshold_get_their_own_cheapest_node(cpu: str, memory: str, size: str) -> None:
    assert bought(planned([pod("p", cpu, memory)])) == {size: 1}


def test_a_large_pod_shares_with_nobody() -> None:
    plan = planned([pod("large", "3100m", "1G"), *pods(2, "100m", "100Mi")])
    assert sorted(len(each.pods) for each in plan.nodes) == [1, 2]


def test_gpu_pods_get_nodes_of_their_own() -> None:
    plan = planned([pod("g", "100m", "100Mi", 1), pod("h", "100m", "100Mi", 1)])
    assert bought(plan) == {"gpu": 2}


def test_room_that_is_there_comes_first() -> None:
    assert not planned(pods(3, "500m", "512Mi"), nodes=(node("n", "2", "4Gi"),)).nodes


def test_pods_that_refuse_each_other_do_not_share() -> None:
    itself = PodTerm(HOSTNAME, (Requirement("app", "In", ("a",)),), frozenset({"default"}))
    wanted = [pod(f"p{at}", labels={"app": "a"}, anti_affinity=(itself,)) for at in range(3)]
    assert bought(planned(wanted)) == {"shared": 3}


def test_limits_hold() -> None:
    plan = planned(pods(12, "500m", "512Mi"), replace(PACKED, max_nodes=1))
    assert bought(plan) == {"shared": 1}
    assert set(map(tuple, codes(plan).values())) == {("limit",)}


def test_where_no_size_may_be_added_one_that_the_plan_buys_is_shared() -> None:
    large = pod("large", "6", "16Gi")
    plan = provision.planned(
        [large, *pods(2, "500m", "1Gi")], catalog(flexible()), replace(PACKED, max_pools=1)
    )
    assert [len(each.pods) for each in plan.nodes] == [1, 2]
    assert len({each.spec for each in plan.nodes}) == 1


def test_where_no_machine_is_that_large_the_cheapest_that_holds_a_pod_is_shared() -> None:
    plan = provision.planned(pods(5, "400m", "1G"), catalog(SMALL), PACKED)
    assert (bought(plan), codes(plan)) == ({"small": 3}, {})
    assert [len(each.pods) for each in plan.nodes] == [2, 2, 1]


def test_then_explain_says_what_was_asked_for_and_by_which_settings() -> None:
    (node,) = provision.planned(pods(1), catalog(SMALL), PACKED).nodes
    assert (
        "a node to share is to leave 3250m CPU, 7516192768 bytes (7 GiB) of memory, 42 pods (bin_packing_node_cpu, "
        "bin_packing_node_memory, bin_packing_node_min_pod_count of the policy), and a pod that asks for so much gets "
        "none: it asks for 3250m CPU (the most is 1000m) and "
    ) in purchase(node)
    (shared,) = planned(pods(1)).nodes
    assert "bin_packing" not in purchase(shared)


def test_a_pod_that_no_machine_holds_is_told_of_itself_and_not_of_the_shared_size() -> None:
    plan = provision.planned(pods(1, "2"), catalog(SMALL), PACKED)
    ((reason,),) = (each.reasons for each in plan.unplaced)
    assert (reason.code, "2000m CPU (the most is 1000m)" in reason.text) == ("too-large", True)


def test_where_a_limit_forbids_the_shared_size_a_smaller_node_will_do() -> None:
    plan = planned(pods(1), replace(PACKED, max_price_per_hour=Decimal(2)))
    assert bought(plan) == {"small": 1}


def test_pods_that_have_to_share_a_node_get_one_of_another_size_too() -> None:
    beside = PodTerm(HOSTNAME, (Requirement("app", "In", ("a",)),), frozenset({"default"}))
    wanted = pods(2, "400m", "1G", labels={"app": "a"}, affinity=(beside,))
    plan = provision.planned(wanted, catalog(SMALL), PACKED)
    assert [len(each.pods) for each in plan.nodes] == [2]


def test_on_oke_it_is_cheaper_than_a_node_each_and_dearer_than_the_bound() -> None:
    wanted = pods(40, "400m", "1G")
    packed, alone = (
        provision.planned(wanted, OKE, replace(ANY_ARCH, mode=mode)) for mode in (BIN_PACK, BIN_SELECT)
    )
    assert packed.lower_bound_per_hour == alone.lower_bound_per_hour
    assert packed.lower_bound_per_hour < packed.price_per_hour < alone.price_per_hour
