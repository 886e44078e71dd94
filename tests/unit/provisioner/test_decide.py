from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.names import DEDICATED_KEY, ROLE_INFERENCE, ROLE_KEY, ROLE_MANAGEMENT
from provisioner.core.market import Stockout
from provisioner.core.model import (
    ARCH,
    CAPACITY_TYPE,
    HOSTNAME,
    INSTANCE_TYPE,
    ZONE,
    HostPort,
    NodeTerm,
    Owner,
    PodTerm,
    Requirement,
    Spread,
    Taint,
    Toleration,
)
from provisioner.core.plan import PlannedNode
from provisioner.core.pools import Instance, Pool
from provisioner.core.resources import Resources
from tests.support.provision import (
    ANY_ARCH,
    NOW,
    OKE,
    OKE_NOMINAL,
    PUBLISHED,
    amounts,
    bin_select,
    bought,
    catalog,
    codes,
    flexible,
    node,
    offering,
    planned,
    pod,
    pods,
)

SELF = PodTerm(HOSTNAME, (Requirement("app", "In", ("a",)),), frozenset({"default"}))
BY_ZONE = PodTerm(ZONE, (Requirement("app", "In", ("a",)),), frozenset({"default"}))
GPU = Resources(400, 4 * 10**9, 1, 1)


def only(plan: Any) -> PlannedNode:
    (planned_node,) = plan.nodes
    assert isinstance(planned_node, PlannedNode)
    return planned_node


class TestPrices:
    """What bin-selection buys, by each accounting."""

    @pytest.mark.parametrize(
        ("memory", "size", "price"),
        [
            ("4G", "VM.Standard.A1.Flex 1 OCPU 4 GiB", "0.016"),
            ("1G", "VM.Standard.A1.Flex 1 OCPU 1 GiB", "0.0115"),
        ],
    )
    def test_nominal_gives_the_published_shapes(self, memory: str, size: str, price: str) -> None:
        plan = planned(pods(1, "400m", memory), OKE_NOMINAL, PUBLISHED)
        assert (bought(plan), plan.price_per_hour) == ({size: 1}, Decimal(price))

    @pytest.mark.parametrize(
        ("memory", "size"),
        [("4G", "VM.Standard.A1.Flex 1 OCPU 6 GiB"), ("1G", "VM.Standard.A1.Flex 1 OCPU 4 GiB")],
    )
    def test_documented_gives_what_fits_for_real(self, memory: str, size: str) -> None:
        assert bought(planned(pods(1, "400m", memory))) == {size: 1}

    def test_each_pod_gets_its_own_node(self) -> None:
        assert bought(planned(pods(4, "400m", "1G"), OKE_NOMINAL)) == {"VM.Standard.A1.Flex 1 OCPU 1 GiB": 4}

    def test_a_gpu_pod_gets_the_cheapest_gpu(self) -> None:
        assert bought(planned([pod(requests=GPU)])) == {"VM.GPU2.1": 1}

    def test_a_pod_without_a_gpu_is_never_put_on_one(self) -> None:
        plan = planned(pods(1), OKE, bin_select(architectures=("amd64",), families=("VM.GPU2",)))
        assert codes(plan) == {"p0": ["taint"]}

    def test_nothing_pending_buys_nothing(self) -> None:
        plan = planned([])
        assert plan.nodes == ()
        assert plan.price_per_hour == 0

    def test_ties_go_by_shape_and_then_by_zone(self) -> None:
        market = catalog(offering("b", zones=("z1",)), offering("a", zones=("z3", "z2")))
        size = only(planned(pods(1), market)).size
        assert (size.offering.shape, size.zone) == ("a", "z2")

    def test_the_runner_up_is_the_next_shape(self) -> None:
        market = catalog(offering("a", "1"), offering("b", "1"), offering("c", "1.5"))
        other = only(planned(pods(1), market)).runner_up
        assert other is not None
        assert (other.size.offering.shape, other.why_not) == ("b", "costs the same and comes later by name")

    def test_the_only_shape_that_does_has_no_runner_up(self) -> None:
        assert only(planned(pods(1), catalog(offering()))).runner_up is None

    def test_what_was_better_and_could_not_be_is_the_runner_up(self) -> None:
        market = catalog(offering("a", "1"), offering("b", "2"))
        out = Stockout("a", "z1", "on-demand", NOW + timedelta(seconds=60))
        buy = only(planned(pods(1), market, stockouts=(out,)))
        assert buy.size.offering.shape == "b"
        assert buy.runner_up is not None
        assert buy.runner_up.size.offering.shape == "a"
        assert "no capacity" in buy.runner_up.why_not


