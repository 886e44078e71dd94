"""`plan` and `explain` on files, a live cluster and a record: one source, read only, faults in one line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from provisioner.__main__ import app
from tests.support.api_server import ApiServer, api_server, kubeconfig
from tests.support.kube_json import daemon_set_json, node_json, owned_by, pod_json
from tests.unit.provisioner.test_settings import text

WAITING = [pod_json("a", "300m"), pod_json("b", "700m", "3Gi")]


def said(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def answered(*words: object) -> Any:
    result = said("plan", *words, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    del document["elapsed_s"]
    return document


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    return written(tmp_path / "pods.yaml", {"kind": "List", "items": WAITING})


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path, pods=WAITING) as server:
        yield server


def test_a_cluster_is_answered_for_as_its_files_would_be(cluster: ApiServer, pods: Path) -> None:
    assert answered("--kubeconfig", cluster.kubeconfig) == answered("--pods", pods)
    assert answered("--kubeconfig", cluster.kubeconfig)["nodes"]


def test_explain_has_the_document_of_plan(pods: Path) -> None:
    explained = json.loads(said("explain", "--pods", pods, "--json").stdout)
    del explained["elapsed_s"]
    assert explained == answered("--pods", pods)


def test_recommendations_have_no_document(pods: Path) -> None:
    result = said("explain", "--pods", pods, "--recommend", "--metrics", "m", "--json")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("words", [("plan",), ("plan", "--json"), ("explain",), ("explain", "--json")])
def test_an_answer_that_cannot_be_written_is_said_in_one_line(words: tuple[str, ...], pods: Path) -> None:
    command = [sys.executable, "-m", "provisioner", *words, "--pods", str(pods)]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stderr) == (
        1,
        "the answer cannot be written: No space left on device\n",
    )


def test_a_pod_that_asks_for_less_than_nothing_is_a_fault_in_a_file(tmp_path: Path) -> None:
    odd = written(tmp_path / "pods", {"kind": "List", "items": [*WAITING, pod_json("odd", cpu="-1")]})
    result = said("plan", "--pods", odd)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"{odd}: pod default/odd: spec.containers[0].resources.requests.cpu: '-1'; expected 0 or more\n"
    )


def test_daemon_sets_count_wherever_they_stand(cluster: ApiServer, tmp_path: Path, pods: Path) -> None:
    ours = daemon_set_json("exporter")
    both = written(tmp_path / "both.yaml", {"kind": "List", "items": [*WAITING, ours]})
    beside = written(tmp_path / "beside.yaml", {"kind": "List", "items": [ours]})
    with_it = answered("--pods", both)
    assert answered("--pods", pods, "--nodes", beside) == with_it
    cluster.items["daemon_sets"] = [{key: ours[key] for key in ("metadata", "spec")}]
    assert answered("--kubeconfig", cluster.kubeconfig) == with_it
    (alone,), (node,) = answered("--pods", pods)["nodes"], with_it["nodes"]
    assert node["price_per_hour"] > alone["price_per_hour"]


def test_where_they_may_not_be_listed_that_is_said(cluster: ApiServer, pods: Path) -> None:
    cluster.refuses = frozenset({"daemon_sets"})
    result = said("plan", "--kubeconfig", cluster.kubeconfig)
    assert (result.exit_code, "daemonsets: 403" in result.stderr) == (0, True)
    assert answered("--kubeconfig", cluster.kubeconfig) == answered("--pods", pods)


def test_a_cluster_is_only_read(cluster: ApiServer) -> None:
    assert said("explain", "--kubeconfig", cluster.kubeconfig).exit_code == 0
    assert cluster.asked
    assert {each.split()[0] for each in cluster.asked} == {"GET"}


def test_a_context_is_looked_for_in_kubectls_own_kubeconfig(
    cluster: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(cluster.kubeconfig))
    assert answered("--context", "test")["nodes"]
    unknown = said("plan", "--context", "other")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (1, 1)
    assert "other" in unknown.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--pods", "p", "--kubeconfig", "k"),
        ("--pods", "p", "--replay", "r"),
        ("--context", "c", "--replay", "r"),
        ("--kubeconfig", "k", "--nodes", "n"),
        ("--replay", "r", "--cloud", "oke"),
        ("--replay", "r", "--deadline-s", "0"),
        ("--pods", "p", "--mode", "best"),
        ("--pods", "p", "--mode", ""),
        ("--pods", "p", "--cloud", ""),
        ("--pods", "p", "--accounting", ""),
        ("--pods", "p", "--catalog", "c", "--accounting", "documented"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "explain"])
def test_what_does_not_go_together_is_wrong_usage(command: str, words: tuple[str, ...]) -> None:
    assert said(command, *words).exit_code == 2


def test_an_api_server_that_is_away_is_said_in_one_line(tmp_path: Path) -> None:
    away = written(tmp_path / "kubeconfig", kubeconfig("http://127.0.0.1:1"))
    result = said("plan", "--kubeconfig", away)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "the API server does not answer" in result.stderr


@pytest.mark.parametrize("content", ["", "{", "a: [1, 2]", "contexts: 3"])
def test_a_kubeconfig_that_is_none_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    result = said("plan", "--kubeconfig", written(tmp_path / "kubeconfig", content))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert str(tmp_path / "kubeconfig") in result.stderr


def test_a_missing_right_is_said_in_one_line(cluster: ApiServer) -> None:
    cluster.refuses = frozenset({"nodes"})
    result = said("plan", "--kubeconfig", cluster.kubeconfig)
    assert (result.exit_code, result.stderr) == (1, "403: /api/v1/nodes is forbidden\n")


@pytest.mark.parametrize("cpu", ["many", "-1"])
def test_what_cannot_be_read_of_a_cluster_is_left_out_and_said(cluster: ApiServer, cpu: str) -> None:
    cluster.items["pods"] = [*WAITING, pod_json("odd", cpu=cpu)]
    result = said("plan", "--kubeconfig", cluster.kubeconfig, "--json")
    assert result.exit_code == 0
    assert "pod default/odd" in result.stderr
    assert len(json.loads(result.stdout)["unplaced"]) == 0


def test_removals_are_explained_with_the_marks_there_are(cluster: ApiServer) -> None:
    since = {"rightsize.io/removable-since": "2026-01-02T03:04:05+00:00"}
    cluster.items["pods"] = [pod_json("lone", at="busy", **owned_by("ReplicaSet", "web"))]
    cluster.items["nodes"] = [node_json("busy"), node_json("new"), node_json("old", annotations=since)]
    result = said("explain", "--kubeconfig", cluster.kubeconfig)
    assert result.exit_code == 0, result.output
    assert "mark new: no pod but its own runs on it" in result.stdout
    assert "cordon old: empty since 03:04:05" in result.stdout
    assert "3 nodes are bought, $0.0660 an hour" in result.stdout
    assert "keep busy, VM.Standard.A1.Flex 1 OCPU 8 GiB" in result.stdout


def test_a_policy_is_obeyed_and_says_which_nodes_are_ours(tmp_path: Path, pods: Path) -> None:
    policy = written(tmp_path / "policy.yaml", {"node_taints": [], "architectures": ["amd64"]})
    nodes = written(tmp_path / "nodes.yaml", {"kind": "List", "items": [node_json("idle", "100m")]})
    assert {each["arch"] for each in answered("--pods", pods, "--policy", policy)["nodes"]} == {"amd64"}
    assert "mark idle" in said("explain", "--pods", pods, "--nodes", nodes, "--policy", policy).stdout
    assert "mark idle" not in said("explain", "--pods", pods, "--nodes", nodes).stdout


def test_the_mode_on_the_command_line_is_stronger_than_the_policys(tmp_path: Path, pods: Path) -> None:
    policy = written(tmp_path / "policy.yaml", {"mode": "bin-select"})
    assert answered("--pods", pods, "--policy", policy)["mode"] == "bin-select"
    assert answered("--pods", pods, "--policy", policy, "--mode", "optimal")["mode"] == "optimal"
    assert answered("--pods", pods)["mode"] == "optimal"


@pytest.mark.parametrize("mode", ["bin-select", "bin-pack"])
def test_pods_of_many_sizes_get_their_own_where_no_policy_caps_them(tmp_path: Path, mode: str) -> None:
    items = [pod_json(f"p{size}", "3100m", f"{size}Gi") for size in range(4, 29)]
    many = written(tmp_path / "many.yaml", {"kind": "List", "items": items})
    policy = written(tmp_path / "policy.yaml", {"node_taints": []})
    free = answered("--pods", many, "--mode", mode)
    capped = answered("--pods", many, "--mode", mode, "--policy", policy)
    sizes = [len({each["memory_bytes"] for each in plan["nodes"]}) for plan in (free, capped)]
    assert sizes == [25, 20]
    assert (len(free["nodes"]), len(capped["nodes"]), capped["unplaced"]) == (25, 25, [])
    assert free["price_per_hour"] < capped["price_per_hour"]


def test_whole_settings_bring_their_cloud_and_its_zones(tmp_path: Path, pods: Path) -> None:
    whole = written(tmp_path / "s.yaml", text("gke", region="us-central1", policy={"node_taints": []}))
    zones = {each["zone"] for each in answered("--pods", pods, "--policy", whole)["nodes"]}
    assert zones == {"us-central1-a"}
    assert said("plan", "--pods", pods, "--policy", whole, "--cloud", "oke").exit_code == 2


def test_every_fault_of_a_policy_is_said_with_its_file(tmp_path: Path, pods: Path) -> None:
    policy = written(tmp_path / "policy.yaml", {"mode": "best", "max_pool": 3})
    result = said("plan", "--pods", pods, "--policy", policy)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        f"{policy}: mode: 'best'; expected bin-select or bin-pack or optimal",
        f"{policy}: max_pool: is not a setting; remove it or correct its name",
    ]


def test_a_policy_that_is_not_there_is_said(tmp_path: Path, pods: Path) -> None:
    result = said("plan", "--pods", pods, "--policy", tmp_path / "none")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{tmp_path / 'none'}: cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize("mode", ["optimal", "bin-pack", "bin-select"])
def test_a_recorded_answer_is_given_again_without_its_cluster(
    tmp_path: Path, cluster: ApiServer, mode: str
) -> None:
    cluster.items["nodes"] = [node_json("idle", "100m")]
    kept = tmp_path / "decision.json"
    first = answered("--kubeconfig", cluster.kubeconfig, "--mode", mode, "--record", kept)
    explained = said("explain", "--kubeconfig", cluster.kubeconfig, "--mode", mode).stdout
    cluster.kubeconfig.unlink()
    assert answered("--replay", kept) == first
    assert said("explain", "--replay", kept).stdout == explained


@pytest.mark.parametrize("content", ["", "[]", "{", '{"kind": "rightsize.io/decision"}', "\0"])
def test_a_record_that_is_none_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    result = said("plan", "--replay", written(tmp_path / "record", content))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert str(tmp_path / "record") in result.stderr


def test_where_no_record_can_be_written_that_is_said(tmp_path: Path, pods: Path) -> None:
    result = said("plan", "--pods", pods, "--record", tmp_path / "no" / "folder")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be written: No such file or directory" in result.stderr
