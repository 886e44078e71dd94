"""What a kubelet asks of the API server on behalf of one pod, and tells it."""

import base64
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from emulator.kube import environment, tokens
from emulator.kube.api import STRATEGIC, Api, ApiError, Object
from emulator.kube.objects import Pod
from emulator.kube.podfiles import PodFolder

_KWOK: Final = "kwok.x-k8s.io/v1alpha1"
_RETRY_S: Final = 1.0
_PATIENCE_S: Final = 60.0
_log = logging.getLogger(__name__)


class PodApi:
    """Requests about one pod."""

    def __init__(self, api: Api, pod: Pod) -> None:
        self._api = api
        self._pod = pod
        self._path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"

    def pod(self) -> Object:
        """The pod as it is now."""
        return self._api.get(self._path)

    def host_address(self, node_name: str) -> str:
        """InternalIP of a node."""
        node = self._api.get(f"/api/v1/nodes/{node_name}")
        return next(row["address"] for row in node["status"]["addresses"] if row["type"] == "InternalIP")

    def read(self, source: environment.Source) -> Mapping[str, str] | None:
        """Decoded data of a ConfigMap or Secret, None when it does not exist."""
        try:
            item = self._api.get(f"/api/v1/namespaces/{self._pod.namespace}/{source.resource}/{source.name}")
        except ApiError as fault:
            if fault.not_found:
                return None
            raise
        data: Mapping[str, str] = item.get("data") or {}
        if source.resource == environment.SECRET:
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return data

    def token(self) -> str:
        """A fresh token of the pod's ServiceAccount."""
        pod = self._pod
        identity = tokens.PodIdentity(pod.namespace, pod.service_account, pod.name, pod.uid)
        return tokens.request(self._api, identity)

    def write_status(self, body: Object, ending: threading.Event) -> None:
        """Patch the pod's status, again and again while the API server is away.

        A pod that is gone is ending; one that is ending needs no status at any price.
        """
        while True:
            try:
                self._api.patch(f"{self._path}/status", body, STRATEGIC)
            except ApiError as fault:
                if fault.not_found:
                    ending.set()
                _log.debug("pod %s: status not written: %s", self._pod.key, fault)
                if ending.wait(_RETRY_S):
                    return
            else:
                return

    def remove(self) -> None:
        """Take the pod out of the API server's books, now that its process has ended; waits while it is away."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._api.delete(self._path, grace_s=0, uid=self._pod.uid)
            except ApiError as fault:
                if fault.unreachable and time.monotonic() < deadline:
                    time.sleep(_RETRY_S)
                    continue
                _log.warning("pod %s: not removed: %s", self._pod.key, fault)
            return

    def annotate(self, annotations: Mapping[str, str]) -> None:
        """Write annotations."""
        self._api.patch(self._path, {"metadata": {"uid": self._pod.uid, "annotations": dict(annotations)}})

    def describe(self, folder: PodFolder, variables: Mapping[str, str]) -> None:
        """Tell kwok where `kubectl logs` and `kubectl exec` of this pod lead."""
        envs = [{"name": name, "value": value} for name, value in variables.items()]
        folder.log.touch(mode=0o600)
        self._apply("Logs", "logs", {"logs": [{"logsFile": str(folder.log), "follow": True}]})
        self._apply("Exec", "execs", {"execs": [{"local": {"workDir": str(folder.work), "envs": envs}}]})

    def _apply(self, kind: str, plural: str, spec: dict[str, Any]) -> None:
        pod = self._pod
        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}
        # With its owner the garbage collector removes it.
        metadata = {"name": pod.name, "namespace": pod.namespace, "ownerReferences": [owner]}
        self._api.apply(
            f"/apis/{_KWOK}/namespaces/{pod.namespace}/{plural}/{pod.name}",
            {"apiVersion": _KWOK, "kind": kind, "metadata": metadata, "spec": spec},
        )