class TestSupply:
    """What is not offered, not allowed, or not there."""

    def test_a_stockout_is_forgotten_when_it_expires(self) -> None:
        out = Stockout("small", "z1", "on-demand", NOW)
        assert bought(planned(pods(1), catalog(offering()), stockouts=(out,))) == {"small": 1}

    def test_a_stockout_holds_for_its_zone_only(self) -> None:
        market = catalog(offering(zones=("z1", "z2")))
        out = Stockout("small", "z1", "on-demand", NOW + timedelta(seconds=1))
        assert only(planned(pods(1), market, stockouts=(out,))).size.zone == "z2"

    def test_when_everything_is_out_of_stock_nothing_is_bought(self) -> None:
        out = Stockout("small", "z1", "on-demand", NOW + timedelta(seconds=1))
        assert codes(planned(pods(1), catalog(offering()), stockouts=(out,))) == {"p0": ["no-offering"]}

    def test_what_is_not_available_is_not_offered(self) -> None:
        assert codes(planned(pods(1), catalog(offering(available=False)))) == {"p0": ["no-offering"]}

    def test_families_are_a_closed_list(self) -> None:
        market = catalog(offering("a", "1"), offering("b", "2"))
        assert bought(planned(pods(1), market, bin_select(families=("b",)))) == {"b": 1}
        assert codes(planned(pods(1), market, bin_select(families=("c",)))) == {"p0": ["no-offering"]}

    def test_spot_is_bought_when_the_policy_allows_it(self) -> None:
        market = catalog(offering("a", "2"), offering("a", "1", capacity_type="spot"))
        assert only(planned(pods(1), market)).size.price_per_hour == 2
        policy = bin_select(capacity_types=("on-demand", "spot"))
        assert only(planned(pods(1), market, policy)).size.price_per_hour == 1

    def test_spot_is_bought_when_the_pod_selects_it(self) -> None:
        market = catalog(offering("a", "2"), offering("a", "1", capacity_type="spot"))
        assert only(planned([pod(node_selector={CAPACITY_TYPE: "spot"})], market)).size.price_per_hour == 1

    def test_on_oke_a_spot_pod_has_to_tolerate_the_clouds_taint(self) -> None:
        selecting = {CAPACITY_TYPE: "spot"}
        assert codes(planned([pod(node_selector=selecting)])) == {"p": ["taint"]}
        tolerations = (Toleration("oci.oraclecloud.com/oke-is-preemptible", "Exists"),)
        plan = planned([pod(tolerations=tolerations, node_selector=selecting)])
        assert bought(plan) == {"VM.Standard.A1.Flex 1 OCPU 4 GiB (spot)": 1}

    @pytest.mark.parametrize(
        ("limit", "code"),
        [
            ({"max_nodes": 2}, "limit"),
            ({"max_price_per_hour": Decimal("2.5")}, "budget"),
        ],
    )
    def test_limits_of_the_policy_hold(self, limit: dict[str, Any], code: str) -> None:
        plan = planned(pods(3), catalog(offering()), bin_select(**limit))
        assert (bought(plan), codes(plan)) == ({"small": 2}, {"p2": [code]})

    def test_what_is_bought_already_counts_for_the_limits(self) -> None:
        first = only(planned(pods(1), catalog(offering())))
        pool = Pool("pool", "pool", first.spec, 2, (Instance("i1"), Instance("i2")))
        big = pod(requests=amounts("900m", "3Gi"))
        busy = [
            pod(f"b{i}", node_name=f"n{i}", phase="Running", requests=amounts("900m", "3Gi")) for i in (1, 2)
        ]
        nodes = tuple(node(f"n{i}", "1", "4Gi", provider_id=f"i{i}") for i in (1, 2))
        plan = planned([big, *busy], catalog(offering()), bin_select(max_nodes=2), pools=(pool,), nodes=nodes)
        assert codes(plan) == {"p": ["limit"]}

    def test_when_no_size_may_be_added_one_in_use_that_holds_the_pod_is_bought(self) -> None:
        market = catalog(flexible())
        policy = bin_select(max_pools=1)
        large = only(planned(pods(1, "1500m", "4Gi"), market, policy))
        pool = Pool("pool", "pool", large.spec, 1, (Instance("i1"),))
        there = node("n1", "2", "4Gi", provider_id="i1")
        running = pod("r", "1500m", "3900Mi", node_name="n1", phase="Running")
        plan = planned([running, pod("p", "100m", "1Gi")], market, policy, pools=(pool,), nodes=(there,))
        assert only(plan).spec == large.spec
        without = planned([running, pod("p", "5", "1Gi")], market, policy, pools=(pool,), nodes=(there,))
        assert codes(without) == {"p": ["limit"]}

    def test_a_size_that_this_plan_buys_is_one_in_use(self) -> None:
        wanted = [pod("large", "1500m", "4Gi"), pod("small", "100m", "1Gi")]
        plan = planned(wanted, catalog(flexible()), bin_select(max_pools=1))
        assert (bought(plan), codes(plan)) == ({"flex 2 OCPU 4 GiB": 2}, {})

    def test_of_the_sizes_in_use_it_gets_the_cheapest_that_holds_it(self) -> None:
        wanted = [pod("a", "4", "16Gi"), pod("b", "2", "8Gi"), pod("c", "1500m", "1Gi"), pod("d", "6", "1Gi")]
        plan = planned(wanted, catalog(flexible()), bin_select(max_pools=2))
        assert bought(plan) == {"flex 4 OCPU 16 GiB": 1, "flex 2 OCPU 8 GiB": 2}
        assert codes(plan) == {"d": ["limit"]}


