"""Messages of the container API: JSON in, JSON out, by the SDK's own types.

A body is read strictly: a field that the API does not have is a fault. The types are large, so
they are imported by whoever serves the API and by nothing that a command needs at its start.
"""

from typing import Any, TypeVar, cast

from google.protobuf import json_format

from emulator.gcp.errors import invalid

Message = TypeVar("Message")


def read(kind: type[Message], body: Any) -> Message:
    """A request's body as a message.

    Raises:
        ApiError: 400 naming the field that is wrong.
    """
    message: Any = kind()
    try:
        json_format.ParseDict(body if body is not None else {}, cast("Any", kind).pb(message))
    except json_format.ParseError as fault:
        raise invalid(f"Invalid JSON payload received. {fault}") from None
    return cast("Message", message)


def shown(message: Any) -> dict[str, Any]:
    """The JSON of a message, without what is empty."""
    value: dict[str, Any] = json_format.MessageToDict(type(message).pb(message))
    return value


def copied(message: Message) -> Message:
    """A message of its own with the same content."""
    kind = cast("Any", type(message))
    return cast("Message", kind.deserialize(kind.serialize(message)))
