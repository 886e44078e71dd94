"""A file of a run with what was measured of its models: by point, variant and model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from experiments.fault import Fault

T = TypeVar("T")
Measured = dict[str, dict[str, dict[str, T]]]
"""By point, variant and model."""


@dataclass(frozen=True, slots=True)
class MeasuredFile(Generic[T]):
    """One such file, in the folder of whichever run."""

    name: str
    points: TypeAdapter[Measured[T]]

    def load(self, folder: Path) -> Measured[T]:
        """What a run measured; empty when nothing yet.

        Raises:
            Fault: the file is not what a run writes.
        """
        path = folder / self.name
        if not path.is_file():
            return {}
        try:
            return self.points.validate_python(json.loads(path.read_text(encoding="utf-8"))["points"])
        except (ValueError, KeyError, ValidationError) as fault:
            raise Fault(f"{path}: not what a run writes ({fault}); measure again") from fault

    def store(self, folder: Path, point: str, variant: str, models: Mapping[str, T]) -> None:
        """Add what was measured at a point, of some of its models or of all."""
        known = self.load(folder)
        known.setdefault(point, {}).setdefault(variant, {}).update(models)
        text = json.dumps({"points": self.as_json(known)}, indent=2) + "\n"
        (folder / self.name).write_text(text, encoding="utf-8")

    def as_json(self, points: Measured[T]) -> dict[str, Any]:
        """As plain values."""
        plain: dict[str, Any] = self.points.dump_python(points)
        return plain
