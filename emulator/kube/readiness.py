"""Proves that a new cluster works: a probe node becomes Ready, so API server, etcd and kwok do."""

import time
from typing import Any, Final

from emulator.kube.api import Api, ApiError
from emulator.kube.spec import ClusterFailed

_PROBE: Final = "readiness-probe"
_TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.1


def prove(api: Api, timeout_s: float = _TIMEOUT_S) -> None:
    """Register a node, see it Ready, remove it.

    kwokctl says a cluster is ready even when kwok has ended over its configuration.

    Raises:
        ClusterFailed: it did not become Ready in time.
    """
    path = f"/api/v1/nodes/{_PROBE}"
    deadline = time.monotonic() + timeout_s
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            _register(api)
            if _is_ready(api.get(path)):
                api.delete(path)
                return
            last = f"node {_PROBE} is not Ready"
        except ApiError as fault:
            last = str(fault)
        time.sleep(_PAUSE_S)
    raise ClusterFailed(f"the new cluster took no node within {timeout_s:.0f} s: {last}")


def _register(api: Api) -> None:
    taint = {"key": _PROBE, "effect": "NoSchedule"}
    resources = {"cpu": "1m", "memory": "1Mi", "pods": "1"}
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": _PROBE},
        "spec": {"taints": [taint]},
        "status": {"capacity": resources, "allocatable": resources},
    }
    try:
        api.create("/api/v1/nodes", body)
    except ApiError as fault:
        if not fault.conflict:
            raise


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node["status"].get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
