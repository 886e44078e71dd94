"""Pods and nodes as small frozen values: what the emulated cloud reads of them, parsed once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from emulator.kube import quantity
from emulator.kube.api import Object
from emulator.kube.nodes import GPU_RESOURCE
from emulator.kube.spec import Taint

_FINISHED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Resources:
    """What a pod requests, or a node has to give."""

    cpu_millicores: int = 0
    memory_bytes: int = 0
    gpus: int = 0
    pods: int = 0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            self.cpu_millicores + other.cpu_millicores,
            self.memory_bytes + other.memory_bytes,
            self.gpus + other.gpus,
            self.pods + other.pods,
        )

    def __sub__(self, other: "Resources") -> "Resources":
        return Resources(
            self.cpu_millicores - other.cpu_millicores,
            self.memory_bytes - other.memory_bytes,
            self.gpus - other.gpus,
            self.pods - other.pods,
        )

    def fits_into(self, room: "Resources") -> bool:
        """Whether there is room for all of it."""
        return (
            self.cpu_millicores <= room.cpu_millicores
            and self.memory_bytes <= room.memory_bytes
            and self.gpus <= room.gpus
            and self.pods <= room.pods
        )


@dataclass(frozen=True, slots=True)
class Toleration:
    """A pod's toleration; empty key and effect mean any."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, taint: Taint) -> bool:
        """Whether the scheduler lets this taint pass."""
        if self.effect not in ("", taint.effect):
            return False
        if not self.key:
            return self.operator == "Exists"
        return self.key == taint.key and (self.operator == "Exists" or self.value == taint.value)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression over labels, as in node affinity and label selectors."""

    key: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a pod may run; what the emulated autoscaler knows of the scheduler's rules."""

    node_selector: Mapping[str, str]
    node_terms: tuple[tuple[Requirement, ...], ...]
    """Required node affinity: any term, all of its requirements; none at all means anywhere."""
    tolerations: tuple[Toleration, ...]
    apart_from: tuple[tuple[Requirement, ...], ...]
    """Required anti-affinity by hostname: never on a node with a pod of such labels."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owner_kind: str
    """Kind of its controller; empty for a bare pod."""
    deletion_requested: bool
    deletion_grace_s: float
    phase: str
    ready: bool
    unschedulable: bool
    """The scheduler has tried and found no node."""
    node_name: str
    service_account: str
    images: tuple[str, ...]
    args: tuple[str, ...]
    """Of the first container."""
    requests: Resources
    placement: Placement
    local_storage: bool
    stop_pause_s: float = 0.0
    """How long its container goes on before it is told to stop (`preStop: {sleep: …}`)."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def finished(self) -> bool:
        """Whether it has ended for good and takes no room any more."""
        return self.phase in _FINISHED


@dataclass(frozen=True, slots=True)
class Node:
    """A node."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool
    ready: bool
    allocatable: Resources
    created_at: float
    """Seconds since the epoch."""


def parse_pod(item: Object) -> Pod:
    """A pod from its JSON."""
    metadata, spec, status = item["metadata"], item["spec"], item.get("status", {})
    containers = spec["containers"]
    conditions = {row["type"]: row for row in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled", {})
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        owner_kind=next(
            (row["kind"] for row in metadata.get("ownerReferences", ()) if row.get("controller")), ""
        ),
        deletion_requested="deletionTimestamp" in metadata,
        deletion_grace_s=float(metadata.get("deletionGracePeriodSeconds") or 0),
        phase=status.get("phase", "Pending"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        unschedulable=scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable",
        node_name=spec.get("nodeName", ""),
        service_account=spec.get("serviceAccountName", "default"),
        images=tuple(container.get("image", "") for container in containers),
        args=tuple(containers[0].get("args") or ()),
        requests=_pod_requests(spec),
        placement=_placement(spec),
        local_storage=any("emptyDir" in row or "hostPath" in row for row in spec.get("volumes") or ()),
        stop_pause_s=_stop_pause_s(containers[0]),
    )


def _stop_pause_s(container: Object) -> float:
    sleep = ((container.get("lifecycle") or {}).get("preStop") or {}).get("sleep") or {}
    return float(sleep.get("seconds", 0))


def parse_node(item: Object) -> Node:
    """A node from its JSON."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    ready = any(row["type"] == "Ready" and row["status"] == "True" for row in status.get("conditions") or ())
    return Node(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        taints=tuple(
            Taint(row["key"], row.get("value", ""), row["effect"]) for row in spec.get("taints") or ()
        ),
        unschedulable=bool(spec.get("unschedulable")),
        ready=ready,
        allocatable=_resources(status.get("allocatable") or {}),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]).timestamp(),
    )


def parse_requirements(selector: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """A label selector, `matchLabels` and `matchExpressions` alike."""
    labels = selector.get("matchLabels") or {}
    return (
        *(Requirement(key, "In", (value,)) for key, value in labels.items()),
        *_expressions(selector.get("matchExpressions") or ()),
    )


def _expressions(rows: Iterable[Mapping[str, Any]]) -> tuple[Requirement, ...]:
    return tuple(Requirement(row["key"], row["operator"], tuple(row.get("values") or ())) for row in rows)


def _placement(spec: Object) -> Placement:
    affinity = spec.get("affinity") or {}
    node = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    apart = (affinity.get("podAntiAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or ()
    return Placement(
        node_selector=spec.get("nodeSelector") or {},
        node_terms=tuple(
            _expressions(term.get("matchExpressions") or ()) for term in node.get("nodeSelectorTerms") or ()
        ),
        tolerations=tuple(
            Toleration(
                row.get("key", ""), row.get("operator", "Equal"), row.get("value", ""), row.get("effect", "")
            )
            for row in spec.get("tolerations") or ()
        ),
        apart_from=tuple(
            parse_requirements(term.get("labelSelector") or {})
            for term in apart
            if term.get("topologyKey") == "kubernetes.io/hostname"
        ),
    )


def _pod_requests(spec: Object) -> Resources:
    """The sum over containers, or the largest init container where that is more."""
    total = Resources(pods=1)
    for container in spec["containers"]:
        total += _requests(container)
    for container in spec.get("initContainers") or ():
        alone = _requests(container)
        total = Resources(
            max(total.cpu_millicores, alone.cpu_millicores),
            max(total.memory_bytes, alone.memory_bytes),
            max(total.gpus, alone.gpus),
            total.pods,
        )
    return total


def _requests(container: Object) -> Resources:
    # The API server has filled in requests from limits where only these were given.
    return _resources((container.get("resources") or {}).get("requests") or {})


def _resources(quantities: Mapping[str, str]) -> Resources:
    return Resources(
        cpu_millicores=quantity.milli(quantities.get("cpu", "0")),
        memory_bytes=quantity.whole(quantities.get("memory", "0")),
        gpus=quantity.whole(quantities.get(GPU_RESOURCE, "0")),
        pods=quantity.whole(quantities.get("pods", "0")),
    )
