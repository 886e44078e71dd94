"""Waiting for what the emulated cloud does in the background."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from emulator.plugins.oci.api import ENGINE, Api, ApiFault, Reply
from emulator.plugins.provider import Request

WORK_REQUEST: Final = "opc-work-request-id"
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0
_PATIENCE_S: Final = 1200.0
"""As long as Oracle's provider waits where the program gives no timeout."""

T = TypeVar("T")


class Unfinished(Exception):
    """An operation failed, or took too long; the message says why."""


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
        pause = _FIRST_PAUSE_S
        deadline = _deadline(request)
        while (status := self._api.get(self._path)["status"]) not in {"SUCCEEDED", "FAILED", "CANCELED"}:
            if time.monotonic() > deadline:
                raise Unfinished(f"not done in time, it is {status}")
            logs = self._api.get(f"{self._path}/logs")
            request.status.say(str(logs[-1]["message"]) if logs else "")
            request.pause(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 1.5)
        request.status.say("")
        if status != "SUCCEEDED":
            errors = self._api.get(f"{self._path}/errors")
            raise Unfinished("; ".join(f"{one['code']}: {one['message']}" for one in errors) or status)


def patiently(
    request: Request, call: Callable[[], T], *, also: Callable[[ApiFault], bool] | None = None
) -> T:
    """What a call answers, made again while the API says that it may succeed later.

    `also` names further faults that are worth waiting for.

    Raises:
        ApiFault: for good, or still after the time there is.
        Refused: the user cancelled.
    """
    deadline = _deadline(request)
    pause = _FIRST_PAUSE_S
    while True:
        try:
            answer = call()
        except ApiFault as fault:
            worth_it = fault.passing or (also is not None and also(fault))
            if not worth_it or time.monotonic() > deadline:
                raise
            request.status.say(str(fault))
        else:
            request.status.say("")
            return answer
        request.pause(pause)
        pause = min(_LONGEST_PAUSE_S, pause * 1.5)


def in_use(fault: ApiFault) -> bool:
    """Whether something else still uses what is to be deleted, and may be about to go."""
    return fault.status == 409  # noqa: PLR2004 -- a status, by its number


def _deadline(request: Request) -> float:
    return time.monotonic() + (request.timeout_s or _PATIENCE_S)
