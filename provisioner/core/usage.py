"""What pods were measured to use: the metrics API's PodMetrics, read once into frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioner.core import parse, quantity


@dataclass(frozen=True, slots=True)
class Usage:
    """One pod's use over one window, all its containers together."""

    namespace: str
    name: str
    cpu_millicores: int
    memory_bytes: int
    at: datetime | None = None
    """The window's end."""

    @property
    def key(self) -> str:
        """`namespace/name` of the pod."""
        return f"{self.namespace}/{self.name}"


def read(raw: Mapping[str, Any]) -> Usage:
    """A PodMetrics; raises parse.Malformed."""
    try:
        meta, containers = raw["metadata"], raw.get("containers") or ()
        uses = [each["usage"] for each in containers]
        return Usage(
            meta.get("namespace") or "default",
            meta["name"],
            sum(quantity.millis(use.get("cpu", 0)) for use in uses),
            sum(quantity.whole(use.get("memory", 0)) for use in uses),
            parse.timestamp(raw.get("timestamp")),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise parse.Malformed(f"podmetrics {_name(raw)}: {said}") from error


def _name(raw: Mapping[str, Any]) -> str:
    meta = raw.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    return "/".join(str(meta[key]) for key in ("namespace", "name") if meta.get(key)) or "without a name"
