from dataclasses import replace
from typing import Any

import pytest

from emulator.kube.manifests import system_pods, workload
from emulator.kube.nodes import node_object
from emulator.kube.objects import (
    Requirement,
    Resources,
    Toleration,
    parse_node,
    parse_pod,
    parse_requirements,
)
from emulator.kube.spec import NodeSystem, SystemPod, Taint, WorkloadKind
from tests.support.kube import INFERENCE, node

GIB = 2**30


def container(cpu: str, memory: str, gpus: str | None = None) -> dict[str, Any]:
    requests = {"cpu": cpu, "memory": memory, **({"nvidia.com/gpu": gpus} if gpus else {})}
    return {"name": "c", "image": "image", "args": ["--model", "m"], "resources": {"requests": requests}}


def pod_item(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ns", "name": "p", "uid": "u"},
        "spec": {"containers": [container("100m", "1Gi")], **spec},
        "status": {},
    }


def test_requests_are_the_sum_of_containers_or_the_largest_init_container() -> None:
    spec = {
        "containers": [container("100m", "1Gi", "1"), container("200m", "1G")],
        "initContainers": [container("1", "1Gi")],
    }
    assert parse_pod(pod_item(**spec)).requests == Resources(1000, GIB + 10**9, 1, 1)


@pytest.mark.parametrize(
    ("conditions", "phase", "ready", "unschedulable"),
    [
        ([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}], "Pending", False, True),
        ([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}], "Pending", False, False),
        ([{"type": "Ready", "status": "True"}], "Running", True, False),
        ([{"type": "Ready", "status": "False"}], "Running", False, False),
    ],
)
def test_a_pods_state(conditions: list[dict[str, str]], phase: str, ready: bool, unschedulable: bool) -> None:
    item = pod_item() | {"status": {"phase": phase, "conditions": conditions}}
    parsed = parse_pod(item)
    assert (parsed.phase, parsed.ready, parsed.unschedulable) == (phase, ready, unschedulable)


def test_where_a_pod_may_run() -> None:
    affinity = {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "z", "operator": "In", "values": ["a"]}]}]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "a"}}},
                {
                    "topologyKey": "topology.kubernetes.io/zone",
                    "labelSelector": {"matchLabels": {"app": "a"}},
                },
            ]
        },
    }
    placement = parse_pod(
        pod_item(affinity=affinity, tolerations=[{"key": "k", "operator": "Exists"}])
    ).placement
    assert placement.node_terms == ((Requirement("z", "In", ("a",)),),)
    assert placement.apart_from == ((Requirement("app", "In", ("a",)),),)
    assert placement.tolerations == (Toleration("k", "Exists", "", ""),)


def test_a_selector_of_labels_and_expressions() -> None:
    selector = {"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}
    assert parse_requirements(selector) == (Requirement("a", "In", ("1",)), Requirement("b", "Exists", ()))


def test_a_registered_node_reads_back_as_it_was_ordered() -> None:
    spec = node("n", role="inference", gpus=1, taints=(INFERENCE,), annotations={"pool": "p"})
    item = node_object(spec)
    item["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    parsed = parse_node(item)
    assert parsed.allocatable == Resources(1830, 28 * GIB, 1, 31)
    assert parsed.taints == (Taint("rightsize.io/role", "inference", "NoSchedule"),)
    assert parsed.labels["kubernetes.io/arch"] == "amd64"
    assert parsed.labels["rightsize.io/role"] == "inference"
    assert parsed.annotations["pool"] == "p"
    assert item["spec"]["providerID"] == "ocid1.instance.oc1.iad.n"


def test_the_api_server_finds_every_kubelet_at_kwok() -> None:
    addresses = {row["type"]: row["address"] for row in node_object(node("n"))["status"]["addresses"]}
    assert addresses == {"InternalIP": "10.0.1.7", "Hostname": "n", "InternalDNS": "localhost"}


def test_nominal_accounting_has_no_daemon_sets() -> None:
    def kinds(accounting: str) -> set[WorkloadKind]:
        return {pod.kind for pod in system_pods("oke", accounting)}

    assert kinds("documented") == {WorkloadKind.DAEMON_SET, WorkloadKind.DEPLOYMENT}
    assert kinds("nominal") == {WorkloadKind.DEPLOYMENT}


def test_each_cloud_serves_names_by_its_own_dns() -> None:
    def deployments(cloud: str) -> list[str]:
        return [pod.name for pod in system_pods(cloud, "nominal")]

    assert (deployments("oke"), deployments("gke")) == (["coredns"], ["kube-dns"])


def test_a_node_says_what_runs_on_it() -> None:
    system = NodeSystem("Container-Optimized OS from Google", "6.12", "containerd://2")
    info = node_object(replace(node("n"), system=system))["status"]["nodeInfo"]
    assert (info["osImage"], info["containerRuntimeVersion"]) == (system.os_image, system.runtime)


def test_a_gpu_daemon_set_selects_gpu_nodes_by_the_label_they_have() -> None:
    _, body = workload(SystemPod("plugin", WorkloadKind.DAEMON_SET, 0, 0, gpu_only=True))
    selector = body["spec"]["template"]["spec"]["nodeSelector"]
    assert selector.items() <= node_object(node("n", gpus=1))["metadata"]["labels"].items()
    assert not selector.items() <= node_object(node("n"))["metadata"]["labels"].items()