class TestRefusals:
    """Every pod left pending carries the reason that binds."""

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"requests": amounts("1000", "1Gi")}, "too-large"),
            ({"requests": amounts("1", "2Ti")}, "too-large"),
            ({"requests": Resources(1, 1, 9, 1)}, "too-large"),
            ({"requests": Resources(1, 1, 0, 1, {"example.com/fpga": 1})}, "too-large"),
            ({"node_selector": {ARCH: "s390x"}}, "arch"),
            ({"node_selector": {"disk": "ssd"}}, "selector"),
            ({"node_selector": {ZONE: "elsewhere"}}, "selector"),
            ({"node_selector": {INSTANCE_TYPE: "VM.Unknown"}}, "selector"),
            ({"node_selector": {HOSTNAME: "n1"}}, "selector"),
            ({"node_affinity": (NodeTerm((Requirement("disk", "Exists"),)),)}, "affinity"),
            ({"node_affinity": ()}, "affinity"),
            ({"affinity": (SELF,)}, "affinity"),
            ({"claims": ("data",)}, "volume"),
            ({"is_gated": True}, "gated"),
            ({"node_selector": {CAPACITY_TYPE: "reserved"}}, "no-offering"),
        ],
    )
    def test_the_code_says_what_binds(self, changes: dict[str, Any], code: str) -> None:
        plan = planned([pod(**changes)])
        assert (codes(plan), plan.nodes) == ({"p": [code]}, ())

    def test_a_taint_of_the_policy_has_to_be_tolerated(self) -> None:
        policy = bin_select(node_taints=(Taint("rightsize.io/role", "inference", "NoSchedule"),))
        assert codes(planned(pods(1), OKE, policy)) == {"p0": ["taint"]}
        tolerations = (Toleration("rightsize.io/role", "Equal", "inference", "NoSchedule"),)
        assert len(planned(pods(1, tolerations=tolerations), OKE, policy).nodes) == 1

    def test_architectures_of_the_policy_hold(self) -> None:
        amd = pod(node_selector={ARCH: "amd64"})
        assert codes(planned([amd], OKE, bin_select())) == {"p": ["arch"]}
        assert only(planned([amd])).size.offering.arch == "amd64"

    @pytest.mark.parametrize(
        "changes",
        [
            {"phase": "Succeeded"},
            {"phase": "Failed"},
            {"is_deleting": True},
            {"owner": Owner("DaemonSet", "d", "u")},
            {"node_name": "somewhere"},
            {"annotations": {"pod.elotl.co/ignore": "true"}},
        ],
    )
    def test_some_pods_are_not_planned_at_all(self, changes: dict[str, Any]) -> None:
        plan = planned([pod(**changes)])
        assert (plan.nodes, plan.existing, plan.unplaced) == ((), (), ())

    def test_only_pods_that_the_policy_selects_are_served(self) -> None:
        policy = bin_select(pod_selector={"rightsize.io/provision": "true"})
        wanted = [
            pod("ours", labels={"rightsize.io/provision": "true"}),
            pod("lunas", labels={"elotl-luna": "true"}),
            pod("other"),
        ]
        assert [each.pods[0].name for each in planned(wanted, OKE, policy).nodes] == ["lunas", "ours"]


