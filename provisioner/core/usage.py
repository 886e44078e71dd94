"""What pods and nodes were measured to use: the metrics API's objects, read once into frozen values."""

from collections.abc import Mapping, Sequence
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
    return parse.named("podmetrics", raw, _of_pod)


def read_node(raw: Mapping[str, Any]) -> Usage:
    """A NodeMetrics, whose namespace is empty; raises parse.Malformed."""
    return parse.named("nodemetrics", raw, _of_node)


def _of_pod(raw: Mapping[str, Any]) -> Usage:
    return _usage(raw, [each["usage"] for each in raw.get("containers") or ()])


def _of_node(raw: Mapping[str, Any]) -> Usage:
    return _usage(raw, [raw["usage"]])


def _usage(raw: Mapping[str, Any], uses: Sequence[Any]) -> Usage:
    meta = raw["metadata"]
    return Usage(
        meta.get("namespace") or "",
        meta["name"],
        sum(quantity.millis(use.get("cpu", 0)) for use in uses),
        sum(quantity.whole(use.get("memory", 0)) for use in uses),
        parse.timestamp(raw.get("timestamp")),
    )
