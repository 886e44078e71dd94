"""How an API server fails."""

from http import HTTPStatus


class ApiFault(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def not_found(self) -> bool:
        """The object, its namespace or its kind is not there."""
        return self.status == HTTPStatus.NOT_FOUND


class Unreachable(Exception):
    """There is no API server at the address, or it did not answer."""
