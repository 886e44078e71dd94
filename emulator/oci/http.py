"""Calls and answers of the OCI REST APIs, independent of the web server that carries them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from emulator.cloud.errors import ApiError
from emulator.cloud.http import Answer, Received
from emulator.oci import account
from emulator.oci.errors import invalid, not_found
from emulator.oci.principal import Need, Principal

WORK_REQUEST_HEADER: Final = "opc-work-request-id"
_MOST_PER_PAGE: Final = 1000

Details = TypeVar("Details", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Received):
    """One request, after its caller was identified."""

    principal: Principal

    def required(self, name: str) -> str:
        """A query parameter that the API demands.

        Raises:
            ApiError: 400 when it is missing.
        """
        value = self.one(name)
        if not value:
            raise ApiError(400, "MissingParameter", f"Query parameter {name} is required.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean query parameter.

        Raises:
            ApiError: 400 when it is neither true nor false.
        """
        value = self.one(name)
        if value is None:
            return default
        if value.lower() not in {"true", "false"}:
            raise invalid(f"{name}: '{value}' must be true or false")
        return value.lower() == "true"

    def object(self) -> dict[str, Any]:
        """The body, which has to be an object.

        Raises:
            ApiError: 400.
        """
        if not isinstance(self.body, dict):
            raise invalid("body: must be a JSON object")
        return self.body

    def details(self, model: type[Details]) -> Details:
        """The body as a typed value.

        Raises:
            ApiError: 400 with every fault of the body.
        """
        try:
            return model.model_validate(self.body if self.body is not None else {})
        except ValidationError as error:
            raise invalid("; ".join(_fault(entry) for entry in error.errors())) from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of an API."""

    method: str
    path: str
    """With `{parameters}`, from the root of the server."""
    handler: Callable[[Call], Answer]
    needs: tuple[Need, ...] = ()
    """What a policy has to grant to a workload that calls it."""
    compartment_of: Callable[[Call], str | None] | None = None
    """The compartment of what is called; None when it is not known, which refuses workloads."""
    more_needs: Callable[[Call], Iterable[Need]] = lambda _call: ()
    """Needs that depend on the request."""
    for_everyone: bool = False
    """Whether a workload may call it without any policy."""
    service: str = ""
    """Of `emulator.cloud.fault.SERVICES`; empty: of none of them."""


def accepted(work_request_id: str) -> Answer:
    """The answer to an operation that goes on in the background."""
    return Answer(status=202, headers={WORK_REQUEST_HEADER: work_request_id})


def versioned(value: Any, etag: str) -> Answer:
    """A resource as it is in this version."""
    return Answer(value, headers={"etag": etag})


def page(items: Sequence[Any], call: Call) -> Answer:
    """A list, cut as `limit` and `page` ask for.

    Raises:
        ApiError: 400 when one of them is no number.
    """
    first = _number(call, "page", 0)
    limit = _number(call, "limit", _MOST_PER_PAGE)
    last = first + max(1, limit)
    headers = {"opc-next-page": str(last)} if last < len(items) else {}
    return Answer(list(items[first:last]), headers=headers)


def check_etag(call: Call, etag: str) -> None:
    """Optimistic concurrency: refuse a change of something that changed meanwhile.

    Raises:
        ApiError: 412 when `if-match` names another version.
    """
    wanted = call.headers.get("if-match")
    if wanted not in {None, "*", etag}:
        raise ApiError(412, "NoEtagMatch", f"if-match: '{wanted}' is not the current etag of the resource")


def check_compartment(compartment_id: str | None) -> None:
    """Refuse a compartment that is not the account's.

    Raises:
        ApiError: 404.
    """
    if compartment_id not in {account.COMPARTMENT, account.TENANCY, None}:
        raise not_found(f"compartment {compartment_id}")


def found(value: Details | Any | None, what: str) -> Any:
    """The value, or the cloud's 404."""
    if value is None:
        raise not_found(what)
    return value


def _number(call: Call, name: str, default: int) -> int:
    value = call.one(name)
    if value is None:
        return default
    if not value.isdigit():
        raise invalid(f"{name}: '{value}' must be a number")
    return int(value)


def _fault(entry: Any) -> str:
    where = ".".join(str(part) for part in entry["loc"]) or "body"
    given = "" if entry["type"] == "missing" else f" (got {entry['input']!r})"
    return f"{where}: {entry['msg']}{given}"
