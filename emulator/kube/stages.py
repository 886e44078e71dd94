"""How kwok plays kubelet: the life of nodes and pods, and the metrics they report.

Any stage in the configuration replaces all of kwok's own, so these are all there are. Jobs' pods
run until their Job is deleted: they stand for load. Process pods are left alone from their first
moment: the selector looks at the image itself, so there is no label that could come too late.
"""

from collections.abc import Sequence
from typing import Any, Final

from emulator.kube.images import pattern

_KWOK: Final = "kwok.x-k8s.io/v1alpha1"

CPU_ANNOTATION: Final = "kwok.x-k8s.io/usage-cpu"
MEMORY_ANNOTATION: Final = "kwok.x-k8s.io/usage-memory"
"""What a pod uses: modelled load and measured processes alike."""

METRICS_PATH_ANNOTATION: Final = "metrics.k8s.io/resource-metrics-path"
"""Where metrics-server finds a node's usage."""

Document = dict[str, Any]


def documents(process_repositories: Sequence[str]) -> list[Document]:
    """All stages and metrics, given the images that run as processes."""
    return [
        _stage("node-initialize", "Node", [_requirement(_READY, "NotIn", "True")], _NODE_STATUS),
        _stage("pod-ready", "Pod", _ready_when(process_repositories), _POD_STATUS),
        _deletion(process_repositories),
        _usage(),
        _metric(),
    ]


def metrics_path(node: str) -> str:
    """Path at which kwok serves the resource metrics of a node."""
    return f"/metrics/nodes/{node}/metrics/resource"


_READY: Final = '.status.conditions.[] | select( .type == "Ready" ) | .status'
_DELETED: Final = ".metadata.deletionTimestamp"


def _ready_when(process_repositories: Sequence[str]) -> list[Document]:
    return [
        _requirement(_DELETED, "DoesNotExist"),
        _requirement(".status.phase", "In", "Pending"),
        _requirement(_READY, "NotIn", "True"),
        *_kwoks_own(process_repositories),
    ]


def _deletion(process_repositories: Sequence[str]) -> Document:
    gone = _stage(
        "pod-delete", "Pod", [_requirement(_DELETED, "Exists"), *_kwoks_own(process_repositories)], ""
    )
    gone["spec"]["next"] = {"delete": True}
    return gone


def _kwoks_own(process_repositories: Sequence[str]) -> list[Document]:
    return [
        _requirement(f".spec.containers.[].image | test({_quoted(pattern(repository))})", "NotIn", "true")
        for repository in process_repositories
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _requirement(key: str, operator: str, *values: str) -> Document:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _stage(name: str, kind: str, requirements: list[Document], status: str) -> Document:
    return {
        "apiVersion": _KWOK,
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": requirements},
            "next": {"statusTemplate": status},
        },
    }


# Everything but the conditions comes with the node when the cloud registers it.
_NODE_STATUS: Final = """\
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
{{ with NodePort }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ . }}
{{ end }}
phase: Running
"""

_POD_STATUS: Final = """\
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := list "PodReadyToStartContainers" "Initialized" "ContainersReady" "Ready" }}
- type: {{ $type | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "") }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
"""


def _usage() -> Document:
    def of(annotation: str, without: str) -> Document:
        known = f'"{annotation}" in pod.metadata.annotations'
        return {
            "expression": f'{known} ? Quantity(pod.metadata.annotations["{annotation}"]) : Quantity("{without}")'
        }

    usage = {"cpu": of(CPU_ANNOTATION, "1m"), "memory": of(MEMORY_ANNOTATION, "1Mi")}
    return {
        "apiVersion": _KWOK,
        "kind": "ClusterResourceUsage",
        "metadata": {"name": "usage-from-annotation"},
        "spec": {"usages": [{"usage": usage}]},
    }


def _metric() -> Document:
    return {
        "apiVersion": _KWOK,
        "kind": "Metric",
        "metadata": {"name": "resource"},
        "spec": {
            "path": metrics_path("{nodeName}"),
            "metrics": [
                _series("scrape_error", "node", "gauge", "0"),
                _series("container_start_time_seconds", "container", "gauge", "pod.SinceSecond()"),
                # metrics-server drops a pod whose first counter is 0: it would wait for one scrape more.
                _series(
                    "container_cpu_usage_seconds_total",
                    "container",
                    "counter",
                    'pod.CumulativeUsage("cpu", container.name) + 0.001',
                ),
                _series(
                    "container_memory_working_set_bytes",
                    "container",
                    "gauge",
                    'pod.Usage("memory", container.name)',
                ),
                _series("pod_cpu_usage_seconds_total", "pod", "counter", 'pod.CumulativeUsage("cpu")'),
                _series("pod_memory_working_set_bytes", "pod", "gauge", 'pod.Usage("memory")'),
                _series("node_cpu_usage_seconds_total", "node", "counter", 'node.CumulativeUsage("cpu")'),
                _series("node_memory_working_set_bytes", "node", "gauge", 'node.Usage("memory")'),
            ],
        },
    }


_LABELS: Final = {
    "container": "container.name",
    "namespace": "pod.metadata.namespace",
    "pod": "pod.metadata.name",
}
_LABELS_OF: Final = {"node": (), "pod": ("namespace", "pod"), "container": ("container", "namespace", "pod")}


def _series(name: str, dimension: str, kind: str, value: str) -> Document:
    labels = [{"name": label, "value": _LABELS[label]} for label in _LABELS_OF[dimension]]
    return {"name": name, "dimension": dimension, "kind": kind, "value": value, "labels": labels}
