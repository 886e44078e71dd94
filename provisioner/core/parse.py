"""Reads pods and nodes from Kubernetes' own JSON into frozen values, once.

The official client's typed objects cost fifty kilobytes a pod; this reads the raw JSON, of the
API and of `kubectl get -o json` alike. An object is read only if it is of its kind's form (`forms.py`): what
is not is said with its object and place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from provisioner.core import quantity
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.form import shown
from provisioner.core.forms import FORMS
from provisioner.core.model import (
    GPU,
    NAMESPACE_NAME,
    OS,
    Budget,
    HostPort,
    Node,
    NodeTerm,
    Owner,
    Pod,
    PodTerm,
    Requirement,
    Scaler,
    Spread,
    Taint,
    Toleration,
)
from provisioner.core.resources import NOTHING, ONE_POD, Resources

Json = Mapping[str, Any]
T = TypeVar("T")


class Malformed(ValueError):
    """An object that is not what its kind promises; names the object and, in one line, all of its faults."""

    def __init__(self, name: str, faults: Iterable[str]) -> None:
        said = tuple(faults)
        self.faults = tuple(f"{name}: {fault}" for fault in said)
        """Each with the object's name."""
        super().__init__(f"{name}: {'; '.join(said)}")


def pod(raw: Json) -> Pod:
    """A pod; raises Malformed."""
    return named("pod", raw, _pod)


def node(raw: Json) -> Node:
    """A node; raises Malformed."""
    return named("node", raw, _node)


def budget(raw: Json) -> Budget:
    """A PodDisruptionBudget; one whose status is not there yet allows nothing."""
    return named("poddisruptionbudget", raw, _budget)


def scaler(raw: Json) -> Scaler:
    """A HorizontalPodAutoscaler; one whose status is not there yet asks for what it has."""
    return named("horizontalpodautoscaler", raw, _scaler)


def daemon_set(raw: Json) -> DaemonSet:
    """A DaemonSet, with the pod that it makes; raises Malformed."""
    return named("daemonset", raw, _daemon_set)


def node_terms(selector: Json) -> tuple[NodeTerm, ...]:
    """The alternatives of a node selector."""
    return tuple(
        NodeTerm(
            tuple(map(_requirement, each.get("matchExpressions") or ())),
            tuple(map(_requirement, each.get("matchFields") or ())),
        )
        for each in selector.get("nodeSelectorTerms") or ()
    )


def timestamp(text: str | None) -> datetime | None:
    """RFC 3339 as Kubernetes writes it; None for what is not a time."""
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def requests_of(spec: Json) -> Resources:
    """What the scheduler counts for a pod.

    max(containers + sidecars, each init container + the sidecars started before it), a pod-level
    request in place of either, plus the runtime class's overhead; and one pod.
    """
    total = _sum(_container(each) for each in spec.get("containers") or ())
    sidecars, peak = NOTHING, NOTHING
    for each in spec.get("initContainers") or ():
        own = _container(each)
        if each.get("restartPolicy") == "Always":
            sidecars = sidecars + own
            total = total + own
            own = sidecars
        else:
            own = own + sidecars
        peak = peak.largest(own)
    total = _with_pod_level(total.largest(peak), spec.get("resources") or {})
    return total + _amounts(spec.get("overhead") or {}) + ONE_POD


def named(kind: str, raw: Json, read: Callable[[Json], T]) -> T:
    """Read an object whose kind has a form, if it is of that form; raises Malformed."""
    check(kind, raw)
    return read(raw)


def check(kind: str, raw: Json) -> None:
    """Raises Malformed with all that is wrong with an object."""
    wrong = FORMS[kind.lower()](raw)
    if wrong:
        raise Malformed(f"{kind} {_name_of(raw)}", map(str, wrong))


def _name_of(raw: Any) -> str:
    meta = raw.get("metadata") if isinstance(raw, Mapping) else None
    meta = meta if isinstance(meta, Mapping) else {}
    parts = (meta.get(key) for key in ("namespace", "name"))
    return "/".join(_plain(part) for part in parts if part) or "without a name"


def _plain(name: Any) -> str:
    """A name as it is, unless it would be more than a part of a line."""
    return name if isinstance(name, str) and name.isprintable() else shown(name)


