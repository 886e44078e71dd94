"""Pods and nodes from files, as `kubectl get -o json` (or yaml) prints them, or as they are written by hand."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from provisioner.core import parse
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.form import shown
from provisioner.core.model import Node, Pod
from provisioner.core.storage import KINDS, Storage
from provisioner.core.usage import Usage
from provisioner.core.usage import read as read_usage

T = TypeVar("T")
_DEEPEST: Final = 200
"""Levels of a document."""
_MOST_DIGITS: Final = 1000
"""Of a number; one with more is kept as text, for whoever reads it to refuse."""


class FileFault(ValueError):
    """A file that cannot be used; the text names it and every reason, a line each."""


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, a file is read once however often it is asked for: parsing takes long, and a pipe is empty then."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def pods(path: Path) -> tuple[Pod, ...]:
    """Every pod of a file, each there once; raises FileFault."""
    return _each_once(path, "pod", _read(path, "Pod", parse.pod), lambda pod: pod.key)


def nodes(path: Path) -> tuple[Node, ...]:
    """Every node of a file, each there once; raises FileFault."""
    return _each_once(path, "node", _read(path, "Node", parse.node), lambda node: node.name)


def daemon_sets(*paths: Path) -> tuple[DaemonSet, ...] | None:
    """DaemonSets that stand in files of pods or nodes; None when there are none. Raises FileFault."""
    each_once = dict.fromkeys(paths)
    found = tuple(
        each for path in each_once for each in _read(path, "DaemonSet", parse.daemon_set, default="")
    )
    return found or None


def storage(*paths: Path) -> Storage | None:
    """What files say of volumes: claims, volumes, storage classes and CSINodes; raises FileFault."""
    for path in paths:
        for kind in KINDS:
            _read(path, kind, partial(parse.check, kind), default="")
    items = (item for path in paths for item in _items(path) if item.kind in KINDS)
    return Storage.of({**item.raw, "kind": item.kind} for item in items)


def usage(path: Path) -> tuple[Usage, ...]:
    """Every PodMetrics of a file; raises FileFault."""
    return _read(path, "PodMetrics", read_usage)


def text(path: Path) -> str:
    """A file's text; raises FileFault."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise FileFault(f"{path}: cannot be read: {reason}") from error


@dataclass(frozen=True, slots=True)
class _Item:
    kind: str
    """Empty: it does not say."""
    raw: dict[str, Any]


_KEPT: Final[ContextVar[dict[Path, tuple[_Item, ...]] | None]] = ContextVar("kept", default=None)


def _read(path: Path, kind: str, read: Callable[[Any], T], default: str | None = None) -> tuple[T, ...]:
    """Objects of a kind; one that does not say its kind is of the default, or of this one."""
    found: list[T] = []
    faults: list[str] = []
    unsaid = kind if default is None else default
    for item in _items(path):
        if (item.kind or unsaid) != kind:
            continue
        try:
            found.append(read(item.raw))
        except parse.Malformed as error:
            faults += error.faults
    _refuse(path, faults)
    return tuple(found)


def _each_once(path: Path, kind: str, found: tuple[T, ...], key: Callable[[T], str]) -> tuple[T, ...]:
    times = Counter(map(key, found))
    _refuse(
        path,
        (
            f"{kind} {name}: stands there {count} times; expected once"
            for name, count in times.items()
            if count > 1
        ),
    )
    return found


def _refuse(path: Path, faults: Iterable[str]) -> None:
    said = [f"{path}: {fault}" for fault in faults]
    if said:
        raise FileFault("\n".join(said))


def _items(path: Path) -> tuple[_Item, ...]:
    kept = _KEPT.get()
    if kept is None:
        return tuple(_items_of(path))
    if path not in kept:
        kept[path] = tuple(_items_of(path))
    return kept[path]


def _items_of(path: Path) -> Iterator[_Item]:
    for document in _documents(path):
        if not isinstance(document, dict):
            _refuse(path, [f"{shown(document)}; expected Kubernetes objects"])
        kind = _kind_of(path, document)
        if not kind.endswith("List") and (kind or "items" not in document):
            yield _Item(kind, document)
            continue
        items = document.get("items")
        if not isinstance(items, list | None):
            _refuse(path, [f"items: {shown(items)}; expected a list"])
        _refuse(
            path,
            (
                f"items[{at}]: {shown(item)}; expected a Kubernetes object"
                for at, item in enumerate(items or ())
                if not isinstance(item, dict)
            ),
        )
        for item in items or ():
            yield _Item(_kind_of(path, item) or kind.removesuffix("List"), item)


def _kind_of(path: Path, raw: dict[str, Any]) -> str:
    kind = raw.get("kind")
    if kind is None:
        return ""
    if not isinstance(kind, str):
        _refuse(path, [f"kind: {shown(kind)}; expected text"])
    return str(kind)


def _documents(path: Path) -> list[Any]:
    read = text(path)
    try:
        return [json.loads(read, parse_int=_whole)]
    except json.JSONDecodeError:
        pass
    except RecursionError as error:
        raise FileFault(_too_deep(path)) from error
    try:
        found = None if _is_deep(read) else list(yaml.load_all(read, _LOADER))
    except yaml.YAMLError as error:
        raise FileFault(f"{path}: neither JSON nor YAML: {' '.join(str(error).split())}") from error
    except (ValueError, LookupError) as error:
        raise FileFault(f"{path}: a value is not what its YAML tag says: {error}") from error
    if found is None:
        raise FileFault(_too_deep(path))
    documents = [document for document in found if document is not None]
    if not documents:
        raise FileFault(f"{path}: is empty; expected objects as `kubectl get -o json` prints them")
    return documents


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _too_deep(path: Path) -> str:
    return f"{path}: is nested too deep; expected about 20 levels, as objects of Kubernetes have"


def _is_deep(read: str) -> bool:
    """Whether loading it might end the process: the loader recurses in C, where no limit stops it."""
    depth = 0
    for event in yaml.parse(read, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


def _loader() -> Any:
    """YAML as Kubernetes reads it.

    Times stay text, and so does `=`. No numbers to the base of 60 (12:30). `yes`, `no`, `on` and `off` are true and
    false for Kubernetes as well, so that they are refused where text belongs.
    """
    safe = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("KubernetesLoader", (safe,), {})
    plain = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "int", "float")}
    loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in resolvers if tag not in plain]
        for first, resolvers in safe.yaml_implicit_resolvers.items()
    }
    for tag, form in (("int", _INT), ("float", _FLOAT)):
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", form, list("-+.0123456789"))
    loader.add_constructor("tag:yaml.org,2002:timestamp", safe.construct_yaml_str)
    loader.add_constructor("tag:yaml.org,2002:int", _yaml_int)
    return loader


_INT: Final = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$", re.ASCII)
_FLOAT: Final = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
    re.ASCII,
)


def _yaml_int(loader: Any, node: Any) -> int | str:
    written: str = node.value
    return loader.construct_yaml_int(node) if len(written) <= _MOST_DIGITS else written


_LOADER: Final = _loader()
