"""What the kubelets of nodes report: kwok reports for a node as long as it holds the node's lease.

Who takes the lease, and renews it, silences the node. The control plane's own judgement takes
minutes here, since kwok renews seldom; so what it would write is written when the time is over that
it gives a kubelet. kwok does not look at a node again by itself when it has its lease back: what a
kubelet reports that is back is written here, too.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from emulator.kube.api import STRATEGIC, Api, ApiError, Object
from emulator.kube.drain import pods_of
from emulator.kube.objects import Pod

_NOBODY: Final = "nobody"
_LEASE_S: Final = 10
"""kwok looks again when a lease that others hold is over: soon, then."""
_CONDITIONS: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_HEARD: Final = "rightsize.io/kubelet-heard"
"""Annotation of pods that were deleted while nobody was there to end them: kwok sees them by its change."""


class Kubelets:
    """Silences kubelets and lets them report again; safe for use by several threads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._leases: dict[str, Object] = {}
        """Of silent nodes, as they were."""
        self._conditions: dict[str, list[Object]] = {}
        """Of silent nodes, as they were."""
        self._ready: dict[str, frozenset[str]] = {}
        """Pods, by uid, that were ready when nothing was heard of their node for too long."""

    def silence(self, node: str) -> None:
        """Take a node's lease."""
        lease = self._api.get(_lease(node))["spec"]
        if lease["holderIdentity"] == _NOBODY:
            return
        self._conditions[node] = self._api.get(_node(node))["status"].get("conditions", [])
        self._leases[node] = lease
        self._take(node)

    def keep_silent(self, node: str) -> bool:
        """Keep a node's lease, which has to be done every few seconds; False when it is silent no more."""
        if node not in self._leases:
            return False
        self._take(node)
        return True

    def give_up(self, node: str) -> None:
        """Write what the control plane writes of a node that it has not heard of for too long."""
        if node not in self._leases:
            return
        unknown = {
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            "lastTransitionTime": _time(),
        }
        self._write(_node(node), [{"type": kind, **unknown} for kind in _CONDITIONS])
        pods = [pod for pod in pods_of(self._api, node) if pod.ready]
        self._ready[node] = frozenset(pod.uid for pod in pods)
        self._tell(pods, ready=False)

    def hear(self, node: str) -> None:
        """Give a node's lease back, and report node and pods, as a kubelet does that is back."""
        lease = self._leases.pop(node, None)
        if lease is None:
            return
        self._api.patch(_lease(node), {"spec": {**lease, "renewTime": _micro_time()}})
        conditions = [{**each, "lastTransitionTime": _time()} for each in self._conditions.pop(node, [])]
        self._write(_node(node), conditions)
        were_ready = self._ready.pop(node, frozenset())
        pods = pods_of(self._api, node)
        for pod in pods:
            if pod.deletion_requested:
                self._remind(pod)
        staying = [pod for pod in pods if not pod.deletion_requested and not pod.finished]
        self._tell([pod for pod in staying if pod.uid in were_ready], ready=True)

    def forget(self, node: str) -> None:
        """The node is gone; another one may have its name."""
        self._leases.pop(node, None)
        self._conditions.pop(node, None)
        self._ready.pop(node, None)

    def _take(self, node: str) -> None:
        taken = {"holderIdentity": _NOBODY, "leaseDurationSeconds": _LEASE_S, "renewTime": _micro_time()}
        self._api.patch(_lease(node), {"spec": taken})

    def _remind(self, pod: Pod) -> None:
        body = {"metadata": {"annotations": {_HEARD: _time()}}}
        with suppress(ApiError):
            self._api.patch(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}", body)

    def _tell(self, pods: Iterable[Pod], *, ready: bool) -> None:
        for pod in pods:
            condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": _time()}
            path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
            try:
                self._write(path, [condition])
            except ApiError as fault:
                if not fault.not_found:
                    raise

    def _write(self, path: str, conditions: list[Object]) -> None:
        self._api.patch(f"{path}/status", {"status": {"conditions": conditions}}, STRATEGIC)


def _lease(node: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{node}"


def _node(node: str) -> str:
    return f"/api/v1/nodes/{node}"


def _time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