class TestNewNodes:
    """What a bought node is labelled and tainted with."""

    def test_our_own_selectors_become_labels(self) -> None:
        wanted = pod(node_selector={DEDICATED_KEY: "vgg16", ROLE_KEY: ROLE_INFERENCE})
        policy = bin_select(node_labels={ROLE_KEY: ROLE_INFERENCE})
        labels = dict(only(planned([wanted], OKE, policy)).spec.labels)
        assert labels == {DEDICATED_KEY: "vgg16", ROLE_KEY: ROLE_INFERENCE, CAPACITY_TYPE: "on-demand"}

    def test_a_pod_cannot_relabel_what_the_policy_labels(self) -> None:
        wanted = pod(node_selector={ROLE_KEY: ROLE_MANAGEMENT})
        plan = planned([wanted], OKE, bin_select(node_labels={ROLE_KEY: ROLE_INFERENCE}))
        assert codes(plan) == {"p": ["selector"]}

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            (ARCH, "arm64"),
            ("kubernetes.io/os", "linux"),
            (ZONE, "US-ASHBURN-AD-2"),
            ("topology.kubernetes.io/region", "iad"),
            (INSTANCE_TYPE, "VM.Standard.A1.Flex"),
            (CAPACITY_TYPE, "on-demand"),
        ],
    )
    def test_labels_that_a_node_will_have_can_be_selected(self, key: str, value: str) -> None:
        buy = only(planned([pod(node_selector={key: value})]))
        assert buy.size.offering.shape == "VM.Standard.A1.Flex"
        assert key != ZONE or buy.size.zone == value

    def test_pods_that_select_differently_need_different_pools(self) -> None:
        wanted = [pod(name, node_selector={DEDICATED_KEY: name}) for name in ("a", "b", "c")]
        assert len({each.spec for each in planned(wanted).nodes}) == 3


