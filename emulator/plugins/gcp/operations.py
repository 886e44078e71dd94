"""Waiting for the operations that Google's APIs answer with."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.gcp.api import COMPUTE, CONTAINER
from emulator.plugins.provider import Request
from emulator.plugins.rest.api import Api, ApiFault
from emulator.plugins.rest.waiting import Unfinished, patiently, pauses

_DONE: Final = "DONE"
_REFUSED: Final = 400


def container_done(api: Api, request: Request, parent: str, operation: Mapping[str, Any]) -> None:
    """Return when an operation of the container API has succeeded.

    Args:
        api: the cloud.
        request: who waits.
        parent: `projects/P/locations/L` of what it changes.
        operation: as the API answered it.

    Raises:
        Unfinished: it failed, or was not done in time.
        Refused: the user cancelled.
    """
    done = _wait(api, request, f"{CONTAINER}/{parent}/operations/{operation['name']}", operation)
    error = done.get("error") or {}
    said = error.get("message") or done.get("statusMessage")
    if error.get("code") or said:
        raise Unfinished(str(said or f"operation {done['name']} failed with code {error['code']}"))


def compute_done(api: Api, request: Request, project: str, operation: Mapping[str, Any]) -> None:
    """Return when an operation of the Compute Engine API has succeeded.

    Raises:
        ApiFault: it failed.
        Unfinished: it was not done in time.
        Refused: the user cancelled.
    """
    path = f"{COMPUTE}/projects/{project}/{_scope(operation)}/operations/{operation['name']}"
    done = _wait(api, request, path, operation)
    errors = (done.get("error") or {}).get("errors") or []
    if errors:
        status = int(done.get("httpErrorStatusCode", _REFUSED))
        message = "; ".join(str(one.get("message", one["code"])) for one in errors)
        raise ApiFault(status, str(errors[0]["code"]), message)


def _wait(api: Api, request: Request, path: str, begun: Mapping[str, Any]) -> Mapping[str, Any]:
    now = begun
    for in_time in pauses(request):
        if now["status"] == _DONE:
            break
        if not in_time:
            raise Unfinished(f"operation {now['name']} is not done in time, it is {now['status']}")
        request.status.say(_progress(now))
        now = patiently(request, lambda: api.get(path))
    request.status.say("")
    return now


def _scope(operation: Mapping[str, Any]) -> str:
    """Where an operation is asked for: in its zone, its region, or for the whole project."""
    for scope in ("zone", "region"):
        if operation.get(scope):
            return f"{scope}s/{str(operation[scope]).rpartition('/')[2]}"
    return "global"


def _progress(operation: Mapping[str, Any]) -> str:
    kind = str(operation.get("operationType", "operation"))
    said = operation.get("detail") or operation.get("statusMessage") or ""
    return f"{kind} {operation['status']}" + (f": {said}" if said else "")
