"""Waiting for what Oracle's container engine does in the background."""

from typing import Final

from emulator.plugins.oci.api import ENGINE
from emulator.plugins.provider import Request
from emulator.plugins.rest.api import Api, ApiFault, Reply
from emulator.plugins.rest.waiting import Unfinished, patiently, pauses

WORK_REQUEST: Final = "opc-work-request-id"
_FINISHED: Final = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})


class WorkRequest:
    """One operation of the container engine."""

    def __init__(self, api: Api, reply: Reply) -> None:
        self._api = api
        self._path = f"{ENGINE}/workRequests/{reply.headers[WORK_REQUEST]}"

    def identifier(self, entity: str) -> str:
        """Id of the resource that is worked on.

        Raises:
            ApiFault: the record cannot be read.
        """
        resources = self._api.get(self._path)["resources"]
        return next(str(one["identifier"]) for one in resources if one["entityType"].lower() == entity)

    def wait(self, request: Request) -> None:
        """Return when it has succeeded.

        Raises:
            Unfinished: it failed, or was not done in time.
            Refused: the user cancelled.
        """
        status = ""
        for in_time in pauses(request):
            status = patiently(request, lambda: self._api.get(self._path))["status"]
            if status in _FINISHED:
                break
            if not in_time:
                raise Unfinished(f"not done in time, it is {status}")
            logs = self._api.get(f"{self._path}/logs")
            request.status.say(str(logs[-1]["message"]) if logs else "")
        request.status.say("")
        if status != "SUCCEEDED":
            errors = self._api.get(f"{self._path}/errors")
            raise Unfinished("; ".join(f"{one['code']}: {one['message']}" for one in errors) or status)


def in_use(fault: ApiFault) -> bool:
    """Whether something else still uses what is to be deleted, and may be about to go."""
    return fault.status == 409  # noqa: PLR2004 -- a status, by its number
