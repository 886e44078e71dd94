"""The least possible price of a cluster's pods, of nodes and pods as the API server prints them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from experiments.fault import Fault
from experiments.least import Least, least
from experiments.reading import Lists
from experiments.terms import Terms
from provisioner.core.policy import Headroom, Policy
from provisioner.core.resources import Resources
from tests.support.kube_json import daemon_set_json, node_json, owned_by, pod_json
from tests.support.provision import OKE, OKE_NOMINAL

NOW = datetime(2026, 1, 2, tzinfo=UTC)
A1_OCPU, A1_GIB = Decimal("0.01"), Decimal("0.0015")
MANAGEMENT = 2 * A1_OCPU + 32 * A1_GIB
ANY_NODE = Terms(OKE_NOMINAL, Policy(families=("VM.Standard.A1",)))


def management(*, is_open: bool = False) -> dict[str, Any]:
    node = node_json("m", "2", 32 * 2**30, {"rightsize.io/role": "management"})
    node["spec"]["taints"] = [] if is_open else [{"key": "own", "effect": "NoSchedule"}]
    return node


def lists(*pods: dict[str, Any], nodes: tuple[dict[str, Any], ...] = (), is_open: bool = False) -> Lists:
    return Lists(nodes=[management(is_open=is_open), *nodes], pods=list(pods), autoscalers=[], metrics=[])


def worker(name: str, at: str = "n", **more: Any) -> dict[str, Any]:
    return pod_json(name, "400m", "1Gi", at=at, **more)


def test_two_workers_on_a_node_each_could_share_one() -> None:
    seen = lists(worker("a", "n1"), worker("b", "n2"), nodes=(node_json("n1", "2"), node_json("n2", "2")))
    one_node = A1_OCPU + 2 * A1_GIB
    assert least(seen, ANY_NODE, NOW) == Least(MANAGEMENT + one_node, MANAGEMENT + one_node)


def test_what_is_not_the_provisioners_counts_as_it_is() -> None:
    own = pod_json("agent", "1", "8Gi", at="n", **owned_by("DaemonSet", "agent"))
    finished = {**worker("job"), "status": {"phase": "Succeeded"}}
    leaving = worker("old", deletionTimestamp="2026-01-02T03:04:05Z")
    ignored = worker("other", annotations={"rightsize.io/ignore": "true"})
    seen = lists(own, finished, leaving, ignored, worker("here", "m"), nodes=(node_json("n"),))
    assert least(seen, ANY_NODE, NOW).price_per_hour == MANAGEMENT


def test_daemon_sets_take_their_part_of_every_node() -> None:
    seen = lists(worker("a", "n"), nodes=(node_json("n", "2"),))
    with_exporter = replace(seen, daemon_sets=[daemon_set_json("exporter", "1500m", "1Gi")])
    assert least(with_exporter, ANY_NODE, NOW).price_per_hour == MANAGEMENT + 2 * A1_OCPU + 2 * A1_GIB


def test_a_daemon_whose_set_is_gone_goes_as_well() -> None:
    gone = pod_json("gone", "1500m", "1Gi", at="n", **owned_by("DaemonSet", "gone"))
    seen = lists(worker("a", "n"), gone, nodes=(node_json("n", "2"),))
    with_another = replace(seen, daemon_sets=[daemon_set_json("small", "50m", "64Mi")])
    assert least(with_another, ANY_NODE, NOW).price_per_hour == MANAGEMENT + A1_OCPU + 2 * A1_GIB


def test_room_on_nodes_that_stay_costs_nothing() -> None:
    seen = lists(worker("a"), nodes=(node_json("n"),), is_open=True)
    assert least(seen, ANY_NODE, NOW).price_per_hour == MANAGEMENT


def test_what_is_kept_free_is_paid_for() -> None:
    policy = Policy(families=("VM.Standard.A1",), headroom=Headroom(1, Resources(8000, 8 * 2**30, pods=1)))
    found = least(lists(worker("a"), nodes=(node_json("n"),)), Terms(OKE_NOMINAL, policy), NOW)
    assert found.price_per_hour > MANAGEMENT


def test_it_is_of_prices_whatever_nodes_are_taken_to_cost_beside_them() -> None:
    pods = [pod_json(f"v{at}", "400m", "4G", at="n") for at in range(1)]
    pods += [pod_json(f"s{at}", "400m", "1G", at="n") for at in range(4)]
    seen = lists(*pods, nodes=(node_json("n"),))
    bare = Terms(OKE, Policy())
    counted = Terms(OKE, Policy(node_overhead_price_per_hour=Decimal("0.0029")))
    assert least(seen, counted, NOW) == least(seen, bare, NOW)
    assert least(seen, bare, NOW).price_per_hour == MANAGEMENT + Decimal("0.0450")


def test_pods_that_no_node_can_be_bought_for_are_told() -> None:
    with pytest.raises(Fault, match=r"default/a: .*no-offering|default/a: .*too-large"):
        least(lists(pod_json("a", "900", "1Gi", at="n"), nodes=(node_json("n"),)), ANY_NODE, NOW)


def test_a_node_without_a_price_is_told() -> None:
    stranger = node_json("s", labels={"rightsize.io/role": "", "node.kubernetes.io/instance-type": "X9"})
    with pytest.raises(Fault, match="no price in the catalog for node s: X9"):
        least(lists(nodes=(stranger,)), ANY_NODE, NOW)


def test_what_is_no_pod_is_told() -> None:
    with pytest.raises(Fault, match="pod default/a: "):
        least(
            lists({**worker("a"), "spec": {"containers": [{"resources": {"requests": {"cpu": "x"}}}]}}),
            ANY_NODE,
            NOW,
        )
