"""Takes a node out of the cluster as a cloud does: cordon, evict, terminate the machine."""

import time
from collections.abc import Sequence
from typing import Final

from emulator.kube.api import STRATEGIC, Api, ApiError
from emulator.kube.objects import Pod, parse_pod

_PAUSE_S: Final = 0.5


class DrainRefused(Exception):
    """Pods could not be moved within the grace; `pods` are their names, the node stays cordoned."""

    def __init__(self, node: str, pods: Sequence[str]) -> None:
        super().__init__(f"node {node}: not evicted in time: {', '.join(pods)}")
        self.pods = tuple(pods)


def remove_node(api: Api, name: str, grace_s: float, *, force: bool) -> None:
    """Drain for at most `grace_s`, then delete the node and what still runs on it; gone is fine.

    Raises:
        DrainRefused: pods were left and `force` is not set.
    """
    try:
        if grace_s > 0:
            cordon(api, name)
            if force:
                drain(api, name, grace_s)
            else:
                drain_or_refuse(api, name, grace_s)
        delete_node(api, name)
    except ApiError as fault:
        if not fault.not_found:
            raise


def cordon(api: Api, name: str) -> None:
    """Let no new pod onto the node."""
    api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}}, STRATEGIC)


def drain(api: Api, name: str, grace_s: float) -> list[str]:
    """Evict the node's pods, honouring disruption budgets; returns those that were left in the end."""
    deadline = time.monotonic() + grace_s
    while pods := [pod for pod in pods_of(api, name) if must_leave(pod)]:
        if time.monotonic() >= deadline:
            return [pod.key for pod in pods]
        for pod in pods:
            if not pod.deletion_requested:
                _evict(api, pod)
        time.sleep(min(_PAUSE_S, max(0.0, deadline - time.monotonic())))
    return []


def shut_down(api: Api, name: str, grace_s: float) -> None:
    """Let a node's pods end as their kubelet does when its machine shuts down; gone is fine.

    All at once, whatever their budgets say, each with its own grace as far as the machine has time.
    """
    deadline = time.monotonic() + grace_s
    try:
        cordon(api, name)
        for pod in pods_of(api, name):
            if must_leave(pod) and not pod.deletion_requested:
                api.delete(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}", uid=pod.uid)
        while time.monotonic() < deadline and any(must_leave(pod) for pod in pods_of(api, name)):
            time.sleep(_PAUSE_S)
        delete_node(api, name)
    except ApiError as fault:
        if not fault.not_found:
            raise


def drain_or_refuse(api: Api, name: str, grace_s: float) -> None:
    """Evict the node's pods.

    Raises:
        DrainRefused: some were left when the grace was over.
    """
    left = drain(api, name, grace_s)
    if left:
        raise DrainRefused(name, left)


def delete_node(api: Api, name: str) -> None:
    """Delete the node and, at once, its pods, as when the machine is gone.

    Left alone, the control plane would only clean up after a minute, which no flag shortens.
    """
    api.delete(f"/api/v1/nodes/{name}")
    for pod in pods_of(api, name):
        api.delete(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}", grace_s=0, uid=pod.uid)


def must_leave(pod: Pod) -> bool:
    """Whether a drain has to wait for this pod; DaemonSets' pods and finished ones may stay."""
    return pod.owner_kind not in ("DaemonSet", "Node") and not pod.finished


def pods_of(api: Api, node: str) -> list[Pod]:
    """All pods bound to a node."""
    answer = api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    return [parse_pod(item) for item in answer["items"]]


def _evict(api: Api, pod: Pod) -> None:
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": {"preconditions": {"uid": pod.uid}},
    }
    try:
        api.create(f"{path}/eviction", body)
    except ApiError as fault:
        # A budget at its limit (429) is asked again; a pod that is gone (404) or new (409) is done.
        if not (fault.too_many or fault.not_found or fault.conflict):
            raise
