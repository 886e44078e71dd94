"""DaemonSets of the cluster count on nodes that are to be bought, and none of them twice."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from catalog import allocatable
from provisioner.core import parse
from provisioner.core.daemon_sets import NO_MORE, DaemonSet, Own, own_of
from provisioner.core.decide import decide
from provisioner.core.machines import machine
from provisioner.core.market import Catalog
from provisioner.core.model import HOSTNAME, ZONE, HostPort, NodeTerm, Requirement, Taint, Toleration
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL, Policy
from provisioner.core.pools import Place, Pool, PoolSpec
from provisioner.core.resources import Resources
from provisioner.core.shortfall import shortfalls_of
from provisioner.core.snapshot import Snapshot
from tests.support.provision import (
    ANY_ARCH,
    GKE,
    NOW,
    OKE,
    amounts,
    bought,
    catalog,
    codes,
    daemon_set,
    flexible,
    node,
    offering,
    pod,
)
from tests.support.world import World

every_mode = pytest.mark.parametrize("mode", MODES)
SMALL = offering("small", "1", vcpus=1, memory_gib=Decimal(4))
LARGE = offering("large", "3", vcpus=4, memory_gib=Decimal(16))
MARKET = catalog(SMALL, LARGE)
EVERYWHERE = (Toleration(operator="Exists"),)
TIGHT = replace(ANY_ARCH, bin_packing_node_cpu=1, bin_packing_node_memory=1, bin_packing_node_min_pod_count=1)
WEB = HostPort(80, "TCP", "0.0.0.0")


def system(name: str, cpu: str, memory: str, **changes: Any) -> DaemonSet:
    return daemon_set(name, cpu, memory, namespace="kube-system", tolerations=EVERYWHERE, **changes)


def decided(mode: str, *made: DaemonSet, market: Catalog = MARKET, **asked: Any) -> Plan:
    seen = Snapshot((pod("p", **asked),), daemon_sets=made)
    return decide(seen, market, replace(TIGHT, mode=mode), NOW, lambda: False)


class TestWhatTheCatalogCountsAlready:
    counted = (allocatable.DaemonSet("csi", 30, 70), allocatable.DaemonSet("proxy", 0, 0))

    @pytest.mark.parametrize(
        ("running", "beyond"),
        [
            ((), Resources()),
            ((system("csi", "30m", "70"), system("proxy", "0", "0")), Resources()),
            ((system("csi", "10m", "70"),), Resources()),
            ((system("csi", "50m", "60"),), Resources(20)),
            ((system("csi", "10m", "90"), system("proxy", "100m", "0")), Resources(100, 20)),
            ((system("csi-small", "20m", "40"), system("csi-large", "20m", "40")), Resources(10, 10, pods=1)),
            ((system("exporter", "20m", "40"),), Resources(20, 40, pods=1)),
            ((daemon_set("csi", "30m", "70"),), Resources(30, 70, pods=1)),
            ((system("csibling", "30m", "70"),), Resources(30, 70, pods=1)),
        ],
    )
    def test_counts_by_the_larger_of_both(self, running: tuple[DaemonSet, ...], beyond: Resources) -> None:
        assert own_of(running, self.counted).beyond == beyond

    @pytest.mark.parametrize("market", [OKE, GKE])
    def test_is_all_that_an_emulated_cloud_runs(self, market: Catalog) -> None:
        running = tuple(
            system(each.name, f"{each.cpu_millicores}m", str(each.memory_bytes))
            for each in allocatable.daemon_sets(market.cloud, "documented", gpus=0)
        )
        whole = replace(market, daemon_sets=running)
        for sold in market.offerings:
            assert whole.own(sold, Place("z", (), ())) == NO_MORE


class TestRunsOn:
    @pytest.mark.parametrize(
        ("changes", "runs"),
        [
            ({}, False),
            ({"tolerations": EVERYWHERE}, True),
            ({"tolerations": (Toleration("role", "Exists"),)}, True),
            ({"tolerations": EVERYWHERE, "node_selector": {"disk": "ssd"}}, True),
            ({"tolerations": EVERYWHERE, "node_selector": {"disk": "hdd"}}, False),
            ({"tolerations": EVERYWHERE, "node_affinity": ()}, False),
            (
                {
                    "tolerations": EVERYWHERE,
                    "node_affinity": (NodeTerm((Requirement("disk", "NotIn", ("hdd",)),)),),
                },
                True,
            ),
            ({"tolerations": EVERYWHERE, "node_selector": {HOSTNAME: "n"}}, False),
        ],
    )
    def test_nodes_that_the_scheduler_would_let_it_on(self, changes: dict[str, Any], *, runs: bool) -> None:
        taints = (Taint("role", "x", "NoSchedule"), Taint("soft", "", "PreferNoSchedule"))
        assert daemon_set(**changes).runs_on({"disk": "ssd"}, taints) == runs

    def test_nodes_with_the_taints_of_the_policy_only_where_it_tolerates_them(self) -> None:
        ours = Taint("role", "x", "NoSchedule")
        market = replace(MARKET, daemon_sets=(daemon_set(),))
        assert market.own(SMALL, Place("z1", (), (ours,))) == NO_MORE
        assert market.own(SMALL, Place("z1", (), ())) == Own(amounts())

    def test_the_zone_and_the_labels_that_it_selects(self) -> None:
        selector = {ZONE: "z1", "rightsize.io/team": "red", "kubernetes.io/arch": "arm64"}
        market = replace(MARKET, daemon_sets=(daemon_set(node_selector=selector),))
        red = (("rightsize.io/team", "red"),)
        assert market.own(SMALL, Place("z1", red, ())) == Own(amounts())
        assert market.own(SMALL, Place("z2", red, ())) == NO_MORE
        assert market.own(SMALL, Place("z1", (), ())) == NO_MORE

    def test_no_machine_without_the_device_it_asks_for(self) -> None:
        gpu = offering("gpu", gpus=1)
        asks = daemon_set(gpus=1)
        market = replace(catalog(SMALL, gpu), daemon_sets=(asks,))
        assert market.own(SMALL, Place("z1", (), ())) == NO_MORE
        assert market.own(gpu, Place("z1", (), ())).beyond == asks.pod.requests


@every_mode
def test_the_first_node_is_bought_large_enough(mode: str) -> None:
    asked: dict[str, Any] = {"cpu": "950m", "memory": "1Gi"}
    assert bought(decided(mode, **asked)) == {"small": 1}
    assert bought(decided(mode, daemon_set(cpu="100m"), **asked)) == {"large": 1}
    assert bought(decided(mode, daemon_set(cpu="0", memory="3200Mi"), **asked)) == {"large": 1}


@every_mode
def test_a_flexible_shape_is_bought_a_size_larger(mode: str) -> None:
    market = catalog(flexible("flex"))
    asked: dict[str, Any] = {"cpu": "1", "memory": "2Gi"}
    assert bought(decided(mode, market=market, **asked)) == {"flex 1 OCPU 2 GiB": 1}
    by_memory = daemon_set(cpu="0", memory="1")
    assert bought(decided(mode, by_memory, market=market, **asked)) == {"flex 1 OCPU 3 GiB": 1}
    by_cpu = daemon_set(cpu="1m", memory="0")
    assert bought(decided(mode, by_cpu, market=market, **asked)) == {"flex 2 OCPU 2 GiB": 1}


@every_mode
def test_a_node_that_is_too_small_for_its_daemons_is_not_bought_at_all(mode: str) -> None:
    assert bought(decided(mode, daemon_set(cpu="2"), cpu="0", memory="1Gi")) == {"large": 1}
    flex = decided(mode, daemon_set(cpu="1500m", memory="3Gi"), market=catalog(flexible()), cpu="0")
    assert [each.size.usable.cpu_millicores for each in flex.nodes] == [500]


@every_mode
def test_a_daemon_that_fits_nowhere_keeps_nobody_from_a_node(mode: str) -> None:
    assert bought(decided(mode, daemon_set(cpu="64"), cpu="900m")) == {"small": 1}


@every_mode
def test_a_plan_says_what_is_left_to_pods(mode: str) -> None:
    (planned,) = decided(mode, daemon_set(cpu="300m", memory="1Gi"), cpu="100m").nodes
    assert planned.size.usable.cpu_millicores == 700
    assert (planned.size.usable.memory_bytes, planned.size.usable.pods) == (3 * 2**30, 109)


@every_mode
def test_a_port_that_a_daemon_takes_is_taken(mode: str) -> None:
    takes = daemon_set(host_ports=(WEB,), node_selector={"node.kubernetes.io/instance-type": "small"})
    assert bought(decided(mode, takes, host_ports=(WEB,))) == {"large": 1}
    everywhere = daemon_set(host_ports=(WEB,))
    assert codes(decided(mode, everywhere, host_ports=(WEB,))) == {"p": ["port"]}


@every_mode
def test_a_machine_on_its_way_has_the_port_taken_too(mode: str) -> None:
    spec = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", (("karpenter.sh/capacity-type", "on-demand"),))
    takes = daemon_set(host_ports=(WEB,))
    seen = Snapshot((pod("p", host_ports=(WEB,)),), (), (Pool("p", "p", spec, 1),), daemon_sets=(takes,))
    plan = decide(seen, MARKET, replace(ANY_ARCH, mode=mode), NOW, lambda: False)
    assert (plan.existing, codes(plan)) == ((), {"p": ["port"]})


def test_the_lower_bound_counts_them_as_well() -> None:
    plan = decided(OPTIMAL, daemon_set(cpu="100m"), cpu="950m", memory="1Gi")
    assert plan.lower_bound_per_hour == plan.price_per_hour == 3


def test_a_size_that_leaves_nothing_is_no_machine() -> None:
    market = replace(MARKET, daemon_sets=(daemon_set(cpu="1001m"),))
    assert machine(market, SMALL, Place("z1", (), ()), 0, ()) is None


class TestOnNodesThatAreThere:
    POLICY = Policy(mode=OPTIMAL, node_unneeded_s=30, repack=False)

    def test_nothing_is_learned_that_was_known(self) -> None:
        world = World(MARKET, self.POLICY)
        world.cluster.daemon_sets = [daemon_set(cpu="200m", memory="1Gi")]
        world.cluster.add(pod("p", "700m", "1Gi"))
        world.rounds(5)
        assert (world.bought, world.cluster.pending, world.plan.shortfalls) == (["small"], [], {})

    def test_what_is_beyond_is_learned_beside_it(self) -> None:
        world = World(MARKET, self.POLICY)
        world.cluster.lacks = Resources(50)
        world.cluster.daemon_sets = [daemon_set(cpu="200m", memory="1Gi")]
        world.cluster.add(pod("p", "700m", "1Gi"))
        world.rounds(5)
        assert world.plan.shortfalls == {"small": Resources(50)}

    def test_pods_whose_daemon_set_is_gone_teach_nothing(self) -> None:
        world = World(MARKET, self.POLICY)
        world.cluster.daemon_sets = [daemon_set(cpu="200m", memory="1Gi")]
        world.cluster.add(pod("p", "700m", "1Gi"))
        world.rounds(5)
        world.cluster.daemon_sets = []
        world.rounds(1)
        assert world.plan.shortfalls == {}
        observed = world.cluster.observe()
        blind = Snapshot(observed.pods, observed.nodes, world.driver.pools())
        assert shortfalls_of(blind, MARKET) == {"small": Resources(200, 2**30, pods=1)}


RAW = {
    "kind": "DaemonSet",
    "metadata": {"name": "exporter", "namespace": "monitoring", "uid": "u"},
    "spec": {
        "template": {
            "metadata": {"labels": {"app": "exporter"}},
            "spec": {
                "hostNetwork": True,
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"operator": "Exists"}],
                "containers": [
                    {
                        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
                        "ports": [{"containerPort": 9100}],
                    }
                ],
            },
        }
    },
}


def test_one_is_read_with_the_pod_that_it_makes() -> None:
    read = parse.daemon_set(RAW)
    assert (read.pod.key, read.uid) == ("monitoring/exporter", "u")
    assert read.pod.requests == amounts("50m", "64Mi")
    assert read.pod.host_ports == (HostPort(9100, "TCP", "0.0.0.0"),)
    assert read.runs_on({"disk": "ssd"}, (Taint("any", "", "NoExecute"),))


def test_one_that_cannot_be_read_is_named() -> None:
    with pytest.raises(parse.Malformed, match=r"daemonset monitoring/exporter: spec\.template is missing"):
        parse.daemon_set({**RAW, "spec": {}})


def test_existing_nodes_are_as_they_show_themselves() -> None:
    old = node("n", "1", "4Gi", created=None)
    plan = decide(
        Snapshot((pod("p", "950m", "1Gi"),), (old,), daemon_sets=(daemon_set(cpu="500m"),)),
        MARKET,
        ANY_ARCH,
        NOW,
        lambda: False,
    )
    assert [each.node for each in plan.existing] == ["n"]