def _pod(raw: Json) -> Pod:
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    namespace, labels = meta.get("namespace") or "default", meta.get("labels") or {}
    affinity = spec.get("affinity") or {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return Pod(
        namespace=namespace,
        name=meta["name"],
        uid=meta.get("uid") or "",
        requests=requests_of(spec),
        phase=status.get("phase") or "Pending",
        node_name=spec.get("nodeName") or "",
        created=timestamp(meta.get("creationTimestamp")),
        labels=dict(labels),
        annotations=_kept_annotations(meta.get("annotations") or {}),
        owner=_owner(meta.get("ownerReferences") or ()),
        is_ready=_condition(status, "Ready"),
        is_gated=bool(spec.get("schedulingGates")),
        gates=tuple(each["name"] for each in spec.get("schedulingGates") or ()),
        is_deleting=bool(meta.get("deletionTimestamp")),
        tolerations=tuple(map(_toleration, spec.get("tolerations") or ())),
        node_selector=_node_selector(spec),
        node_affinity=_node_affinity(affinity.get("nodeAffinity") or {}),
        affinity=_pod_terms((affinity.get("podAffinity") or {}).get(required), namespace, labels),
        anti_affinity=_pod_terms((affinity.get("podAntiAffinity") or {}).get(required), namespace, labels),
        spread=tuple(_spreads(spec.get("topologySpreadConstraints") or (), namespace, labels)),
        host_ports=tuple(_host_ports(spec)),
        claims=tuple(_claims(spec.get("volumes") or (), meta["name"])),
        device_claims=tuple(each["name"] for each in spec.get("resourceClaims") or ()),
        priority=spec.get("priority") or 0,
    )


_DECIDING_ANNOTATIONS: Final = (
    "kubernetes.io/config.mirror",
    "rightsize.io/",
    "pod.elotl.co/",
    "node.elotl.co/",
    "cluster-autoscaler.kubernetes.io/safe-to-evict",
    "karpenter.sh/do-not-disrupt",
)


def _kept_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in annotations.items() if key.startswith(_DECIDING_ANNOTATIONS)}


def _node(raw: Json) -> Node:
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    return Node(
        name=meta["name"],
        provider_id=spec.get("providerID") or "",
        labels={"kubernetes.io/hostname": meta["name"], **(meta.get("labels") or {})},
        annotations=dict(meta.get("annotations") or {}),
        taints=tuple(map(_taint, spec.get("taints") or ())),
        capacity=_amounts(status.get("capacity") or {}),
        allocatable=_amounts(allocatable),
        # A file may hold nodes without conditions: nothing then says that they are not ready.
        is_ready=_condition(status, "Ready") if status.get("conditions") else True,
        is_cordoned=bool(spec.get("unschedulable")),
        is_deleting=bool(meta.get("deletionTimestamp")),
        kubelet_version=(status.get("nodeInfo") or {}).get("kubeletVersion") or "",
        created=timestamp(meta.get("creationTimestamp")),
        uid=meta.get("uid") or "",
    )


def _daemon_set(raw: Json) -> DaemonSet:
    meta, template = raw["metadata"], raw["spec"]["template"]
    own = {**(template.get("metadata") or {}), "namespace": meta.get("namespace"), "name": meta["name"]}
    return DaemonSet(_pod({"metadata": own, "spec": template["spec"]}), meta.get("uid") or "")


def _budget(raw: Json) -> Budget:
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    return Budget(
        namespace=meta.get("namespace") or "default",
        name=meta["name"],
        selector=_selector(spec.get("selector")),
        allowed=status.get("disruptionsAllowed") or 0,
        at_best=(status.get("expectedPods") or 0) - (status.get("desiredHealthy") or 0),
    )


def _scaler(raw: Json) -> Scaler:
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    current = status.get("currentReplicas") or 0
    return Scaler(
        namespace=meta.get("namespace") or "default",
        name=meta["name"],
        kind=spec["scaleTargetRef"]["kind"],
        workload=spec["scaleTargetRef"]["name"],
        current=current,
        desired=status.get("desiredReplicas") or current,
        minimum=1 if spec.get("minReplicas") is None else spec["minReplicas"],
        maximum=spec["maxReplicas"],
        scaled=timestamp(status.get("lastScaleTime")),
    )


def _amounts(raw: Json) -> Resources:
    extended = {
        name: quantity.whole(amount)
        for name, amount in raw.items()
        if name not in {"cpu", "memory", "pods", GPU} and quantity.exact(amount)
    }
    return Resources(
        cpu_millicores=quantity.millis(raw.get("cpu", 0)),
        memory_bytes=quantity.whole(raw.get("memory", 0)),
        gpus=quantity.whole(raw.get(GPU, 0)),
        pods=quantity.whole(raw.get("pods", 0)),
        extended=extended,
    )


