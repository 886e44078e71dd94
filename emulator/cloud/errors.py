"""How an emulated cloud refuses: at once with an HTTP error, or later in an operation's record."""


class ApiError(Exception):
    """A refusal with HTTP status, the cloud's error code and a message for the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class OperationFailed(Exception):
    """An accepted operation could not be carried out; code and message go to its record."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


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
