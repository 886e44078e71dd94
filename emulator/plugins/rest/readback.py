"""What the program would have had to say, for a resource to be as it is now."""

from collections.abc import Callable, Mapping
from typing import Any

Same = Callable[[str, Any, Any], bool]
"""Says of a property whether what was said and what is shown mean the same."""


def read_back(
    inputs: Any,
    shown: Any,
    *,
    owners: frozenset[str] = frozenset(),
    same: Same = lambda _name, before, now: bool(before == now),
    name: str = "",
) -> Any:
    """The inputs that would make a resource what it is, as far as the program said anything.

    `owners` are maps whose keys are the user's own; what means the same stays in the program's words.
    """
    if same(name, inputs, shown):
        return inputs
    if isinstance(inputs, Mapping) and isinstance(shown, Mapping):
        return {
            key: shown[key]
            if key in owners and key in shown
            else read_back(value, shown.get(key, value), owners=owners, same=same, name=key)
            for key, value in inputs.items()
        }
    if isinstance(inputs, list) and isinstance(shown, list) and len(inputs) == len(shown):
        return [
            read_back(before, now, owners=owners, same=same, name=name)
            for before, now in zip(inputs, shown, strict=True)
        ]
    return shown
