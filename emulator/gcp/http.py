"""Calls of Google's REST APIs, and the operations that answer them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.cloud.http import Answer, Received
from emulator.gcp.errors import invalid
from emulator.gcp.principal import Principal

_MOST_PER_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Call(Received):
    """One request, after its caller was identified."""

    principal: Principal

    def object(self) -> dict[str, Any]:
        """The body, which has to be an object.

        Raises:
            ApiError: 400.
        """
        if not isinstance(self.body, dict):
            raise invalid("Invalid JSON payload received. Expected an object.")
        return self.body

    def flag(self, name: str) -> bool:
        """A boolean query parameter."""
        return (self.one(name) or "").lower() == "true"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of an API."""

    method: str
    path: str
    """With `{parameters}`, from the root of the server."""
    handler: Callable[[Call], Answer]
    permission: str
    """What the caller needs; empty: nothing."""
    account: Callable[[Call], str] | None = None
    """The service account whose own policy may grant it too."""
    service: str = ""
    """Of `emulator.cloud.fault.SERVICES`; empty: of none of them."""


def page(items: Sequence[Any], call: Call, key: str, **more: Any) -> Answer:
    """A list, cut as `maxResults` (or `pageSize`) and `pageToken` ask for.

    Raises:
        ApiError: 400 when one of them is no number.
    """
    first = _number(call, "pageToken", 0)
    limit = _number(call, "maxResults", _number(call, "pageSize", _MOST_PER_PAGE))
    last = first + max(1, limit)
    body: dict[str, Any] = {**more, key: list(items[first:last])}
    if last < len(items):
        body["nextPageToken"] = str(last)
    return Answer(body)


def _number(call: Call, name: str, default: int) -> int:
    value = call.one(name)
    if not value:
        return default
    if not value.isdigit():
        raise invalid(f"Invalid value for field '{name}': '{value}'. Expected a number.")
    return int(value)
