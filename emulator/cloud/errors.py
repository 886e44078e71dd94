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
