"""Hot nodes: marked at once, relieved of one pod at a time after the wait, and open again when they are cool."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog.names import DRAINING_KEY
from provisioner.__main__ import app
from provisioner.core import usage
from provisioner.core.as_used import as_used
from provisioner.core.decide import decide
from provisioner.core.hot_nodes import COOL, HEAT, HOT, HOT_SINCE_KEY, Step, steps
from provisioner.core.model import Budget, Node, Owner, Pod
from provisioner.core.plan import EVICT
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from provisioner.core.usage import Usage
from provisioner.kube import Kube, KubeUnavailable
from provisioner.settings import SettingsError, parse
from tests.support.api_server import api_server
from tests.support.kube_json import node_json, pod_json
from tests.support.packing import rounds
from tests.support.provision import NOW, catalog, node, offering, pod
from tests.support.provision import worker as any_worker
from tests.support.world import World
from tests.unit.provisioner.test_settings import text

MIB = 2**20
MARKET = catalog(offering("two", "1", vcpus=2, memory_gib=Decimal(8)))
POLICY = Policy(mode=OPTIMAL, repack=False, hot_nodes=True, hot_wait_s=60)
SPEC = PoolSpec("two", 0, Decimal(8), "z1", "on-demand", (("karpenter.sh/capacity-type", "on-demand"),))
LONG_AGO = {HOT_SINCE_KEY: (NOW - timedelta(seconds=60)).isoformat()}


def worker(name: str, at: str = "n", cpu: str = "200m", **changes: Any) -> Pod:
    return any_worker(name, at, cpu, "500Mi", **changes)


def hot(name: str = "n", **changes: Any) -> Node:
    return node(name, taints=(HOT,), **{"annotations": LONG_AGO, **changes})


def used(name: str, cpu: int = 0, mib: int = 0) -> Usage:
    return Usage("default", name, cpu, mib * MIB)


def snapshot(
    pods: Sequence[Pod], nodes: Sequence[Node], uses: Sequence[Usage], percent: dict[str, tuple[float, float]]
) -> Snapshot:
    """Nodes of ours, used to so many per cent of their CPU and memory."""
    pool = Pool("two", "two", SPEC, len(nodes), tuple(Instance(each.provider_id) for each in nodes))
    node_usage = tuple(
        Usage(
            "",
            each.name,
            int(each.allocatable.cpu_millicores * percent[each.name][0] / 100),
            int(each.allocatable.memory_bytes * percent[each.name][1] / 100),
        )
        for each in nodes
        if each.name in percent
    )
    return Snapshot(tuple(pods), tuple(nodes), (pool,), usage=tuple(uses), node_usage=node_usage)


def done(there: Snapshot, policy: Policy = POLICY, now: datetime = NOW) -> list[Step]:
    plan = decide(there, MARKET, policy, now, rounds(9))
    return list(steps(plan, there, MARKET, policy, now))


def said(there: Snapshot, policy: Policy = POLICY, now: datetime = NOW) -> list[tuple[str, str, str]]:
    return [(each.node, each.action, each.pod.name if each.pod else "") for each in done(there, policy, now)]


TWO = [worker("a"), worker("b"), worker("peer", "other")]
USES = [used("a", 300), used("b", 1500), used("peer", 100)]


def relieved(**changes: Any) -> list[tuple[str, str, str]]:
    """What is done about a hot node with two pods, one of which uses more than it asked for."""
    pods = [replace(each, **changes) if each.name == "b" else each for each in TWO]
    return said(snapshot(pods, [hot(), node("other")], USES, {"n": (95, 50), "other": (10, 10)}))


@pytest.mark.parametrize(("cpu", "memory"), [(91, 10), (10, 91), (150, 150)])
def test_a_node_above_a_red_mark_is_marked_first(cpu: int, memory: int) -> None:
    assert said(snapshot(TWO, [node("n")], USES, {"n": (cpu, memory)})) == [("n", HEAT, "")]


def test_nothing_is_done_unless_the_policy_says_so() -> None:
    there = snapshot(TWO, [hot()], USES, {"n": (99, 99)})
    assert said(there, replace(POLICY, hot_nodes=False)) == []


@pytest.mark.parametrize("percent", [{"n": (90, 90)}, {"n": (10, 10)}, {}])
def test_a_node_that_is_not_hot_is_let_be(percent: dict[str, tuple[float, float]]) -> None:
    assert said(snapshot(TWO, [node("n")], USES, percent)) == []


def test_after_the_wait_the_pod_that_uses_most_above_its_requests_is_moved() -> None:
    assert relieved() == [("n", EVICT, "b"), ("n", HEAT, "")]


def test_before_the_wait_is_over_none_is() -> None:
    there = snapshot(TWO, [hot(), node("other")], USES, {"n": (95, 50)})
    assert said(there, now=NOW - timedelta(seconds=1)) == []


def test_where_memory_is_scarce_the_use_of_memory_counts() -> None:
    uses = [used("a", 100, 4000), used("b", 1500, 600), used("peer")]
    assert said(snapshot(TWO, [hot(), node("other")], uses, {"n": (80, 95)}))[0] == ("n", EVICT, "a")


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": Owner("ReplicaSet", "lone", "lone")},
        {"owner": Owner("Job", "web", "web")},
        {"annotations": {"pod.elotl.co/do-not-evict": "true"}},
        {"claims": ("disk",)},
        {"labels": {"elotl-luna": "no"}, "annotations": {"pod.elotl.co/ignore": "true"}},
    ],
)
def test_pods_that_may_not_be_moved_stay_and_the_next_one_goes(changes: dict[str, Any]) -> None:
    assert relieved(**changes)[0] == ("n", EVICT, "a")


def test_none_is_moved_while_a_peer_is_not_ready() -> None:
    pods = [worker("a"), worker("b"), worker("peer", "other", is_ready=False)]
    assert said(snapshot(pods, [hot(), node("other")], USES, {"n": (95, 50)})) == []


def test_a_disruption_budget_is_kept() -> None:
    there = snapshot(TWO, [hot(), node("other")], USES, {"n": (95, 50)})
    assert said(replace(there, budgets=(Budget("default", "web", (), 0),))) == []


def test_pods_that_use_no_more_than_they_asked_for_stay() -> None:
    uses = [used("a", 100), used("b", 200), used("peer")]
    assert said(snapshot(TWO, [hot(), node("other")], uses, {"n": (95, 50)})) == []


def test_a_pod_that_would_have_no_place_stays() -> None:
    def left(cpu: str) -> Snapshot:
        resident = worker("resident", "other", cpu)
        return snapshot([*TWO, resident], [hot(), node("other")], USES, {"n": (95, 50)})

    assert said(left("1"))[0] == ("n", EVICT, "b")
    full = replace(POLICY, max_nodes=2)
    assert said(left("1"), full)[0] == ("n", EVICT, "a")
    assert said(left("1750m"), full) == []


def test_one_pod_is_moved_at_a_time_from_the_hottest_node() -> None:
    pods = [*TWO, worker("c", "m"), worker("d", "m")]
    uses = [*USES, used("c", 900), used("d", 900)]
    there = snapshot(pods, [hot("m"), hot(), node("other")], uses, {"m": (92, 10), "n": (95, 50)})
    assert said(there) == [("n", EVICT, "b"), ("n", HEAT, "")]


@pytest.mark.parametrize(("cpu", "memory", "cools"), [(69, 69, True), (75, 10, False), (10, 75, False)])
def test_below_both_green_marks_it_is_open_again(cpu: int, memory: int, *, cools: bool) -> None:
    there = snapshot(TWO, [hot()], USES, {"n": (cpu, memory)})
    assert said(there) == ([("n", COOL, "")] if cools else [])


@pytest.mark.parametrize(
    "changes",
    [{"is_ready": False}, {"is_deleting": True}, {"annotations": {**LONG_AGO, DRAINING_KEY: "true"}}],
)
def test_nodes_that_are_leaving_or_not_ready_are_let_be(changes: dict[str, Any]) -> None:
    there = snapshot(TWO, [hot(**changes), node("other")], USES, {"n": (99, 99)})
    assert [each for each in said(there) if each[1] == EVICT] == []


@pytest.mark.parametrize("mark", ["", "yesterday"])
def test_a_mark_whose_time_is_lost_is_set_again_or_taken_away(mark: str) -> None:
    lost = hot(annotations={HOT_SINCE_KEY: mark})
    assert said(snapshot(TWO, [lost], USES, {"n": (95, 10)})) == [("n", HEAT, "")]
    assert said(snapshot(TWO, [lost], USES, {"n": (10, 10)})) == [("n", COOL, "")]
    assert said(snapshot(TWO, [lost], USES, {"n": (80, 10)})) == []


@pytest.mark.parametrize("percent", [(95, 50), (10, 10)])
def test_while_pods_are_on_their_way_they_do_not_come_back(percent: tuple[int, int]) -> None:
    moving = [*TWO, pod("next", "100m")]
    assert said(snapshot(moving, [hot(), node("other")], USES, {"n": percent})) == []


def test_nodes_of_others_are_let_be() -> None:
    there = snapshot(TWO, [node("n")], USES, {"n": (99, 99)})
    assert said(replace(there, pools=())) == []


def test_the_reason_names_what_is_used() -> None:
    step = done(snapshot(TWO, [hot(), node("other")], USES, {"n": (95, 50)}))[0]
    assert step.why == "uses 95 % of its CPU and 50 % of its memory; default/b uses most above its requests"


def test_pods_are_as_large_as_they_are_used() -> None:
    there = Snapshot((worker("a"), pod("waits")), usage=(used("a", 1500, 100), used("waits", 900)))
    larger = as_used(there, POLICY)
    assert [each.requests.cpu_millicores for each in larger.pods] == [1500, 100]
    assert larger.pods[0].requests.memory_bytes == 500 * MIB
    assert as_used(there, replace(POLICY, hot_nodes=False)) is there


def world(policy: Policy = POLICY) -> World:
    made = World(MARKET, policy)
    made.cluster.use_of = lambda pod: (1100, 0) if pod.name.startswith("heavy") else (50, 0)
    return made


def test_a_hot_node_is_relieved_and_stays_so() -> None:
    here = world(replace(POLICY, repack=True, node_unneeded_s=30, repack_cost_per_pod=Decimal(0)))
    here.cluster.add(*(worker(name, "") for name in ("heavy1", "heavy2", "light")))
    here.rounds(2)
    assert here.bought == ["two"]
    here.rounds(12)
    heavy = {pod.node_name for pod in here.cluster.pods.values() if pod.name.startswith("heavy")}
    assert (len(heavy), len(here.cluster.evicted), here.bought) == (2, 1, ["two", "two"])
    here.rounds(60)
    assert (len(here.cluster.evicted), len(here.cluster.nodes)) == (1, 2)
    assert all(HOT not in each.taints for each in here.cluster.nodes.values())
    assert ("HotNode", True) in {(reason, "moved off" in text) for _, reason, text in here.cluster.events}


def test_a_restart_at_any_round_moves_no_more_pods() -> None:
    for at in range(10):
        here = world()
        here.cluster.add(*(worker(name, "") for name in ("heavy1", "heavy2")))
        for number in range(25):
            here.rounds(1)
            if number == at:
                here.restart()
        assert len(here.cluster.evicted) == 1


def test_use_that_cannot_be_measured_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world()

    def away() -> tuple[Usage, ...]:
        raise KubeUnavailable("503: metrics-server is away")

    monkeypatch.setattr(here.cluster, "usage", away)
    here.cluster.add(pod("a"))
    here.rounds(3)
    assert (here.bought, here.cluster.pending) == (["two"], [])
    assert sum("metrics-server is away" in line for line in here.log.lines) == 1


def test_a_mark_is_one_patch_of_the_version_that_was_read_and_leaves_other_taints() -> None:
    asked: list[Any] = []
    own = {"key": "rightsize.io/role", "value": "inference", "effect": "NoSchedule", "timeAdded": "then"}
    mark = {"key": "rightsize.io/hot", "value": "true", "effect": "NoSchedule"}

    def listed(*, field_selector: str, **_: Any) -> Any:
        assert field_selector == "metadata.name=n"
        spec = {"taints": [own, *([mark] if asked else [])]}
        page = {"items": [{"metadata": {"resourceVersion": "7"}, "spec": spec}], "metadata": {}}
        return SimpleNamespace(data=json.dumps(page))

    kube = Kube(SimpleNamespace(list_node=listed, patch_node=lambda *words, **_: asked.append(words)))
    for since in (NOW, NOW, None):
        kube.heat("n", since)
    assert [node for node, _ in asked] == ["n"] * 3
    assert [body["spec"]["taints"] for _, body in asked] == [[own, mark], [own, mark], [own]]
    assert [body["metadata"] for _, body in asked] == [
        {"annotations": {HOT_SINCE_KEY: at}, "resourceVersion": "7"}
        for at in ("2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05+00:00", None)
    ]


def test_a_nodes_use_is_read() -> None:
    raw = {"metadata": {"name": "n"}, "usage": {"cpu": "1500m", "memory": "1Mi"}}
    assert usage.read_node(raw) == Usage("", "n", 1500, MIB)


def test_green_is_below_red() -> None:
    with pytest.raises(
        SettingsError, match=r"hot_green_cpu_percent: 90; has to be below hot_red_cpu_percent, 80"
    ):
        parse(text("oke", policy={"hot_red_cpu_percent": 80, "hot_green_cpu_percent": 90}))
    assert parse(text("oke", policy={"hot_nodes": True})).policy.policy().hot_nodes


def test_explain_says_what_is_hot_in_a_cluster_and_in_its_record(tmp_path: Path) -> None:
    measured = {"metadata": {"name": "n"}, "usage": {"cpu": "950m", "memory": "1Gi"}}
    (tmp_path / "policy.yaml").write_text("hot_nodes: true\nnode_taints: []\n")
    words = ["--policy", str(tmp_path / "policy.yaml"), "--record", str(tmp_path / "decision")]
    with api_server(
        tmp_path, pods=[pod_json("p", at="n")], nodes=[node_json("n")], node_metrics=[measured]
    ) as cluster:
        told = CliRunner().invoke(app, ["explain", "--kubeconfig", str(cluster.kubeconfig), *words])
    assert told.exit_code == 0, told.output
    assert "heat n: uses 95 % of its CPU and 13 % of its memory" in told.stdout
    again = CliRunner().invoke(app, ["explain", "--replay", str(tmp_path / "decision")])
    assert again.stdout == told.stdout