def _container(raw: Json) -> Resources:
    resources = raw.get("resources") or {}
    # The API server sets a missing request to the limit; a manifest has not been there yet.
    return _amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})


def _with_pod_level(total: Resources, resources: Json) -> Resources:
    raw = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    if not raw:
        return total
    level = _amounts(raw)
    return Resources(
        level.cpu_millicores if "cpu" in raw else total.cpu_millicores,
        level.memory_bytes if "memory" in raw else total.memory_bytes,
        total.gpus,
        total.pods,
        {**total.extended, **level.extended},
    )


def _sum(amounts: Iterable[Resources]) -> Resources:
    total = NOTHING
    for each in amounts:
        total = total + each
    return total


def _condition(status: Json, kind: str) -> bool:
    return any(
        each.get("type") == kind and each.get("status") == "True" for each in status.get("conditions") or ()
    )


def _owner(references: Sequence[Json]) -> Owner | None:
    for each in references:
        if each.get("controller"):
            return Owner(each.get("kind") or "", each.get("name") or "", each.get("uid") or "")
    return None


def _toleration(raw: Json) -> Toleration:
    return Toleration(
        raw.get("key") or "", raw.get("operator") or "Equal", raw.get("value") or "", raw.get("effect") or ""
    )


def _taint(raw: Json) -> Taint:
    return Taint(raw["key"], raw.get("value") or "", raw.get("effect") or "NoSchedule")


def _requirement(raw: Json) -> Requirement:
    return Requirement(raw["key"], raw["operator"], tuple(raw.get("values") or ()))


def _node_selector(spec: Json) -> dict[str, str]:
    """What is stated, and the operating system that the pod says it is for: kubelets of others refuse it."""
    system = (spec.get("os") or {}).get("name")
    return {**({OS: system} if system else {}), **(spec.get("nodeSelector") or {})}


def _node_affinity(raw: Json) -> tuple[NodeTerm, ...] | None:
    required = raw.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return None
    return node_terms(required)


def _selector(raw: Json | None) -> tuple[Requirement, ...] | None:
    if raw is None:
        return None
    equal = sorted((raw.get("matchLabels") or {}).items())
    return (
        *(Requirement(key, "In", (value,)) for key, value in equal),
        *map(_requirement, raw.get("matchExpressions") or ()),
    )


def _pod_selector(rule: Json, labels: Mapping[str, str]) -> tuple[Requirement, ...] | None:
    """The label selector of a rule about other pods, with what it takes from the pod's own labels."""
    selector = _selector(rule.get("labelSelector"))
    if selector is None:
        return None
    operators = (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
    own = (
        Requirement(key, operator, (labels[key],))
        for name, operator in operators
        for key in rule.get(name) or ()
        if key in labels
    )
    return (*selector, *own)


def _pod_terms(raw: Sequence[Json] | None, namespace: str, labels: Mapping[str, str]) -> tuple[PodTerm, ...]:
    terms = []
    for each in raw or ():
        named = frozenset(each.get("namespaces") or ())
        chosen = _selector(each.get("namespaceSelector"))
        is_vague = any(one.key != NAMESPACE_NAME for one in chosen or ())
        if chosen is None:
            named = named or frozenset({namespace})
        elif is_vague or not chosen:
            named, chosen = frozenset(), ()
        terms.append(PodTerm(each["topologyKey"], _pod_selector(each, labels), named, chosen or (), is_vague))
    return tuple(terms)


def _spreads(raw: Sequence[Json], namespace: str, labels: Mapping[str, str]) -> Iterable[Spread]:
    for each in raw:
        if each.get("whenUnsatisfiable") == "ScheduleAnyway":
            continue
        yield Spread(
            PodTerm(each["topologyKey"], _pod_selector(each, labels), frozenset({namespace})),
            each.get("maxSkew") or 1,
            each.get("minDomains") or 1,
            each.get("nodeAffinityPolicy") != "Ignore",
            each.get("nodeTaintsPolicy") == "Honor",
        )


def _host_ports(spec: Json) -> Iterable[HostPort]:
    sidecars = (each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if spec.get("hostNetwork") else None)
            if number:
                yield HostPort(
                    number,
                    port.get("protocol") or "TCP",
                    port.get("hostIP") or "0.0.0.0",  # noqa: S104 (Kubernetes' default, nothing is bound)
                )


def _claims(volumes: Sequence[Json], pod_name: str) -> Iterable[str]:
    for volume in volumes:
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod_name}-{volume['name']}"
