from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core import explain
from provisioner.core.machines import machine, vector
from provisioner.core.market import Catalog, Stockout
from provisioner.core.model import (
    CAPACITY_TYPE,
    HOSTNAME,
    ZONE,
    HostPort,
    Pod,
    PodTerm,
    Requirement,
    Spread,
    Taint,
    Toleration,
)
from provisioner.core.optimal.problem import Flexible, Group, Problem, Size
from provisioner.core.plan import Plan
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.pools import Pool, PoolSpec
from provisioner.core.resources import Resources
from tests.support import provision
from tests.support.provision import (
    GKE,
    NOW,
    OKE,
    OKE_NOMINAL,
    PLACE,
    amounts,
    bought,
    catalog,
    codes,
    daemon_set,
    flexible,
    node,
    offering,
    pod,
    pods,
)

ANY = replace(provision.ANY_ARCH, mode=OPTIMAL)
SMALL = offering("small", "1", vcpus=1, memory_gib=Decimal(4))
LARGE = offering("large", "3", vcpus=4, memory_gib=Decimal(16))
MARKET = catalog(SMALL, LARGE)
APP = (Requirement("app", "In", ("a",)),)
BESIDE_NONE = PodTerm(HOSTNAME, APP, frozenset({"default"}))
BY_ZONE = PodTerm(ZONE, APP, frozenset({"default"}))


def planned(wanted: Any, market: Catalog = MARKET, policy: Policy = ANY, **snapshot: Any) -> Plan:
    plan = provision.planned(wanted, market, policy, **snapshot)
    assert_whole(plan, [each for each in wanted if not each.node_name])
    return plan


def assert_whole(plan: Plan, wanted: list[Pod]) -> None:
    placed = [each for planned_node in plan.nodes for each in planned_node.pods]
    placed += [each for placement in plan.existing for each in placement.pods]
    assert sorted(each.key for each in (*placed, *(left.pod for left in plan.unplaced))) == sorted(
        each.key for each in wanted
    )
    for planned_node in plan.nodes:
        room = planned_node.size.usable
        for each in planned_node.pods:
            room = room - each.requests
        assert min(room.cpu_millicores, room.memory_bytes, room.gpus, room.pods) >= 0
    assert Decimal(0) <= plan.lower_bound_per_hour <= plan.price_per_hour


def app(name: str, cpu: str = "100m", **changes: Any) -> Pod:
    return pod(name, cpu, labels={"app": "a"}, **changes)


def apps(count: int, **changes: Any) -> list[Pod]:
    return [app(f"p{index}", **changes) for index in range(count)]


class TestPrices:
    """What the cheapest set is."""

    def test_pods_share_the_node_that_is_cheapest_for_them_together(self) -> None:
        plan = planned(pods(4, "900m", "3Gi"))
        assert bought(plan) == {"large": 1}
        assert plan.lower_bound_per_hour == 3
        assert plan.gap == 0

    def test_one_pod_gets_the_cheapest_that_holds_it(self) -> None:
        assert bought(planned(pods(1, "900m", "3Gi"))) == {"small": 1}

    def test_a_flexible_shape_is_sized_for_what_is_on_it(self) -> None:
        assert bought(planned(pods(3, "700m", "1536Mi"), catalog(flexible()))) == {"flex 3 OCPU 5 GiB": 1}

    def test_a_gpu_is_bought_for_the_pod_that_asks_for_it_only(self) -> None:
        gpu = pod("g", requests=Resources(400, 4 * 10**9, 1, 1))
        plan = planned([gpu, *pods(3, "400m", "4G")], OKE)
        (with_gpu,) = [each for each in plan.nodes if each.size.offering.gpus]
        assert [each.name for each in with_gpu.pods] == ["g"]

    @pytest.mark.parametrize(
        ("vgg", "squeezenet", "price"),
        [(1, 1, "0.0280"), (1, 4, "0.0450"), (4, 1, "0.0585"), (4, 4, "0.0720")],
    )
    def test_the_published_pods_are_packed_with_proof(self, vgg: int, squeezenet: int, price: str) -> None:
        wanted = [pod(f"v{at}", "400m", "4G") for at in range(vgg)]
        wanted += [pod(f"s{at}", "400m", "1G") for at in range(squeezenet)]
        plan = planned(wanted, OKE)
        assert plan.gap == 0
        assert plan.price_per_hour == Decimal(price)


class TestRooms:
    """Room that is there comes first."""

    def test_what_fits_is_not_bought_for(self) -> None:
        plan = planned(pods(4, "400m", "1Gi"), nodes=(node("n", "2", "8Gi"),))
        assert not plan.nodes
        assert [len(placement.pods) for placement in plan.existing] == [4]

    def test_the_pods_that_would_cost_most_go_there(self) -> None:
        plan = planned([pod("big", "2", "6Gi"), pod("little", "500m", "1Gi")], nodes=(node("n", "2", "8Gi"),))
        assert ([placement.pods[0].name for placement in plan.existing], bought(plan)) == (
            ["big"],
            {"small": 1},
        )

    def test_a_node_that_takes_no_pods_is_passed_over(self) -> None:
        assert bought(planned(pods(1), nodes=(node("n", is_cordoned=True),))) == {"small": 1}


