"""Requests proposed from measured use: of whom, how much, and what they would save."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from provisioner.__main__ import app
from provisioner.core import parse, recommend, usage
from provisioner.core.model import Owner, Pod
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.recommend import MIB, Recommendation, Terms
from provisioner.core.usage import Usage
from provisioner.kube import Kube
from tests.support.api_server import ApiServer, api_server
from tests.support.kube_json import owned_by, pod_json
from tests.support.packing import rounds
from tests.support.provision import NOW, amounts, catalog, flexible, pod

MARKET = catalog(flexible())
POLICY = Policy(mode=OPTIMAL)
WEB = Owner("ReplicaSet", "web-5d9f", "uid-web")


def budget() -> Callable[[], bool]:
    return rounds(20)


def web(name: str, cpu: str = "1", memory: str = "2Gi", **changes: Any) -> Pod:
    labels = {"pod-template-hash": "5d9f"}
    values = {"owner": WEB, "labels": labels, "node_name": "n", "phase": "Running", **changes}
    return pod(f"web-5d9f-{name}", cpu, memory, **values)


def used(name: str, cpu: int, mib: int, minutes: int = 0) -> Usage:
    return Usage("default", name, cpu, mib * MIB, NOW + timedelta(minutes=minutes))


def made(
    pods: Sequence[Pod], *samples: Sequence[Usage], margin: int = 15, policy: Policy = POLICY
) -> Recommendation:
    return recommend.recommend(pods, samples, margin, Terms(MARKET, policy, NOW, budget))


def proposed(made: Recommendation) -> dict[str, tuple[int, int]]:
    return {
        each.workload: (each.proposed.cpu_millicores, each.proposed.memory_bytes // MIB)
        for each in made.proposals
    }


def test_a_workload_is_sized_for_the_highest_use_of_any_of_its_pods() -> None:
    sample = [used("web-5d9f-a", 100, 300), used("web-5d9f-b", 200, 100)]
    assert proposed(made([web("a"), web("b")], sample)) == {"default/web": (230, 345)}


def test_of_several_samples_the_highest_counts() -> None:
    first, second = [used("web-5d9f-a", 100, 300)], [used("web-5d9f-a", 400, 200, minutes=30)]
    found = made([web("a")], first, second, margin=0)
    assert proposed(found) == {"default/web": (400, 300)}
    assert (found.samples, found.span) == (2, timedelta(minutes=30))


def test_a_pod_that_is_gone_counts_for_those_of_the_same_maker() -> None:
    sample = [used("web-5d9f-gone", 500, 100), used("web-77aa-old", 900, 900), used("webby-5d9f-x", 900, 900)]
    assert proposed(made([web("a")], sample, margin=0)) == {"default/web": (500, 100)}


def test_a_pod_that_sleeps_is_not_sized_to_nothing() -> None:
    assert proposed(made([web("a")], [used("web-5d9f-a", 0, 0)])) == {"default/web": (10, 16)}


def test_what_was_not_measured_keeps_what_it_asks_for() -> None:
    found = made([web("a"), pod("lone")], [used("web-5d9f-a", 100, 100)])
    assert (found.unmeasured, [each.workload for each in found.proposals]) == (
        ("default/lone",),
        ["default/web"],
    )


@pytest.mark.parametrize(
    "other",
    [
        web("a", owner=Owner("DaemonSet", "agent", "u")),
        web("a", phase="Succeeded"),
        web("a", is_gated=True),
        web("a", is_deleting=True),
        web("a", annotations={"rightsize.io/ignore": "true"}),
    ],
)
def test_pods_that_are_not_ours_to_size_are_passed_over(other: Pod) -> None:
    found = made([other], [used(other.name, 100, 100)])
    assert (found.proposals, found.unmeasured) == ((), ())
    assert found.price_now == 0


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "default/web"),
        ({"labels": {}}, "default/web-5d9f"),
        ({"owner": Owner("StatefulSet", "db", "u")}, "default/db"),
        ({"owner": None}, "default/web-5d9f-a"),
    ],
)
def test_a_workload_is_named_as_its_owner_knows_it(changes: dict[str, Any], name: str) -> None:
    assert recommend.workload_of(web("a", **changes)) == name


def test_both_prices_are_the_planners_own_for_all_pods_on_new_nodes() -> None:
    pods = [web(name) for name in "abcd"]
    found = made(pods, [used("web-5d9f-a", 200, 400)])
    assert (found.price_now, found.price_then) == (Decimal("0.0520"), Decimal("0.0130"))


def test_gpus_stay_as_they_are_asked_for() -> None:
    asked = replace(amounts("1", "2Gi", gpus=1), extended={"example.com/x": 2})
    assert recommend._resized(asked, amounts("10m", "1Mi")) == replace(
        amounts("10m", "1Mi", gpus=1), extended={"example.com/x": 2}
    )


def test_pods_without_a_node_to_be_bought_are_in_neither_price() -> None:
    pods = [web("a"), web("b", claims=("disk",)), web("c", "90")]
    found = made(pods, [used("web-5d9f-a", 100, 100)])
    assert found.left_out == ("default/web-5d9f-b", "default/web-5d9f-c")
    assert found.price_now == made([web("a")], [used("web-5d9f-a", 100, 100)]).price_now


def test_limits_on_what_is_bought_do_not_bend_the_comparison() -> None:
    tight = replace(POLICY, max_nodes=0, max_price_per_hour=Decimal(0))
    sample = [used("web-5d9f-a", 100, 100)]
    assert made([web("a")], sample, policy=tight) == made([web("a")], sample)


def test_it_is_said_that_a_sample_is_no_history() -> None:
    found = made([web("a")], [used("web-5d9f-a", 100, 300)])
    said = "\n".join(recommend.lines(found, 15))
    assert said.startswith(
        "1 samples over 0:00:00: the highest use of any pod in any of them, and 15 % more."
    )
    assert "That is no history" in said
    assert (
        "default/web, 1 pods: asks for 1000m and 2048 MiB, used 100m and 300 MiB at most; proposed 115m and 345 MiB"
        in said
    )
    assert "$0.0130 an hour as they ask now, $0.0115 as proposed: $0.0015 less" in said


def test_what_would_cost_more_is_said_as_well() -> None:
    found = made([web("a", "100m", "500Mi")], [used("web-5d9f-a", 3000, 9000)])
    assert "more" in list(recommend.lines(found, 15))[2]


uses = st.lists(
    st.builds(
        used,
        st.sampled_from([f"web-5d9f-{name}" for name in "abcxy"]),
        st.integers(0, 5000),
        st.integers(0, 9000),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(uses, max_size=3), st.integers(0, 60))
def test_nothing_measured_ever_exceeds_what_is_proposed(samples: list[list[Usage]], margin: int) -> None:
    found = made([web(name) for name in "abc"], *samples, margin=margin)
    for each in [use for sample in samples for use in sample]:
        (proposal,) = found.proposals
        assert each.cpu_millicores * (100 + margin) <= proposal.proposed.cpu_millicores * 100
        assert each.memory_bytes * (100 + margin) <= proposal.proposed.memory_bytes * 100
    assert len(found.proposals) + len(found.unmeasured) == 1


def metrics_json(name: str, *containers: tuple[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "kind": "PodMetrics",
        "metadata": {"namespace": "default", "name": name},
        "timestamp": "2026-01-02T03:04:05Z",
        "window": "15s",
        "containers": [{"name": "c", "usage": {"cpu": cpu, "memory": memory}} for cpu, memory in containers],
        **changes,
    }


def test_the_use_of_all_containers_counts() -> None:
    read = usage.read(metrics_json("a", ("1500000n", "1Mi"), ("3m", "2048Ki")))
    assert read == Usage("default", "a", 5, 3 * MIB, NOW)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({}, "podmetrics without a name: metadata is missing"),
        (
            metrics_json("a", ("lots", "1")),
            "podmetrics default/a: containers\\[0\\].usage.cpu: 'lots'; expected a number",
        ),
        (metrics_json("a", containers=[{}]), "podmetrics default/a: containers\\[0\\].usage is missing"),
        (metrics_json("a", containers=3), "podmetrics default/a: containers: 3; expected a list"),
    ],
)
def test_what_is_no_measurement_is_said_by_name(raw: dict[str, Any], fault: str) -> None:
    with pytest.raises(parse.Malformed, match=fault):
        usage.read(raw)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ApiServer]:
    metadata = {**owned_by("ReplicaSet", "web-5d9f"), "labels": {"pod-template-hash": "5d9f"}}
    pods = [pod_json("web-5d9f-a", "1", "2Gi", at="n", **metadata)]
    with api_server(tmp_path, pods=pods, metrics=[metrics_json("web-5d9f-a", ("100m", "300Mi"))]) as server:
        yield server


def said(*words: object) -> Any:
    return CliRunner().invoke(app, ["explain", *map(str, words)])


def test_a_cluster_is_asked_what_its_pods_use(cluster: ApiServer, tmp_path: Path) -> None:
    result = said("--kubeconfig", cluster.kubeconfig, "--recommend", "--margin", "20")
    assert result.exit_code == 0, result.output
    assert "default/web, 1 pods: asks for 1000m and 2048 MiB, used 100m and 300 MiB at most" in result.stdout
    assert "proposed 120m and 360 MiB" in result.stdout
    assert {each.split()[0] for each in cluster.asked} == {"GET"}

    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps({"kind": "List", "items": [metrics_json("web-5d9f-b", ("700m", "1Mi"))]}))
    both = said("--kubeconfig", cluster.kubeconfig, "--recommend", "--metrics", earlier)
    assert "2 samples" in both.stdout
    assert "used 700m and 300 MiB" in both.stdout


def test_a_cluster_is_connected_to_once_and_each_list_is_read_once(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, connected = Kube.reading, []

    def counted(*where: Any) -> Kube:
        connected.append(where)
        return reading(*where)

    monkeypatch.setattr(Kube, "reading", counted)
    assert said("--kubeconfig", cluster.kubeconfig, "--recommend").exit_code == 0
    assert len(connected) == 1
    assert len(cluster.asked) == len(set(cluster.asked))


def test_files_are_enough(tmp_path: Path, cluster: ApiServer) -> None:
    pods, metrics = tmp_path / "pods.json", tmp_path / "metrics.json"
    pods.write_text(json.dumps({"kind": "List", "items": cluster.items["pods"]}))
    metrics.write_text(json.dumps({"kind": "PodMetricsList", "items": cluster.items["metrics"]}))
    result = said("--pods", pods, "--recommend", "--metrics", metrics, "--metrics", metrics)
    assert result.exit_code == 0, result.output
    assert "2 samples" in result.stdout
    assert "proposed 115m and 345 MiB" in result.stdout


def test_a_cluster_that_measures_nothing_is_said_in_one_line(cluster: ApiServer) -> None:
    cluster.lacks = frozenset({"metrics"})
    result = said("--kubeconfig", cluster.kubeconfig, "--recommend")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "the cluster has no metrics API (metrics.k8s.io): install metrics-server\n"


def test_without_measurements_it_is_wrong_usage(tmp_path: Path) -> None:
    assert said("--pods", tmp_path / "pods", "--recommend").exit_code == 2
    assert said("--pods", tmp_path / "pods", "--metrics", tmp_path / "m").exit_code == 2
