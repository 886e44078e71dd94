from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.timing import CLOUD, DEMO, Timing
from emulator.kube.config import Binaries, Layout, render
from emulator.kube.ports import Ports

LAYOUT = Layout(
    name="a",
    binaries=Binaries(
        *(Path("/bin") / name for name in ("etcd", "api", "manager", "scheduler", "kwok", "metrics"))
    ),
    ports=Ports(1, 2, 3, 4, 5, 6, 7),
    metrics_manifests=Path("/manifests"),
)


def documents(timing: Timing = DEMO) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(render(LAYOUT, timing, ("rightsize/provisioner",))))


def arguments(component: str, timing: Timing = DEMO) -> dict[str, tuple[str, bool]]:
    patches = {row["name"]: row["extraArgs"] for row in documents(timing)[0]["componentsPatches"]}
    return {row["key"]: (row["value"], row["override"]) for row in patches[component]}


def test_every_port_and_binary_is_named_so_that_kwokctl_chooses_none() -> None:
    options = documents()[0]["options"]
    assert [options[key] for key in options if key.endswith("Port")] == [1, 2, 3, 4, 5, 6, 7]
    assert len([key for key in options if key.endswith("Binary")]) == 6
    assert options["bindAddress"] == "127.0.0.1"


@pytest.mark.parametrize(("timing", "sync", "resolution"), [(DEMO, "2s", "10s"), (CLOUD, "15s", "15s")])
def test_the_pace_sets_hpa_and_metrics(timing: Timing, sync: str, resolution: str) -> None:
    assert arguments("kube-controller-manager", timing)["horizontal-pod-autoscaler-sync-period"] == (
        sync,
        False,
    )
    assert arguments("metrics-server", timing)["metric-resolution"] == (resolution, True)


def test_only_what_kwokctl_sets_itself_is_overridden() -> None:
    assert arguments("metrics-server")["kubelet-request-timeout"] == ("5s", False)
    assert not any(override for _, override in arguments("kube-apiserver").values())


def test_gpu_pods_get_their_toleration_from_admission() -> None:
    assert arguments("kube-apiserver")["enable-admission-plugins"] == ("ExtendedResourceToleration", False)


def test_all_kinds_of_kwok_are_there_once() -> None:
    assert [(row["kind"], row["metadata"]["name"]) for row in documents()[1:]] == [
        ("KwokConfiguration", "kwok"),
        ("Stage", "node-initialize"),
        ("Stage", "pod-ready"),
        ("Stage", "pod-delete"),
        ("ClusterResourceUsage", "usage-from-annotation"),
        ("Metric", "resource"),
    ]


def test_both_pod_stages_leave_process_pods_alone() -> None:
    stages = {row["metadata"]["name"]: row for row in documents() if row["kind"] == "Stage"}
    for name in ("pod-ready", "pod-delete"):
        last = stages[name]["spec"]["selector"]["matchExpressions"][-1]
        assert last["operator"] == "NotIn"
        assert "rightsize/provisioner" in last["key"]
