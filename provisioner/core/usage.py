"""What pods and nodes were measured to use: the metrics API's objects, read once into frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioner.core import parse, quantity


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a pod, all its containers together, or of a node, over one window."""

    namespace: str
    name: str
    cpu_millicores: int
    memory_bytes: int
    at: datetime | None = None
    """The window's end."""

    @property
    def key(self) -> str:
        """`namespace/name` of a pod."""
        return f"{self.namespace}/{self.name}"


def read(raw: Mapping[str, Any]) -> Usage:
    """A PodMetrics; raises parse.Malformed."""
    return _read(raw, "podmetrics", lambda: [each["usage"] for each in raw.get("containers") or ()])


def read_node(raw: Mapping[str, Any]) -> Usage:
    """A NodeMetrics, whose namespace is empty; raises parse.Malformed."""
    return _read(raw, "nodemetrics", lambda: [raw["usage"]])


def _read(raw: Mapping[str, Any], kind: str, uses_of: Callable[[], list[Any]]) -> Usage:
    try:
        meta, uses = raw["metadata"], uses_of()
        return Usage(
            meta.get("namespace") or "",
            meta["name"],
            sum(quantity.millis(use.get("cpu", 0)) for use in uses),
            sum(quantity.whole(use.get("memory", 0)) for use in uses),
            parse.timestamp(raw.get("timestamp")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise parse.Malformed(f"{kind} {_name(raw)}: {said}") from error


def _name(raw: Mapping[str, Any]) -> str:
    meta = raw.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    return "/".join(str(meta[key]) for key in ("namespace", "name") if meta.get(key)) or "without a name"
