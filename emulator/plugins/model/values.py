"""How property maps are merged."""

from collections.abc import Mapping
from typing import Any

Properties = dict[str, Any]
"""A property map of the engine in camelCase; secrets are plain, unknown values are left out."""


def given(properties: Mapping[str, Any]) -> Properties:
    """The properties that have a value."""
    return {key: value for key, value in properties.items() if value is not None}


def laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> Properties:
    """Both maps, the top one winning; nested maps are merged, lists are replaced whole."""
    merged = dict(base)
    for key, value in given(top).items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = laid_over(below, value) if both else value  # type: ignore[arg-type]
    return merged
