"""Whatever stands in a file: a plan, or faults that name their object. Never a traceback."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from catalog.loader import REQUIRED
from provisioner.__main__ import app
from provisioner.core.policy import MODES
from tests.support.kube_json import daemon_set_json, node_json, owned_by, pod_json

REQUIRED_TERMS: Final = "requiredDuringSchedulingIgnoredDuringExecution"
ZONE: Final = "topology.kubernetes.io/zone"
IN_ZONE: Final = {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["z1"]}]}]
}
ALIKE: Final = {
    "matchLabels": {"app": "w"},
    "matchExpressions": [{"key": "app", "operator": "In", "values": ["w"]}],
}


def full_pod() -> dict[str, Any]:
    """A pod that has of everything that is read."""
    pod = pod_json("full", labels={"app": "w"}, creationTimestamp="2026-01-01T00:00:00Z")
    pod["metadata"] |= {
        "annotations": {"node.elotl.co/instance-max-cost": "5"},
        **owned_by("ReplicaSet", "w"),
    }
    pod["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 80, "hostIP": "10.0.0.1"}]
    pod["spec"] |= {
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}],
        "priority": 5,
        "overhead": {"cpu": "10m"},
        "os": {"name": "linux"},
        "hostNetwork": False,
        "initContainers": [{"restartPolicy": "Always", "resources": {"limits": {"cpu": "10m"}}}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        "schedulingGates": [],
        "resourceClaims": [],
        "affinity": {
            "nodeAffinity": {REQUIRED_TERMS: IN_ZONE},
            "podAffinity": {REQUIRED_TERMS: [{"labelSelector": ALIKE, "topologyKey": ZONE}]},
            "podAntiAffinity": {
                REQUIRED_TERMS: [
                    {
                        "labelSelector": ALIKE,
                        "topologyKey": "kubernetes.io/hostname",
                        "namespaces": ["default"],
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
                    }
                ]
            },
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "minDomains": 1,
                "topologyKey": ZONE,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": ALIKE,
                "matchLabelKeys": ["app"],
            }
        ],
    }
    return pod


def full_node() -> dict[str, Any]:
    node = node_json("n", labels={ZONE: "z1"}, creationTimestamp="2026-01-01T00:00:00Z")
    node["spec"]["taints"] = [{"key": "k", "value": "v", "effect": "NoSchedule"}]
    node["status"]["nodeInfo"] = {"kubeletVersion": "v1.34.1"}
    return node


VOLUMES: Final = (
    {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": "default"},
        "spec": {"volumeName": "v", "storageClassName": "s"},
        "status": {"phase": "Bound"},
    },
    {
        "kind": "PersistentVolume",
        "metadata": {"name": "v"},
        "spec": {"csi": {"driver": "d"}, "nodeAffinity": {"required": IN_ZONE}},
    },
    {
        "kind": "StorageClass",
        "metadata": {"name": "s"},
        "provisioner": "d",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowedTopologies": [{"matchLabelExpressions": [{"key": ZONE, "values": ["z1"]}]}],
    },
    {
        "kind": "CSINode",
        "metadata": {"name": "n"},
        "spec": {"drivers": [{"name": "d", "allocatable": {"count": 3}}]},
    },
)
VALID: Final[dict[str, Any]] = {
    "kind": "List",
    "items": [
        full_pod(),
        pod_json("other", labels={"app": "w"}),
        pod_json("runs", at="n"),
        full_node(),
        daemon_set_json("d"),
        *VOLUMES,
    ],
}
SHAPE: Final = {
    "shape": "a",
    "arch": "amd64",
    "kind": "fixed",
    "vcpus": "4",
    "memory_gib": "16",
    "price_per_hour": "0.1",
    "capacity_type": "on-demand",
    "zones": "z1;z2",
    "available": "true",
    "date": "2026-01-01",
}
FLEXIBLE: Final = {
    **{key: value for key, value in SHAPE.items() if key not in {"vcpus", "memory_gib", "price_per_hour"}},
    "shape": "f",
    "kind": "flexible",
    "vcpus_per_ocpu": "2",
    "ocpus_min": "1",
    "ocpus_max": "8",
    "gib_per_ocpu_min": "1",
    "gib_per_ocpu_max": "16",
    "gib_max": "64",
    "price_per_ocpu_hour": "0.01",
    "price_per_gib_hour": "0.001",
}


def places(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, as the keys and indices that lead there."""
    yield so_far
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*so_far, key))


