"""What the Pulumi SDKs say of their own properties, so that the emulation cannot invent any.

It reads private modules of the pulumi package, in this one file; the version is pinned.
"""

import importlib
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi import _types as types
from pulumi.runtime import rpc

Members = dict[str, Any]
"""Properties in camelCase and their types."""


def resource_class(token: str) -> type:
    """The class of a token such as `oci:ContainerEngine/nodePool:NodePool`."""
    package, module, _ = token.split(":")
    importlib.import_module(f"pulumi_{package}")  # fills the registry
    info: Any = rpc._RESOURCE_MODULES[f"{package}:{module}"][0]
    found = getattr(importlib.import_module(info.mod_info["fqn"]), info.mod_info["classes"][token])
    return typing.cast("type", found)


def input_properties(token: str) -> Members:
    """Everything a resource takes."""
    cls = resource_class(token)
    module = sys.modules[cls.__module__]
    args = getattr(module, f"{cls.__name__}Args", None) or getattr(module, f"{cls.__name__}InitArgs")
    return dict(types.input_type_types(args))


def output_properties(token: str) -> Members:
    """Everything a resource returns."""
    return dict(types.resource_types(resource_class(token)))


def result_properties(token: str) -> Members:
    """Everything a function returns, by a token such as `oci:Core/getVcn:getVcn`."""
    package, module, function = token.split(":")
    pages = importlib.import_module(f"pulumi_{package}.{module.partition('/')[0].lower()}")
    return dict(types.output_type_types(getattr(pages, f"{function[0].upper()}{function[1:]}Result")))


def faults(value: Any, expected: Any, path: str = "") -> Iterator[str]:
    """Where a value is not of the type that a property declares."""
    shape = members(expected)
    if shape is not None:
        yield from _object_faults(value, shape, path)
    elif origin := _container(expected):
        yield from _container_faults(value, origin, typing.get_args(expected), path)
    elif not _fits(value, expected):
        yield f"{path}: {value!r} is not {expected}"


def faults_of(values: Mapping[str, Any], known: Members) -> list[str]:
    """Outputs or results that the SDK does not know, or has with another type."""
    return [
        fault
        for name, value in values.items()
        for fault in (
            faults(value, known[name], name) if name in known else [f"{name}: there is no such property"]
        )
    ]


def members(expected: Any) -> Members | None:
    """Properties of a nested type; None for a plain one or a collection."""
    for candidate in _alternatives(expected):
        if isinstance(candidate, type) and types.is_output_type(candidate):
            return dict(types.output_type_types(candidate))
        if isinstance(candidate, type) and types.is_input_type(candidate):
            return dict(types.input_type_types(candidate))
    return None


def element(expected: Any) -> Any:
    """Type of the elements of a list or of the values of a map."""
    return typing.get_args(next(one for one in _alternatives(expected) if typing.get_args(one)))[-1]


def _object_faults(value: Any, shape: Members, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {value!r} is not an object"
        return
    for key, inner in value.items():
        if key in shape:
            yield from faults(inner, shape[key], f"{path}.{key}")
        else:
            yield f"{path}.{key}: there is no such property; there are {', '.join(sorted(shape))}"


def _container_faults(value: Any, origin: type, args: tuple[Any, ...], path: str) -> Iterator[str]:
    kind = Mapping if issubclass(origin, Mapping) else list
    if not isinstance(value, kind):
        yield f"{path}: {value!r} is not a {origin.__name__}"
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, inner in items:
        yield from faults(inner, args[-1], f"{path}[{key}]")


def _container(expected: Any) -> type | None:
    for candidate in _alternatives(expected):
        origin = typing.get_origin(candidate)
        if isinstance(origin, type) and issubclass(origin, Mapping | Sequence):
            return origin
    return None


def _alternatives(expected: Any) -> list[Any]:
    """The type itself, or the members of an optional or a union."""
    return (
        [one for one in typing.get_args(expected) if one is not type(None)]
        if _is_union(expected)
        else [expected]
    )


def _is_union(expected: Any) -> bool:
    return typing.get_origin(expected) is typing.Union or type(expected).__name__ == "UnionType"


def _fits(value: Any, expected: Any) -> bool:
    allowed = tuple(one for one in _alternatives(expected) if isinstance(one, type))
    if isinstance(value, bool):
        return bool in allowed
    if float in allowed and isinstance(value, int):
        return True
    return isinstance(value, allowed)
