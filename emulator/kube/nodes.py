"""A node's object as its kubelet would have registered it: pure."""

from typing import Any, Final

from catalog.allocatable import Capacity
from emulator.kube import stages
from emulator.kube.manifests import GPU_LABEL
from emulator.kube.spec import NodeSpec

GPU_RESOURCE: Final = "nvidia.com/gpu"
_EPHEMERAL_STORAGE: Final = "35Gi"
"""What a 50 GB boot volume leaves."""


def node_object(node: NodeSpec) -> dict[str, Any]:
    """The Node to create; kwok adds conditions and the port it serves logs and metrics on."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": _labels(node), "annotations": _annotations(node)},
        "spec": {
            "providerID": node.provider_id,
            "taints": [
                {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in node.taints
            ],
        },
        "status": {
            "capacity": _resources(node.capacity),
            "allocatable": _resources(node.allocatable),
            "addresses": [
                {"type": "InternalIP", "address": node.internal_ip},
                {"type": "Hostname", "address": node.name},
                # Where the API server and metrics-server find this node's kubelet, which is kwok.
                {"type": "InternalDNS", "address": "localhost"},
            ],
            "nodeInfo": _info(node),
        },
    }


def _labels(node: NodeSpec) -> dict[str, str]:
    own = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/arch": node.arch,
        "kubernetes.io/os": "linux",
    }
    return {**own, **({GPU_LABEL: "true"} if node.capacity.gpus else {}), **node.labels}


def _annotations(node: NodeSpec) -> dict[str, str]:
    return {stages.METRICS_PATH_ANNOTATION: stages.metrics_path(node.name), **node.annotations}


def _resources(capacity: Capacity) -> dict[str, str]:
    resources = {
        "cpu": f"{capacity.cpu_millicores}m",
        "memory": str(capacity.memory_bytes),
        "pods": str(capacity.pods),
        "ephemeral-storage": _EPHEMERAL_STORAGE,
    }
    return {**resources, **({GPU_RESOURCE: str(capacity.gpus)} if capacity.gpus else {})}


def _info(node: NodeSpec) -> dict[str, str]:
    return {
        "architecture": node.arch,
        "operatingSystem": "linux",
        "kubeletVersion": node.kubelet_version,
        "kubeProxyVersion": node.kubelet_version,
        "containerRuntimeVersion": node.system.runtime,
        "kernelVersion": node.system.kernel,
        "osImage": node.system.os_image,
        "bootID": node.provider_id,
        "machineID": node.provider_id,
        "systemUUID": node.provider_id,
    }
