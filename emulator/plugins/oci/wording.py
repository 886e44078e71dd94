"""The same values in Pulumi's words and in the REST API's.

Both say almost the same in camelCase; where they do not, a table of a kind of resource says how.
"""

from collections.abc import Mapping
from typing import Any, Final

Words = Mapping[str, str]
"""Pulumi's name to the API's."""

OWNERS: Final = frozenset({"freeformTags", "definedTags", "nodeMetadata", "systemTags"})
"""Maps whose keys are the user's own."""
_TEXT_NUMBERS: Final = frozenset({"billableSizeInGbs", "bootVolumeSizeInGbs", "layersSizeInBytes"})
"""Numbers of the API that Pulumi writes as text."""
_SINGLE: Final[Words] = {
    "metadata": "metadatas",
    "endpoints": "endpoints",
    "addonError": "addonErrors",
    "nodeError": "errors",
    "nodeSource": "nodeSources",
}
"""Objects of the API that Pulumi shows as lists of one."""


def to_api(value: Any, words: Words) -> Any:
    """A value of Pulumi's as the API takes it."""
    if isinstance(value, list):
        return [to_api(inner, words) for inner in value]
    if not isinstance(value, Mapping):
        return value
    told: dict[str, Any] = {}
    for key, inner in value.items():
        if inner is None:
            continue
        kept = inner if key in OWNERS else to_api(inner, words)
        told[words.get(key, key)] = int(kept) if key in _TEXT_NUMBERS else kept
    return told


def to_pulumi(value: Any, words: Words) -> Any:
    """A value of the API's as Pulumi shows it."""
    return _shown(value, {theirs: ours for ours, theirs in words.items()})


def _shown(value: Any, words: Words) -> Any:
    if isinstance(value, list):
        return [_shown(inner, words) for inner in value]
    if not isinstance(value, Mapping):
        return value
    told: dict[str, Any] = {}
    for key, inner in value.items():
        if inner is None:
            continue
        name = words.get(key, key)
        kept = inner if key in OWNERS else _shown(inner, words)
        if key in _SINGLE and isinstance(kept, Mapping):
            name, kept = _SINGLE[key], [kept]
        told[name] = str(kept) if name in _TEXT_NUMBERS else kept
    return told
