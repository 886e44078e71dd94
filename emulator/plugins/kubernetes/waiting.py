"""Waits for objects: to become ready, to be gone."""

import time
from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.kubernetes import readiness
from emulator.plugins.kubernetes.client import Client
from emulator.plugins.kubernetes.faults import Unreachable
from emulator.plugins.kubernetes.kinds import Kind, Object, Reference
from emulator.plugins.provider import Refused, Request

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0
_DELETE_TIMEOUT_S: Final = 600.0
_POD: Final = Kind("v1", "Pod")
_MOST_FAULTS: Final = 3


class NotReady(Exception):
    """An object did not become ready."""

    def __init__(self, live: Object, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = reasons


def until_ready(client: Client, request: Request, reference: Reference, live: Object) -> Object:
    """The live object once it is ready.

    Raises:
        NotReady: when it failed, or was not ready in time.
        Refused: when the user cancelled.
    """
    limit_s = readiness.timeout_s(live, request.timeout_s)
    deadline = time.monotonic() + limit_s
    pause_s = _FIRST_PAUSE_S

    def lister(kind: Kind, labels: Mapping[str, str]) -> list[Object]:
        return client.list(kind, reference.namespace or "default", labels)

    while True:
        state = readiness.progress(live, lister)
        if state.ready:
            request.status.say("")
            return live
        if state.failed or time.monotonic() > deadline:
            late = "" if state.failed else f" after {limit_s:g} s"
            raise NotReady(live, [f"{reference}: {state.text}{late}", *_faults(live, lister)])
        request.status.say(state.text)
        request.pause(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        live = _again(client, reference, live)


def until_gone(client: Client, request: Request, reference: Reference, uid: str) -> None:
    """Return when the object is gone, or another has its name.

    Raises:
        Refused: when it was still there in time, or the user cancelled.
    """
    limit_s = request.timeout_s or _DELETE_TIMEOUT_S
    deadline = time.monotonic() + limit_s
    pause_s = _FIRST_PAUSE_S
    while True:
        live = client.get(reference)
        if live is None or (uid and live["metadata"]["uid"] != uid):
            request.status.say("")
            return
        finalizers = live["metadata"].get("finalizers") or []
        waits = f"waiting for finalizers {', '.join(finalizers)}" if finalizers else "waiting to be gone"
        if time.monotonic() > deadline:
            raise Refused(f"{reference} is still there after {limit_s:g} s: {waits}")
        request.status.say(waits)
        request.pause(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def _again(client: Client, reference: Reference, live: Object) -> Object:
    try:
        found = client.get(reference)
    except Unreachable:
        return live  # a restart of the API server; the deadline holds
    if found is None:
        raise NotReady(live, [f"{reference} was deleted while it was waited for"])
    return found


def _faults(live: Object, lister: readiness.Lister) -> list[str]:
    labels: Any = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels")
    if not isinstance(labels, Mapping) or not labels:
        return []
    try:
        return readiness.pod_faults(lister(_POD, labels))[:_MOST_FAULTS]
    except Unreachable:
        return []
