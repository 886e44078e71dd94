"""Pods and nodes as the API server, or `kubectl get -o json`, prints them."""

from collections.abc import Mapping
from typing import Any

SHOWN_OF_8_GIB = 8_023_703_552
"""Memory that an Arm node of Oracle's cloud shows when 8 GiB were bought."""


def pod_json(
    name: str, cpu: str = "300m", memory: str = "1Gi", at: str = "", **metadata: Any
) -> dict[str, Any]:
    """A pending pod, or one that runs on a node."""
    requests = {"cpu": cpu, "memory": memory}
    conditions = [{"type": "Ready", "status": "True"}] if at else []
    return {
        "kind": "Pod",
        "metadata": {"namespace": "default", "name": name, "uid": f"uid-{name}", **metadata},
        "spec": {
            "containers": [{"name": "main", "resources": {"requests": requests}}],
            **({"nodeName": at} if at else {}),
        },
        "status": {"phase": "Running" if at else "Pending", "conditions": conditions},
    }


def node_json(
    name: str,
    cpu: str = "1",
    memory_bytes: int = SHOWN_OF_8_GIB,
    labels: Mapping[str, str] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """A ready Arm node of Oracle's cloud that the provisioner bought."""
    amounts = {"cpu": cpu, "memory": str(memory_bytes), "pods": "31"}
    own = {
        "rightsize.io/role": "inference",
        "node.kubernetes.io/instance-type": "VM.Standard.A1.Flex",
        "topology.kubernetes.io/zone": "US-ASHBURN-AD-1",
        "kubernetes.io/arch": "arm64",
        "karpenter.sh/capacity-type": "on-demand",
    }
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {**own, **(labels or {})}, **metadata},
        "spec": {"providerID": f"id-{name}"},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def daemon_set_json(name: str, cpu: str = "300m", memory: str = "1Gi") -> dict[str, Any]:
    """A DaemonSet that every node has."""
    made = pod_json(name, cpu, memory)
    spec = {**made["spec"], "tolerations": [{"operator": "Exists"}]}
    return {"kind": "DaemonSet", "metadata": made["metadata"], "spec": {"template": {"spec": spec}}}


def owned_by(kind: str, name: str) -> dict[str, Any]:
    """Metadata of a pod that a controller made."""
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]}
