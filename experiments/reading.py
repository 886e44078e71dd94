"""Raw Kubernetes lists to an `Observation`; pure, reading only the fields it needs.

Typed client objects cost a hundred times as much, and a run looks every other second.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from catalog.names import MODEL_KEY, NAMESPACE_MODELS, REMOVABLE_SINCE_KEY, resource_name
from catalog.timing import CLOUD, TIMINGS, Timing
from experiments.load import LOAD_KEY
from experiments.observation import Node, Observation, Served

Item = Mapping[str, Any]

LEAVING_TAINTS: Final = {
    "DeletionCandidateOfClusterAutoscaler": "which the autoscaler may remove",
    "ToBeDeletedByClusterAutoscaler": "which the autoscaler removes",
}


@dataclass(frozen=True, slots=True)
class Lists:
    """The items of one round of list calls."""

    nodes: Sequence[Item]
    pods: Sequence[Item]
    autoscalers: Sequence[Item]
    """HorizontalPodAutoscalers of the models' namespace."""
    metrics: Sequence[Item]
    """PodMetrics of the models' namespace."""
    daemon_sets: Sequence[Item] = ()
    """None also where they may not be read."""


@dataclass(frozen=True, slots=True)
class Billed:
    """Instances of a cluster: how many run (None: not known beside the nodes) and their price."""

    instances: int | None
    price_per_hour: Decimal


def observe(lists: Lists, billed: Billed, at_s: float) -> Observation:
    """Put one round of lists and the bill together."""
    measured = frozenset(item["metadata"]["name"] for item in lists.metrics)
    return Observation(
        at_s=at_s,
        models=tuple(_served(item, lists.pods, measured) for item in lists.autoscalers),
        nodes=tuple(_node(item) for item in lists.nodes),
        loads=frozenset(_running_loads(lists.pods)),
        pending=tuple(
            _full_name(pod) for pod in lists.pods if _phase(pod) == "Pending" and not _is_ending(pod)
        ),
        ending=tuple(_full_name(pod) for pod in lists.pods if _is_ending(pod)),
        instances=billed.instances,
        price_per_hour=billed.price_per_hour,
    )


def timing_of(autoscalers: Sequence[Item]) -> Timing:
    """The pace of a cluster, told by its autoscalers' scale-down window; the clouds' own if unknown."""
    windows = {
        item["spec"].get("behavior", {}).get("scaleDown", {}).get("stabilizationWindowSeconds")
        for item in autoscalers
    }
    known = [timing for timing in TIMINGS.values() if windows == {timing.hpa_scale_down_window_s}]
    return known[0] if known else CLOUD


def accounting_of(nodes: Sequence[Item]) -> str:
    """The accounting of a cluster: documented where any node keeps a share of itself back."""
    kept = any(
        node["status"]["allocatable"].get(resource) != amount
        for node in nodes
        for resource, amount in node["status"]["capacity"].items()
    )
    return "documented" if kept else "nominal"


def labels_of(item: Item) -> Mapping[str, str]:
    """Its labels, of which it may have none."""
    return item["metadata"].get("labels") or {}


def _served(autoscaler: Item, pods: Sequence[Item], measured: frozenset[str]) -> Served:
    name = autoscaler["metadata"]["name"]
    own = [pod for pod in pods if _serves(pod, name)]
    status = autoscaler.get("status", {})
    return Served(
        model=next((labels_of(pod)[MODEL_KEY] for pod in own), name),
        desired=status.get("desiredReplicas", 0),
        current=status.get("currentReplicas", 0),
        utilisation=_cpu_utilisation(status.get("currentMetrics") or ()),
        blocked=_blocked(status.get("conditions") or ()),
        ready_pods=frozenset(pod["metadata"]["name"] for pod in own if _is_ready(pod)),
        measured_pods=measured,
    )


def _serves(pod: Item, autoscaler: str) -> bool:
    model = labels_of(pod).get(MODEL_KEY)
    return (
        model is not None
        and resource_name(model) == autoscaler
        and pod["metadata"]["namespace"] == NAMESPACE_MODELS
    )


def _cpu_utilisation(metrics: Iterable[Item]) -> int | None:
    for metric in metrics:
        resource = metric.get("resource", {})
        if resource.get("name") == "cpu":
            value: int | None = resource.get("current", {}).get("averageUtilization")
            return value
    return None


def _blocked(conditions: Iterable[Item]) -> str:
    for condition in conditions:
        if condition["type"] in {"ScalingActive", "AbleToScale"} and condition["status"] == "False":
            return str(condition.get("reason", condition["type"]))
    return ""


def _node(node: Item) -> Node:
    return Node(
        name=node["metadata"]["name"],
        ready=_condition(node, "Ready") == "True",
        leaving=_leaving(node),
    )


def _leaving(node: Item) -> str:
    spec = node.get("spec", {})
    for taint in spec.get("taints") or ():
        if taint["key"] in LEAVING_TAINTS:
            return LEAVING_TAINTS[taint["key"]]
    if node["metadata"].get("deletionTimestamp"):
        return "which is being deleted"
    since = (node["metadata"].get("annotations") or {}).get(REMOVABLE_SINCE_KEY)
    if since:
        return f"which the provisioner could remove since {since}"
    return "which is cordoned" if spec.get("unschedulable") else ""


def _running_loads(pods: Iterable[Item]) -> Iterable[str]:
    for pod in pods:
        model = labels_of(pod).get(LOAD_KEY)
        if model is not None and (_phase(pod) == "Running" or _is_ending(pod)):
            yield model


def _is_ready(pod: Item) -> bool:
    return _condition(pod, "Ready") == "True" and not _is_ending(pod)


def _is_ending(pod: Item) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _condition(item: Item, kind: str) -> str:
    for condition in item.get("status", {}).get("conditions") or ():
        if condition["type"] == kind:
            return str(condition["status"])
    return "Unknown"


def _phase(pod: Item) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def _full_name(pod: Item) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
