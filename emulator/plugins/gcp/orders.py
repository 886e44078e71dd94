"""Orders to the container API, which take their time and come one at a time to a cluster."""

from collections.abc import Collection, Mapping
from typing import Any

from emulator.plugins.gcp.api import CONTAINER
from emulator.plugins.gcp.operations import container_done
from emulator.plugins.provider import Request
from emulator.plugins.rest.api import Api
from emulator.plugins.rest.handler import unforgotten
from emulator.plugins.rest.waiting import Unfinished, patiently, pauses
from emulator.plugins.values import Properties


def order(api: Api, request: Request, method: str, path: str, body: Properties | None = None) -> None:
    """Give an order as soon as the cluster is free for it, and wait until it is carried out.

    Raises:
        ApiFault: it was refused.
        Unfinished: it failed, or was not done in time.
        Refused: the user cancelled.
    """
    operation = patiently(request, lambda: api.call(method, f"{CONTAINER}/{path}", body)).body
    container_done(api, request, parent_of(path), operation)


def making(api: Api, request: Request, resource_id: str, path: str, body: Properties) -> None:
    """Order something new; from when the order is taken it is not forgotten.

    Raises:
        ApiFault: it was refused, nothing was made.
        HalfMade: something was made, but is not well.
    """
    operation = patiently(request, lambda: api.call("POST", f"{CONTAINER}/{path}", body)).body
    with unforgotten(resource_id):
        container_done(api, request, parent_of(path), operation)


def settled(
    api: Api, request: Request, resource_id: str, kind: str, coming: Collection[str]
) -> Mapping[str, Any]:
    """What stands there, as soon as its status is none of those that pass.

    Raises:
        Unfinished: it did not settle in time.
        Refused: the user cancelled.
    """
    for in_time in pauses(request):
        live: Mapping[str, Any] = patiently(request, lambda: api.get(f"{CONTAINER}/{resource_id}"))
        if live["status"] not in coming:
            return live
        if not in_time:
            raise Unfinished(f"the {kind} is still {live['status']}")
        request.status.say(f"the {kind} is {live['status']}")
    raise AssertionError  # pauses never end


def parent_of(path: str) -> str:
    """`projects/P/locations/L` of a path below it."""
    return "/".join(path.split("/")[:4])
