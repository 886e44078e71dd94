"""How Google's APIs refuse: status, code, and in details the reason that clients can test for."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.cloud.errors import ApiError

_LEGACY: Final[Mapping[str, str]] = {
    "INVALID_ARGUMENT": "invalid",
    "FAILED_PRECONDITION": "failedPrecondition",
    "UNAUTHENTICATED": "authError",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "ALREADY_EXISTS": "alreadyExists",
    "ABORTED": "aborted",
    "INTERNAL": "backendError",
    "UNAVAILABLE": "backendError",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE": "resourceInUseByAnotherResource",
}
"""The older word for a code, which the Compute Engine API shows."""


class GoogleError(ApiError):
    """A refusal of one of Google's APIs."""

    def __init__(self, status: int, code: str, message: str, reason: str = "") -> None:
        super().__init__(status, code, message)
        self.reason = reason


TROUBLES: Final = (
    GoogleError(503, "UNAVAILABLE", "The service is currently unavailable."),
    GoogleError(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Requests per minute'."),
    GoogleError(500, "INTERNAL", "Internal error encountered."),
)
"""What the services answer when they cannot do better, whatever they are asked."""


def body_of(refusal: ApiError) -> dict[str, Any]:
    """JSON of a refusal."""
    error: dict[str, Any] = {
        "code": refusal.status,
        "message": refusal.message,
        "status": refusal.code,
        "errors": [
            {
                "message": refusal.message,
                "domain": "global",
                "reason": _LEGACY.get(refusal.code, "backendError"),
            }
        ],
    }
    reason = refusal.reason if isinstance(refusal, GoogleError) else ""
    if reason:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
        error["details"] = [{**info, "domain": "container.googleapis.com", "metadata": {}}]
    return {"error": error}


def invalid(message: str) -> GoogleError:
    """A parameter is wrong (400)."""
    return GoogleError(400, "INVALID_ARGUMENT", message)


def not_found(what: str) -> GoogleError:
    """Something is not there (404)."""
    return GoogleError(404, "NOT_FOUND", f"Not found: {what}.")


def resource_not_found(path: str) -> GoogleError:
    """The same in the words of the Compute Engine API."""
    return GoogleError(404, "NOT_FOUND", f"The resource '{path}' was not found")


def already_exists(what: str) -> GoogleError:
    """The name is taken (409)."""
    return GoogleError(409, "ALREADY_EXISTS", f"Already exists: {what}.")


def precondition(message: str, reason: str = "") -> GoogleError:
    """The state of something does not allow the call (400)."""
    return GoogleError(400, "FAILED_PRECONDITION", message, reason)


def in_use(path: str, user: str) -> GoogleError:
    """Something cannot be deleted, in the words of the Compute Engine API (400)."""
    message = f"The resource '{path}' is already being used by '{user}'"
    return GoogleError(400, "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", message)


def aborted(message: str) -> GoogleError:
    """Somebody else was faster (409)."""
    return GoogleError(409, "ABORTED", message)


def denied(message: str) -> GoogleError:
    """The caller may not do this (403)."""
    return GoogleError(403, "PERMISSION_DENIED", message)


def unauthenticated(message: str) -> GoogleError:
    """The caller's credentials are missing or refused (401)."""
    return GoogleError(401, "UNAUTHENTICATED", message)