GONE: Final = object()
odd_numbers = st.sampled_from([0, -1, 3.5, 10**40, 2**63, float("nan"), float("inf"), True])
odd_texts = st.sampled_from(
    ["", "x", "-5", "NaN", "1e400", "9" * 400, "\ud800", "\0", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
)
odd_values = st.recursive(
    st.none() | odd_numbers | odd_texts | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=3,
)
changes = st.lists(
    st.tuples(st.sampled_from([place for place in places(VALID) if place]), st.just(GONE) | odd_values),
    min_size=1,
    max_size=3,
)


def changed(document: Any, all_changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    """The document with values replaced, or gone, where a change before has left their place there."""
    document = json.loads(json.dumps(document))
    for (*way, last), value in all_changes:
        try:
            there = document
            for key in way:
                there = there[key]
            there[last]
            if value is GONE:
                del there[last]
            else:
                there[last] = value
        except (LookupError, TypeError):
            continue
    return document


def answer(folder: Path, document: Any, mode: str) -> Result:
    file, catalog = folder / "all", written_catalog(folder, SHAPE, FLEXIBLE)
    file.write_text(json.dumps(document))
    command = ("plan", "--pods", file, "--nodes", file, "--catalog", catalog, "--mode", mode, "--json")
    return CliRunner().invoke(app, [*map(str, command), "--deadline-s", "0"])


def written_catalog(folder: Path, *rows: dict[str, str]) -> Path:
    file = folder / "catalog.csv"
    lines = [",".join(REQUIRED), *(",".join(row.get(column, "") for column in REQUIRED) for row in rows)]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def no_number(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


OF_AN_OBJECT: Final = re.compile(
    r"(?:pod|node|daemonset|PersistentVolumeClaim|PersistentVolume|StorageClass|CSINode) .+: .+|items.*: .+|kind: .+|pod .+ is missing"
)


def test_the_document_is_valid(tmp_path: Path) -> None:
    for mode in MODES:
        result = answer(tmp_path, VALID, mode)
        assert (result.exit_code, result.stderr) == (0, "")
        assert json.loads(result.stdout)["nodes"]


@settings(max_examples=200, deadline=None)
@given(changes, st.sampled_from(MODES))
def test_any_document_is_answered_or_its_faults_are_said(
    all_changes: list[tuple[tuple[Any, ...], Any]], mode: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = answer(Path(folder), changed(VALID, all_changes), mode)
        assert isinstance(result.exception, SystemExit | None), result.exception
        if result.exit_code == 0:
            json.loads(result.stdout, parse_constant=no_number)
            return
        assert (result.exit_code, result.stdout) == (1, "")
        lines = result.stderr.rstrip("\n").split("\n")
        start = f"{folder}/all: "
        assert all(line.startswith(start) for line in lines), lines
        assert all(OF_AN_OBJECT.fullmatch(line.removeprefix(start)) for line in lines), lines


cells = odd_texts.filter(str.isprintable) | st.sampled_from(
    ["1_0", "1e999999", "0.5", "500", "1" * 30, "a\0b"]
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(REQUIRED), cells.filter(lambda text: "\ud800" not in text), min_size=1, max_size=3
    ),
    st.sampled_from([SHAPE, FLEXIBLE]),
)
def test_any_catalog_is_answered_for_or_its_faults_are_said(odd: dict[str, str], row: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, pods = written_catalog(Path(folder), {**row, **odd}), Path(folder) / "pods"
        pods.write_text(json.dumps(pod_json("p")))
        command = ("plan", "--pods", str(pods), "--catalog", str(file), "--json", "--deadline-s", "0")
        result = CliRunner().invoke(app, command)
        assert isinstance(result.exception, SystemExit | None), result.exception
        if result.exit_code == 0:
            json.loads(result.stdout, parse_constant=no_number)
            return
        assert (result.exit_code, result.stdout) == (1, "")
        lines = result.stderr.rstrip("\n").split("\n")
        assert all(line.startswith(f"{file}: line 2, column ") for line in lines), lines
