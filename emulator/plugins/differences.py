"""What changed between the old and the new inputs of a resource."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from emulator.plugins import paths
from emulator.plugins.paths import Path
from emulator.plugins.values import UNKNOWN


class Kind(StrEnum):
    """How a property changed."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True)
class Change:
    """One property that changed."""

    path: Path
    kind: Kind
    replaces: bool = False

    @property
    def key(self) -> str:
        """The path as the engine writes it."""
        return paths.text(self.path)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that changed; nothing is an unchanged resource."""

    changes: tuple[Change, ...] = ()
    delete_before_replace: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the resource has to be made anew."""
        return any(change.replaces for change in self.changes)


def between(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    ignored: Iterable[str] = (),
    replaces: Callable[[Path], bool] = lambda _path: False,
) -> tuple[Change, ...]:
    """Changes of the inputs, without ignored ones; an unknown new value is a change.

    None and an empty collection are the same as nothing: both mean that the caller has no wish.
    """
    prefixes = [paths.parse(path) for path in ignored]
    return tuple(
        Change(path, kind, replaces(path))
        for path, kind in _changes((), old, new)
        if not any(paths.within(path, prefix) for prefix in prefixes)
    )


def keys(*names: str) -> Callable[[Path], bool]:
    """Says of each path whether it lies below one of the names."""
    prefixes = [paths.parse(name) for name in names]
    return lambda path: any(paths.within(path, prefix) for prefix in prefixes)


def _changes(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Kind]]:
    if _nothing(old) and _nothing(new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _changes((*path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(path, old, new)
    elif _nothing(old):
        yield path, Kind.ADD
    elif _nothing(new):
        yield path, Kind.DELETE
    elif new is UNKNOWN or old != new:
        yield path, Kind.UPDATE


def _list_changes(path: Path, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Path, Kind]]:
    for at in range(max(len(old), len(new))):
        before = old[at] if at < len(old) else None
        after = new[at] if at < len(new) else None
        yield from _changes((*path, at), before, after)


def _nothing(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping | list) and not value)
