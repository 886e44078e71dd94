"""Pods and nodes from files, as `kubectl get -o json` (or yaml) prints them."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

from provisioner.core import parse
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.model import Node, Pod
from provisioner.core.storage import Storage
from provisioner.core.usage import Usage
from provisioner.core.usage import read as read_usage

T = TypeVar("T")


class FileFault(ValueError):
    """A file that cannot be used; the text names it and every reason, a line each."""


def pods(path: Path) -> tuple[Pod, ...]:
    """Every pod of a file; raises FileFault."""
    return _read(path, "Pod", parse.pod)


def nodes(path: Path) -> tuple[Node, ...]:
    """Every node of a file; raises FileFault."""
    return _read(path, "Node", parse.node)


def daemon_sets(*paths: Path) -> tuple[DaemonSet, ...] | None:
    """DaemonSets that stand in files of pods or nodes; None when there are none. Raises FileFault."""
    found = tuple(each for path in paths for each in _read(path, "DaemonSet", parse.daemon_set, default=""))
    return found or None


def storage(*paths: Path) -> Storage | None:
    """What files say of volumes: claims, volumes, storage classes and CSINodes; raises FileFault."""
    try:
        return Storage.of(item for path in paths for item in _items(path, _documents(path)))
    except parse.Malformed as error:
        raise FileFault(f"{', '.join(map(str, paths))}: {error}") from error


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


def _read(path: Path, kind: str, read: Callable[[Any], T], default: str | None = None) -> tuple[T, ...]:
    """Objects of a kind; one that does not say its kind is of the default, or of this one."""
    found: list[T] = []
    faults: list[str] = []
    for item in _items(path, _documents(path)):
        if item.get("kind", kind if default is None else default) != kind:
            continue
        try:
            found.append(read(item))
        except parse.Malformed as error:
            faults.append(f"{path}: {error}")
    if faults:
        raise FileFault("\n".join(faults))
    return tuple(found)


def _documents(path: Path) -> list[Any]:
    read = text(path)
    try:
        return [json.loads(read)]
    except json.JSONDecodeError:
        pass
    try:
        return [document for document in yaml.load_all(read, _LOADER) if document is not None]
    except yaml.YAMLError as error:
        raise FileFault(f"{path}: neither JSON nor YAML: {' '.join(str(error).split())}") from error


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _items(path: Path, documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for document in documents:
        is_list = isinstance(document, dict) and str(document.get("kind", "List")).endswith("List")
        items = (document.get("items") or []) if is_list else [document]
        if not isinstance(items, list):
            raise FileFault(f"{path}: items: expected a list, got {items!r}")
        for item in items:
            if not isinstance(item, dict):
                raise FileFault(f"{path}: expected Kubernetes objects, got {item!r}")
            yield item
