"""Refusals in the words of the OCI APIs."""

from typing import Final

from emulator.cloud.errors import ApiError

TROUBLES: Final = (
    ApiError(500, "InternalServerError", "An internal server error occurred."),
    ApiError(429, "TooManyRequests", "Too many requests for the user"),
    ApiError(503, "ServiceUnavailable", "The service is currently unavailable."),
)
"""What the services answer when they cannot do better, whatever they are asked."""


def invalid(message: str) -> ApiError:
    """A parameter is wrong (400)."""
    return ApiError(400, "InvalidParameter", message)


def not_found(what: str) -> ApiError:
    """Something is not there, or not for this caller: OCI does not say which (404)."""
    return ApiError(
        404, "NotAuthorizedOrNotFound", f"Authorization failed or requested resource not found: {what}."
    )


def incorrect_state(message: str) -> ApiError:
    """The resource is busy or in a state that does not allow the call (409)."""
    return ApiError(409, "IncorrectState", message)


def conflict(message: str) -> ApiError:
    """The call contradicts what is there, for example a deletion of something in use (409)."""
    return ApiError(409, "Conflict", message)
