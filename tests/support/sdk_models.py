"""Holds JSON against the oci SDK's models: every key exists there, with a value of that type."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool, "datetime": str, "object": object}


def faults(value: Any, kind: str, models: ModuleType, where: str = "") -> Iterator[str]:
    """What in the value the SDK's type `kind` does not know, for example `list[Node]`."""
    if value is None:
        return
    inner = re.fullmatch(r"list\[(.+)\]", kind)
    pairs = re.fullmatch(r"dict\(str, (.+)\)", kind)
    if inner:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is not a list"
            return
        for place, item in enumerate(value):
            yield from faults(item, inner[1], models, f"{where}[{place}]")
    elif pairs:
        for key, item in value.items():
            yield from faults(item, pairs[1], models, f"{where}.{key}")
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]) or (kind in {"int", "float"} and isinstance(value, bool)):  # type: ignore[arg-type]
            yield f"{where}: {value!r} is no {kind}"
    else:
        yield from _object_faults(value, kind, models, where)


def _object_faults(value: Any, kind: str, models: ModuleType, where: str) -> Iterator[str]:
    model = getattr(models, kind)
    if hasattr(model, "get_subtype"):
        model = getattr(models, model.get_subtype(value))
    instance = model()
    types = {name: instance.swagger_types[own] for own, name in instance.attribute_map.items()}
    for key, item in value.items():
        if key not in types:
            yield f"{where}.{key}: not in {model.__name__}"
        else:
            yield from faults(item, types[key], models, f"{where}.{key}")