class TestRoom:
    """What is there is used before anything is bought."""

    def test_a_pod_that_fits_a_node_needs_no_purchase(self) -> None:
        plan = planned(pods(1), nodes=(node("n1"),))
        assert ([(each.node, [p.name for p in each.pods]) for each in plan.existing], plan.nodes) == (
            [("n1", ["p0"])],
            (),
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"is_cordoned": True},
            {"is_deleting": True},
            {"taints": (Taint("a", "b", "NoSchedule"),)},
            {"labels": {"x": "y"}, "allocatable": amounts("10m", "8Gi", pods=110)},
            {"allocatable": amounts("2", "8Gi", pods=0)},
            {"is_ready": False, "created": NOW - timedelta(hours=1)},
        ],
    )
    def test_a_node_that_takes_no_pods_is_no_room(self, changes: dict[str, Any]) -> None:
        plan = planned(pods(1), nodes=(node("n1", **changes),))
        assert (plan.existing, len(plan.nodes)) == ((), 1)

    def test_a_node_that_is_becoming_ready_is_room(self) -> None:
        not_ready = (Taint("node.kubernetes.io/not-ready", "", "NoSchedule"),)
        plan = planned(pods(1), nodes=(node(is_ready=False, taints=not_ready),))
        assert plan.nodes == ()

    def test_a_soft_taint_keeps_nobody_away(self) -> None:
        assert planned(pods(1), nodes=(node(taints=(Taint("a", "", "PreferNoSchedule"),)),)).nodes == ()

    def test_running_pods_take_their_room(self) -> None:
        running = pod("r", "1900m", "1Gi", node_name="n", phase="Running")
        assert len(planned([running, pod("p", "200m")], nodes=(node(),)).nodes) == 1

    def test_finished_pods_take_no_room(self) -> None:
        finished = pod("r", "1900m", "1Gi", node_name="n", phase="Succeeded")
        assert planned([finished, pod("p", "200m")], nodes=(node(),)).nodes == ()

    def test_an_empty_node_is_taken_before_a_shared_one(self) -> None:
        running = pod("r", node_name="shared", phase="Running")
        plan = planned([running, pod("p")], nodes=(node("shared", "1"), node("empty", "4")))
        assert [each.node for each in plan.existing] == ["empty"]

    def test_pods_are_never_put_into_more_room_than_there_is(self) -> None:
        plan = planned(pods(5, "900m"), nodes=(node(cpu="2"),))
        assert (sum(len(each.pods) for each in plan.existing), len(plan.nodes)) == (2, 3)

    @pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed yet"])
    def test_what_is_on_its_way_is_room(self, listed: bool) -> None:
        buy = only(planned(pods(1, "400m", "4G")))
        instances = (Instance("i1"),) if listed else ()
        plan = planned(pods(1, "400m", "4G"), pools=(Pool("p1", "p1", buy.spec, 1, instances),))
        assert (plan.nodes, len(plan.existing)) == ((), 1)

    def test_what_is_leaving_is_no_room(self) -> None:
        buy = only(planned(pods(1, "400m", "4G")))
        pool = Pool("p1", "p1", buy.spec, 0, (Instance("i1", is_leaving=True),))
        leaving = node("n1", provider_id="i1", labels=dict(buy.spec.labels))
        assert len(planned(pods(1, "400m", "4G"), pools=(pool,), nodes=(leaving,)).nodes) == 1

    def test_on_its_way_and_registered_is_counted_once(self) -> None:
        buy = only(planned(pods(1, "400m", "4G")))
        pool = Pool("p1", "p1", buy.spec, 1, (Instance("i1"),))
        registered = node("n1", "1", "6Gi", provider_id="i1")
        plan = planned(pods(2, "700m", "4G"), pools=(pool,), nodes=(registered,))
        assert (len(plan.existing), len(plan.nodes)) == (1, 1)

    def test_host_ports_collide(self) -> None:
        port = HostPort(8080, "TCP", "0.0.0.0")
        running = pod("r", node_name="n", phase="Running", host_ports=(port,))
        same = HostPort(8080, "TCP", "10.0.0.1")
        assert len(planned([running, pod("p", host_ports=(same,))], nodes=(node(),)).nodes) == 1
        other = HostPort(8080, "UDP", "0.0.0.0")
        assert planned([running, pod("p", host_ports=(other,))], nodes=(node(),)).nodes == ()


