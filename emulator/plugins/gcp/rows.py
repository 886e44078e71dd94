"""The same values in the words of Pulumi and of a REST API, by a table of rows.

Pulumi flattens what Google's APIs nest, and the other way round. A row is a property's path in
Pulumi's words and its path at the API: `nodeConfig.guestAccelerators[].type` stands for
`config.accelerators[].acceleratorType`. `[]` goes through a list. What a row names is taken whole.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.plugins.values import Properties

Rows = Mapping[str, str]
"""Pulumi's path to the API's."""

_EACH: Final = "[]"
_NUMBERS: Final = frozenset(
    {"count", "defaultMaxPodsPerNode", "maximum", "maxPodsPerNode", "maxSharedClientsPerGpu", "minimum"}
)
"""Numbers of Pulumi's that the API writes as text, because they may be longer than a double."""


def alike(*paths: str) -> Rows:
    """Rows of properties that both call the same."""
    return {path: path for path in paths}


def below(ours: str, theirs: str, rows: Rows) -> Rows:
    """The rows, each below an object of Pulumi's and an object of the API's."""
    return {f"{ours}.{here}": f"{theirs}.{there}" for here, there in rows.items()}


def to_api(properties: Mapping[str, Any], rows: Rows) -> Properties:
    """Pulumi's properties as the API takes them."""
    told: Properties = {}
    for ours, theirs in rows.items():
        for places, value in _found(properties, _steps(ours)):
            _put(told, _steps(theirs), list(places), value)
    return told


def to_pulumi(shown: Mapping[str, Any], rows: Rows) -> Properties:
    """What the API shows as Pulumi has it."""
    told: Properties = {}
    for ours, theirs in rows.items():
        number = _steps(ours)[-1] in _NUMBERS
        for places, value in _found(shown, _steps(theirs)):
            _put(told, _steps(ours), list(places), int(value) if number else value)
    return told


def unknown(properties: Mapping[str, Any], known: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    """Paths of properties that have a value and stand in no row."""
    paths = [_steps(path) for path in known]
    for leaf in _leaves(properties, ()):
        if not any(_begins(leaf, path) or _begins(path, leaf) for path in paths):
            yield ".".join(step for step in leaf if step != _EACH)


def completed(said: Mapping[str, Any], shown: Mapping[str, Any], rows: Rows) -> Properties:
    """What is shown, with the empty values that the API leaves out of its JSON.

    They are those that the program spoke of and a row knows: false, zero, an empty text or list.
    """
    paths = [_steps(path) for path in rows]
    filled = dict(shown)
    for name, value in said.items():
        steps = [path for path in paths if path[0] == name]
        if steps:
            filled[name] = _filled(value, shown.get(name))
    return filled


def _filled(said: Any, shown: Any) -> Any:
    if shown is None:
        return _empty(said)
    if isinstance(said, Mapping) and isinstance(shown, Mapping):
        return {**shown, **{key: _filled(value, shown.get(key)) for key, value in said.items()}}
    if isinstance(said, list) and isinstance(shown, list) and len(said) == len(shown):
        return [_filled(before, now) for before, now in zip(said, shown, strict=True)]
    return shown


def _empty(said: Any) -> Any:
    """Nothing, of the kind that the program spoke of."""
    if isinstance(said, Mapping):
        return {key: _empty(value) for key, value in said.items()}
    return type(said)() if isinstance(said, bool | int | float | str | list) else said


def _steps(path: str) -> tuple[str, ...]:
    """`a.b[].c` as `a`, `b`, `[]`, `c`."""
    return tuple(path.replace(_EACH, f".{_EACH}").split("."))


def _found(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Every value at a path, with its places in the lists on the way."""
    if value is None:
        return
    if not steps:
        yield (), value
    elif steps[0] == _EACH:
        for place, one in enumerate(value if isinstance(value, list) else ()):
            for places, found in _found(one, steps[1:]):
                yield (place, *places), found
    elif isinstance(value, Mapping):
        yield from _found(value.get(steps[0]), steps[1:])


def _put(target: Any, steps: tuple[str, ...], places: list[int], value: Any) -> None:
    """Put a value at a path, making what is missing on the way."""
    for step, after in zip(steps, (*steps[1:], ""), strict=True):
        if step == _EACH:
            place = places.pop(0)
            target.extend({} for _ in range(place + 1 - len(target)))
            target = target[place]
        elif after:
            target = target.setdefault(step, [] if after == _EACH else {})
        else:
            target[step] = value


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Paths of everything that has a value; what is not known yet counts as one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for one in value:
            yield from _leaves(one, (*path, _EACH))
    elif value is not None:
        yield path


def _begins(path: tuple[str, ...], prefix: tuple[str, ...]) -> bool:
    return path[: len(prefix)] == prefix