class TestRules:
    """What keeps pods apart, and from places."""

    def test_pods_that_refuse_each_other_by_host_name_get_a_node_each(self) -> None:
        assert bought(planned(apps(3, anti_affinity=(BESIDE_NONE,)))) == {"small": 3}

    def test_a_running_pod_refuses_as_well(self) -> None:
        there = app("there", node_name="n", phase="Running", anti_affinity=(BESIDE_NONE,))
        assert bought(planned([there, app("p")], nodes=(node("n"),))) == {"small": 1}

    def test_pods_with_one_host_port_do_not_share(self) -> None:
        port = (HostPort(80, "TCP", "0.0.0.0"),)
        assert bought(planned([pod("a", host_ports=port), pod("b", cpu="200m", host_ports=port)])) == {
            "small": 2
        }

    def test_a_spread_over_host_names_holds_on_new_nodes(self) -> None:
        plan = planned(apps(4, spread=(Spread(BESIDE_NONE, 2),)))
        assert sorted(len(each.pods) for each in plan.nodes) == [2, 2]

    def test_a_spread_over_zones_gives_each_its_share(self) -> None:
        market = catalog(replace(SMALL, zones=("z1", "z2", "z3")))
        plan = planned(apps(9, cpu="300m", spread=(Spread(BY_ZONE, 1),)), market)
        assert {each.size.zone: len(each.pods) for each in plan.nodes} == {"z1": 3, "z2": 3, "z3": 3}

    def test_a_spread_over_zones_counts_what_runs(self) -> None:
        market = catalog(replace(SMALL, zones=("z1", "z2")))
        there = node("n", "1", "1Gi", labels={ZONE: "z1"}, is_cordoned=True)
        running = [app(f"r{at}", node_name="n", phase="Running") for at in range(2)]
        plan = planned([*running, *apps(4, spread=(Spread(BY_ZONE, 1),))], market, nodes=(there,))
        assert {each.size.zone: len(each.pods) for each in plan.nodes} == {"z1": 1, "z2": 3}

    def test_anti_affinity_over_zones_is_kept(self) -> None:
        market = catalog(replace(SMALL, zones=("z1", "z2")))
        plan = planned(apps(3, anti_affinity=(BY_ZONE,)), market)
        assert sorted(each.size.zone for each in plan.nodes) == ["z1", "z2"]
        assert codes(plan) == {"p2": ["anti-affinity"]}

    def test_a_pod_that_has_to_be_beside_another_joins_it_on_a_new_node(self) -> None:
        plan = planned([app("a", cpu="500m"), pod("b", affinity=(BESIDE_NONE,))])
        assert [sorted(each.name for each in planned_node.pods) for planned_node in plan.nodes] == [
            ["a", "b"]
        ]

    def test_pods_that_select_our_labels_get_nodes_with_them(self) -> None:
        wanted = [
            pod(f"{of}{at}", node_selector={"rightsize.io/dedicated": of}) for of in "ab" for at in range(2)
        ]
        plan = planned(wanted)
        assert sorted(dict(each.spec.labels)["rightsize.io/dedicated"] for each in plan.nodes) == ["a", "b"]

    def test_a_label_that_no_node_will_have_is_a_reason(self) -> None:
        assert codes(planned([pod("p", node_selector={"disk": "ssd"})])) == {"p": ["selector"]}

    def test_taints_of_ours_keep_strangers_away(self) -> None:
        policy = replace(ANY, node_taints=(Taint("mine", "yes", "NoSchedule"),))
        welcome = pod("w", tolerations=(Toleration("mine", "Exists"),))
        plan = planned([welcome, pod("stranger")], policy=policy)
        assert codes(plan) == {"stranger": ["taint"]}

    def test_spot_is_bought_for_those_who_select_it(self) -> None:
        market = catalog(SMALL, replace(SMALL, price_per_hour=Decimal("0.3"), capacity_type="spot"))
        plan = planned([pod("a"), pod("b", node_selector={CAPACITY_TYPE: "spot"})], market)
        assert {each.pods[0].name: each.size.offering.capacity_type for each in plan.nodes} == {
            "a": "on-demand",
            "b": "spot",
        }

    def test_a_volume_is_not_bought_for(self) -> None:
        assert codes(planned([pod("p", claims=("c",))])) == {"p": ["volume"]}


