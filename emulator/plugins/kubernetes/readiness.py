"""When an object has become what it was meant to be: one pure rule for each kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.plugins.kubernetes.kinds import Kind, Object

Lister = Callable[[Kind, Mapping[str, str]], list[Object]]
"""Objects of a kind in the same namespace that carry labels."""

ENDPOINT_SLICE: Final = Kind("discovery.k8s.io/v1", "EndpointSlice")
SKIP: Final = "pulumi.com/skipAwait"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an object is."""

    ready: bool = False
    failed: bool = False
    """It will not become ready by waiting."""
    text: str = ""
    """What it waits for, or why it failed."""


READY: Final = Progress(ready=True)

Rule = Callable[[Object, Lister], Progress]


def progress(live: Object, lister: Lister) -> Progress:
    """How far a live object is; kinds without a rule are ready at once."""
    annotations = live.get("metadata", {}).get("annotations") or {}
    rule = _RULES.get((str(live.get("apiVersion")), str(live.get("kind"))))
    if rule is None or annotations.get(SKIP) == "true":
        return READY
    return rule(live, lister)


def _rollout(live: Object, _lister: Lister) -> Progress:
    status, wanted = _status(live), int(live.get("spec", {}).get("replicas", 1))
    if _stale(live):
        return Progress(text="waiting for the controller to see it")
    stuck = _condition(live, "Progressing")
    if stuck.get("status") == "False":
        return Progress(failed=True, text=str(stuck.get("message") or stuck.get("reason")))
    counts = {
        name: int(status.get(name) or 0) for name in ("updatedReplicas", "availableReplicas", "replicas")
    }
    if all(count == wanted for count in counts.values()):
        return READY
    return Progress(text=f"{counts['availableReplicas']} of {wanted} replicas are available")


def _daemon_set(live: Object, _lister: Lister) -> Progress:
    status = _status(live)
    if _stale(live):
        return Progress(text="waiting for the controller to see it")
    wanted = int(status.get("desiredNumberScheduled") or 0)
    available = int(status.get("numberAvailable") or 0)
    if available >= wanted and int(status.get("updatedNumberScheduled") or 0) >= wanted:
        return READY
    return Progress(text=f"{available} of {wanted} pods are available")


def _stateful_set(live: Object, _lister: Lister) -> Progress:
    status, wanted = _status(live), int(live.get("spec", {}).get("replicas", 1))
    if _stale(live):
        return Progress(text="waiting for the controller to see it")
    ready = int(status.get("readyReplicas") or 0)
    if ready == wanted and status.get("currentRevision") == status.get("updateRevision"):
        return READY
    return Progress(text=f"{ready} of {wanted} replicas are ready")


def _job(live: Object, _lister: Lister) -> Progress:
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return Progress(failed=True, text=str(failed.get("message") or failed.get("reason")))
    if _condition(live, "Complete").get("status") == "True":
        return READY
    done, wanted = int(_status(live).get("succeeded") or 0), live.get("spec", {}).get("completions") or 1
    return Progress(text=f"{done} of {wanted} pods have succeeded")


def _service(live: Object, lister: Lister) -> Progress:
    spec = live.get("spec", {})
    if spec.get("type") == "LoadBalancer" and not (_status(live).get("loadBalancer") or {}).get("ingress"):
        return Progress(text="waiting for the load balancer's address")
    if not spec.get("selector") or spec.get("type") == "ExternalName":
        return READY
    name = live["metadata"]["name"]
    slices = lister(ENDPOINT_SLICE, {"kubernetes.io/service-name": name})
    if any(_serves(endpoint) for one in slices for endpoint in one.get("endpoints") or []):
        return READY
    return Progress(text="no ready endpoint: its selector matches no ready pod yet")


def _custom_resource_definition(live: Object, _lister: Lister) -> Progress:
    refused = _condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        return Progress(failed=True, text=str(refused.get("message")))
    if _condition(live, "Established").get("status") == "True":
        return READY
    return Progress(text="waiting to be established")


def _namespace(live: Object, _lister: Lister) -> Progress:
    return READY if _status(live).get("phase") == "Active" else Progress(text="waiting to be active")


_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("apps/v1", "Deployment"): _rollout,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("batch/v1", "Job"): _job,
    ("v1", "Service"): _service,
    ("v1", "Namespace"): _namespace,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): _custom_resource_definition,
}

_TIMEOUTS_S: Final[Mapping[str, float]] = {"Namespace": 300.0, "CustomResourceDefinition": 300.0}
_TIMEOUT_S: Final = 600.0


def timeout_s(live: Object, asked_s: float) -> float:
    """How long to wait: as the program asks, as the object's annotation says, or the kind's default."""
    annotation = (live.get("metadata", {}).get("annotations") or {}).get(TIMEOUT)
    if asked_s > 0:
        return asked_s
    if annotation and annotation.isdigit():
        return float(annotation)
    return _TIMEOUTS_S.get(str(live.get("kind")), _TIMEOUT_S)


def pod_faults(pods: list[Object]) -> list[str]:
    """Why pods do not run, one line for each reason."""
    faults: list[str] = []
    for pod in pods:
        scheduled = _condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            faults.append(f"pod {pod['metadata']['name']}: {scheduled.get('message')}")
        for container in _status(pod).get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("message"):
                faults.append(f"pod {pod['metadata']['name']}: {waiting['message']}")
    return faults


def _serves(endpoint: Mapping[str, Any]) -> bool:
    # The API leaves `ready` out when it does not know; that is to be taken for ready.
    return (endpoint.get("conditions") or {}).get("ready", True) is not False


def _stale(live: Object) -> bool:
    return int(_status(live).get("observedGeneration") or 0) < int(live["metadata"].get("generation") or 0)


def _status(live: Object) -> Mapping[str, Any]:
    status: Mapping[str, Any] = live.get("status") or {}
    return status


def _condition(live: Object, kind: str) -> Mapping[str, Any]:
    conditions = _status(live).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == kind), {})