class TestOtherPods:
    """Pods that keep apart, keep together, or spread."""

    def test_hostname_anti_affinity_keeps_pods_apart(self) -> None:
        wanted = pods(3, labels={"app": "a"}, anti_affinity=(SELF,))
        plan = planned(wanted, nodes=(node("n1"), node("n2")))
        assert ([len(each.pods) for each in plan.existing], len(plan.nodes)) == ([1, 1], 1)

    def test_anti_affinity_of_a_running_pod_holds_for_new_ones(self) -> None:
        running = pod("r", node_name="n", phase="Running", anti_affinity=(SELF,))
        assert len(planned([running, pod("p", labels={"app": "a"})], nodes=(node(),)).nodes) == 1

    def test_anti_affinity_in_another_namespace_is_none(self) -> None:
        running = pod("r", node_name="n", phase="Running", anti_affinity=(SELF,))
        other = pod("p", labels={"app": "a"}, namespace="other")
        assert planned([running, other], nodes=(node(),)).nodes == ()

    def test_zone_anti_affinity_uses_every_zone_once(self) -> None:
        wanted = pods(4, labels={"app": "a"}, anti_affinity=(BY_ZONE,))
        plan = planned(wanted)
        assert [each.size.zone for each in plan.nodes] == [f"US-ASHBURN-AD-{i}" for i in (1, 2, 3)]
        assert codes(plan) == {"p3": ["anti-affinity"]}

    def test_spread_over_zones_is_even(self) -> None:
        plan = planned(pods(6, labels={"app": "a"}, spread=(Spread(BY_ZONE, 1),)))
        zones = [each.size.zone for each in plan.nodes]
        assert {zones.count(zone) for zone in zones} == {2}

    def test_a_pod_goes_where_its_companion_is(self) -> None:
        running = pod("r", labels={"app": "a"}, node_name="n", phase="Running")
        plan = planned([running, pod("p", affinity=(SELF,))], nodes=(node(),))
        assert [each.node for each in plan.existing] == ["n"]

    def test_the_first_of_companions_may_start_alone(self) -> None:
        wanted = pods(2, labels={"app": "a"}, affinity=(BY_ZONE,))
        zones = {each.size.zone for each in planned(wanted).nodes}
        assert len(zones) == 1


class TestHeld:
    """Nominal accounting on a cloud that reserves."""

    def management(self, cpu: str) -> Any:
        room = amounts(cpu, "32Gi", pods=110)
        return node("m", "2", "32Gi", labels={ROLE_KEY: ROLE_MANAGEMENT}, allocatable=room, taints=BUSY)

    def test_nothing_is_bought_and_it_is_said_why(self) -> None:
        plan = planned(pods(1), OKE_NOMINAL, nodes=(self.management("1830m"),))
        assert plan.nodes == ()
        assert "node m leaves 1830m" in plan.held
        assert plan.held in plan.unplaced[0].reasons[0].text

    def test_a_cloud_that_leaves_everything_is_fine(self) -> None:
        plan = planned(pods(1), OKE_NOMINAL, nodes=(self.management("2"),))
        assert (plan.held, len(plan.nodes)) == ("", 1)

    def test_documented_accounting_is_never_held(self) -> None:
        assert planned(pods(1), OKE, nodes=(self.management("1830m"),)).held == ""


BUSY = (Taint("busy", "", "NoSchedule"),)


def test_the_same_input_gives_the_same_plan() -> None:
    wanted = [*pods(5, "300m", "1G"), pod("g", requests=GPU), pod("x", node_selector={"a": "b"})]
    assert planned(wanted) == planned(reversed(wanted), OKE, ANY_ARCH)