class TestLimits:
    """Pods beyond a limit stay pending with that reason."""

    def test_max_nodes(self) -> None:
        plan = planned(apps(3, anti_affinity=(BESIDE_NONE,)), policy=replace(ANY, max_nodes=2))
        assert (len(plan.nodes), sorted(codes(plan).values())) == (2, [["limit"]])

    def test_money(self) -> None:
        plan = planned(
            apps(3, anti_affinity=(BESIDE_NONE,)), policy=replace(ANY, max_price_per_hour=Decimal(1))
        )
        assert (len(plan.nodes), sorted(codes(plan).values())) == (1, [["budget"], ["budget"]])

    def test_sizes(self) -> None:
        wanted = [
            pod("a", node_selector={"rightsize.io/x": "1"}),
            pod("b", node_selector={"rightsize.io/x": "2"}),
        ]
        plan = planned(wanted, policy=replace(ANY, max_pools=1))
        assert (len(plan.nodes), list(codes(plan).values())) == (1, [["limit"]])

    def test_sizes_that_serve_others_count(self) -> None:
        spec = PoolSpec("gone", 0, Decimal(4), "z1", "on-demand")
        plan = planned([pod("a")], policy=replace(ANY, max_pools=1), pools=(Pool("1", "p", spec, 1),))
        assert codes(plan) == {"a": ["limit"]}

    def test_a_stockout_is_passed_over(self) -> None:
        out = Stockout("large", "z1", "on-demand", NOW + timedelta(seconds=60))
        assert bought(planned(pods(4, "900m", "3Gi"), stockouts=(out,))) == {"small": 4}

    def test_what_is_too_large_says_so(self) -> None:
        assert codes(planned([pod("p", "400"), pod("q", memory="1000000Ti")])) == {
            "p": ["too-large"],
            "q": ["too-large"],
        }

    def test_many_refused_pods_have_a_reason_each(self) -> None:
        assert len(codes(planned(pods(50, "64")))) == 50

    def test_an_empty_catalog_offers_nothing(self) -> None:
        assert codes(planned([pod("p")], catalog())) == {"p": ["no-offering"]}

    def test_a_price_of_nothing_is_a_price(self) -> None:
        plan = planned(pods(3), catalog(replace(SMALL, price_per_hour=Decimal(0))))
        assert plan.price_per_hour == plan.lower_bound_per_hour == Decimal(0)


class TestWords:
    """A purchase says what nearly was bought."""

    def test_the_runner_up_is_the_next_shape_for_the_same_pods(self) -> None:
        (buy,) = planned(pods(1, "900m", "3Gi")).nodes
        assert buy.runner_up is not None
        assert (buy.runner_up.size.offering.shape, buy.runner_up.why_not) == (
            "large",
            "costs $2 an hour more",
        )

    def test_the_only_one_that_does_has_none(self) -> None:
        (buy,) = planned(pods(3, "900m", "3Gi")).nodes
        assert buy.runner_up is None

    def test_the_plan_says_how_far_it_can_be_from_the_cheapest(self) -> None:
        first, *_ = explain.lines(planned(pods(4, "900m", "3Gi")))
        assert first == "1 nodes to buy by optimal, $3 an hour: nothing cheaper can be"

    def test_other_modes_say_it_as_well(self) -> None:
        first, *_ = explain.lines(planned(pods(4, "900m", "3Gi"), policy=provision.ANY_ARCH))
        assert (
            first == "4 nodes to buy by bin-select, $4 an hour: at most 25.0% less is possible, not below $3"
        )


@pytest.mark.parametrize(
    "market",
    [OKE, OKE_NOMINAL, GKE, replace(OKE, daemon_sets=(daemon_set(cpu="1700m", memory="5Gi"),))],
)
def test_the_kernel_is_told_what_a_size_leaves_to_pods(market: Catalog) -> None:
    for each in market.offerings:
        made = machine(market, each, PLACE, 0, ("ephemeral-storage",))
        if made is None:
            assert market.daemon_sets
            assert not market.lost(each, PLACE).fits(market.size(each).usable)
            continue
        nothing = Group((0, 0, 0, 1, 0), 0, frozenset())
        asked = Problem((nothing,), (made,))
        sizes = [Size(0)]
        if isinstance(made, Flexible):
            places = range(0, len(made.ocpus), 7)
            sizes = [
                Size(0, made.ocpus[at], gib)
                for at in places
                for gib in range(made.gib[at][0], made.gib[at][1] + 1, 13)
            ]
        for size in sizes:
            bought_size = market.size_at(each, PLACE, size.ocpus, size.gib)
            assert asked.usable_of(size) == vector(bought_size.usable, ("ephemeral-storage",))
            assert asked.price_of(size) == bought_size.price_per_hour


def test_amounts_stay_as_they_are() -> None:
    assert vector(amounts("1", "1Gi") - amounts("2", "1Gi"), ()) == (0, 0, 0, 0)
