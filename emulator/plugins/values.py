"""Property values as the engine's wire has them, and as Python has them.

On the wire secrets, unknown values, references and assets are maps or strings with a signature.
Here a secret is a `Secret` around its value, an unknown value is `UNKNOWN`, and a whole number is
an int (the wire knows doubles only). Signatures are those of the Pulumi SDK.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

Properties = dict[str, Any]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a mark, not a password
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_VALUES: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that will be known only after an update."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is shown to nobody and encrypted in the state."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


def decode(struct: struct_pb2.Struct) -> Properties:
    """Properties from the wire, with `Secret` and `UNKNOWN` in their places."""
    return {key: _decoded(value) for key, value in json_format.MessageToDict(struct).items()}


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties for the wire; what is None is left out of maps."""
    struct = struct_pb2.Struct()
    struct.update({key: _encoded(value) for key, value in properties.items() if value is not None})
    return struct


def plain(value: Any) -> Any:
    """The value without secret marks; what is unknown stays `UNKNOWN`."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def marked_like(value: Any, *examples: Any) -> Any:
    """The value with a secret mark wherever an example has one at the same place.

    The engine does so itself for top-level properties only; a nested one would reach the state in
    clear.
    """
    found = list(examples)
    if isinstance(value, Secret) or any(isinstance(example, Secret) for example in found):
        return Secret(plain(value))
    if isinstance(value, Mapping):
        maps = [example for example in found if isinstance(example, Mapping)]
        return {
            key: marked_like(inner, *[example[key] for example in maps if key in example])
            for key, inner in value.items()
        }
    if isinstance(value, list):
        lists = [example for example in found if isinstance(example, list)]
        return [
            marked_like(inner, *[example[at] for example in lists if at < len(example)])
            for at, inner in enumerate(value)
        ]
    return value


def has_unknown(value: Any) -> bool:
    """Whether any part of the value is unknown."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(inner) for inner in value.values())
    if isinstance(value, list):
        return any(has_unknown(inner) for inner in value)
    return value is UNKNOWN


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return _decoded_map(value)
    if isinstance(value, list):
        return [_decoded(inner) for inner in value]
    if isinstance(value, str) and value in UNKNOWN_VALUES:
        return UNKNOWN
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _decoded_map(value: dict[str, Any]) -> Any:
    signature = value.get(SIGNATURE)
    if signature == SECRET_SIGNATURE:
        return Secret(_decoded(value.get("value")))
    if signature == OUTPUT_SIGNATURE:
        inner = _decoded(value["value"]) if "value" in value else UNKNOWN
        return Secret(inner) if value.get("secret") else inner
    if signature == RESOURCE_SIGNATURE:
        return _decoded(value.get("id") or value.get("urn"))
    return {key: _decoded(inner) for key, inner in value.items()}


def _encoded(value: Any) -> Any:
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET_SIGNATURE, "value": _encoded(value.value)}
    if isinstance(value, Mapping):
        return {key: _encoded(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_encoded(inner) for inner in value]
    return _UNKNOWN_VALUE if value is UNKNOWN else value
