"""Objects that a cluster has from the start: the cloud's own workloads and the metrics API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from catalog import allocatable
from emulator.kube.spec import SystemPod, WorkloadKind

SYSTEM_NAMESPACE: Final = "kube-system"
GPU_LABEL: Final = "nvidia.com/gpu.present"
"""On every node of an emulated cloud that has GPUs; the GPU DaemonSet selects it."""

_MIB: Final = 2**20
_DNS: Final[Mapping[str, SystemPod]] = {
    "oke": SystemPod("coredns", WorkloadKind.DEPLOYMENT, 100, 70 * _MIB, replicas=2),
    "gke": SystemPod("kube-dns", WorkloadKind.DEPLOYMENT, 260, 110 * _MIB, replicas=2),
}
"""The names of Services, as each cloud serves them."""


def system_pods(cloud: str, accounting: str) -> tuple[SystemPod, ...]:
    """What a cloud runs in kube-system: its DaemonSets as the accounting counts them, and its DNS."""
    daemon_sets = allocatable.DAEMONSETS[cloud] if accounting == "documented" else ()
    return (
        *(
            SystemPod(row.name, WorkloadKind.DAEMON_SET, row.cpu_millicores, row.memory_bytes, row.gpu_only)
            for row in daemon_sets
        ),
        _DNS[cloud],
    )


def workload(pod: SystemPod) -> tuple[str, dict[str, Any]]:
    """Path and object of one workload, for server-side apply."""
    kind = "daemonsets" if pod.kind is WorkloadKind.DAEMON_SET else "deployments"
    labels = {"app.kubernetes.io/name": pod.name}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": _pod_spec(pod)},
    }
    if pod.kind is WorkloadKind.DEPLOYMENT:
        spec["replicas"] = pod.replicas
    body = {
        "apiVersion": "apps/v1",
        "kind": str(pod.kind),
        "metadata": {"name": pod.name, "namespace": SYSTEM_NAMESPACE, "labels": labels},
        "spec": spec,
    }
    return f"/apis/apps/v1/namespaces/{SYSTEM_NAMESPACE}/{kind}/{pod.name}", body


def _pod_spec(pod: SystemPod) -> dict[str, Any]:
    requests = {"cpu": f"{pod.cpu_millicores}m", "memory": str(pod.memory_bytes)}
    spec: dict[str, Any] = {
        "containers": [
            {"name": pod.name, "image": f"emulated/{pod.name}", "resources": {"requests": requests}}
        ],
    }
    if pod.kind is WorkloadKind.DAEMON_SET:
        spec |= {"priorityClassName": "system-node-critical", "tolerations": [{"operator": "Exists"}]}
    else:
        spec["priorityClassName"] = "system-cluster-critical"
    if pod.gpu_only:
        spec["nodeSelector"] = {GPU_LABEL: "true"}
    return spec


def write_metrics_server(folder: Path) -> None:
    """Write the kustomize folder that kwokctl registers the metrics API from.

    kwokctl points Service and APIService at the process it runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": ["metrics-server.yaml"],
            }
        )
    )
    (folder / "metrics-server.yaml").write_text(yaml.safe_dump_all(_metrics_server(), sort_keys=False))


def _metrics_server() -> list[dict[str, Any]]:
    name = {"name": "metrics-server", "namespace": SYSTEM_NAMESPACE}
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": "system:aggregated-metrics-reader",
            "labels": {
                f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in ("view", "edit", "admin")
            },
        },
        "rules": [
            {
                "apiGroups": ["metrics.k8s.io"],
                "resources": ["pods", "nodes"],
                "verbs": ["get", "list", "watch"],
            }
        ],
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": name,
        "spec": {"ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}]},
    }
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": name,
        },
    }
    return [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name}, reader, service, registration]
