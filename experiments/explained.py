"""A file of a run that says why a steady state costs what it does: the least possible, and the reasons for more.

Written by the runner by way of `explain`, read by the tables.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from experiments.kept import read_kept
from experiments.said import Said

LEAST_FILE: Final = "least.json"


@dataclass(frozen=True, slots=True)
class Explained:
    """A steady state's price beside the least possible one, in US dollars per hour.

    Management nodes are in all three prices. What could not be found out is None, and `unknown` says why.
    """

    price_per_hour: Decimal
    least_per_hour: Decimal | None = None
    """Of the cheapest set of nodes that was found for the same pods."""
    lower_bound_per_hour: Decimal | None = None
    """No set costs less."""
    reasons: tuple[Said, ...] = ()
    """What the provisioner said of it."""
    unknown: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether it is certain that nothing costs less than the least that was found."""
        return self.least_per_hour is not None and self.least_per_hour == self.lower_bound_per_hour

    @property
    def above(self) -> Decimal:
        """What it costs more than the least; 0 where that is not known."""
        return Decimal(0) if self.least_per_hour is None else self.price_per_hour - self.least_per_hour


Explanations = Mapping[str, Mapping[str, Explained]]
"""By operating point and variant."""

_FILE: Final = TypeAdapter(dict[str, dict[str, Explained]])


def store(folder: Path, point: str, variant: str, one: Explained) -> None:
    """Add a steady state's explanation."""
    known = {name: dict(row) for name, row in load(folder).items()}
    known.setdefault(point, {})[variant] = one
    text = json.dumps({"points": as_json(known)}, indent=2) + "\n"
    (folder / LEAST_FILE).write_text(text, encoding="utf-8")


def load(folder: Path) -> Explanations:
    """What a run has explained; empty when nothing.

    Raises:
        Fault: the file is not what a run writes.
    """
    path = folder / LEAST_FILE
    return (
        read_kept(path, "points", lambda known: _FILE.validate_python(_without_proven(known)), Decimal) or {}
    )


def as_json(found: Explanations) -> dict[str, Any]:
    """As plain values, with whether each is proven."""
    return {
        point: {variant: _plain(one) for variant, one in row.items()} for point, row in found.items() if row
    }


def _plain(one: Explained) -> dict[str, Any]:
    amounts = {
        name: float(value) if isinstance(value, Decimal) else value for name, value in asdict(one).items()
    }
    return {**amounts, "proven": one.proven}


def _without_proven(known: dict[str, Any]) -> dict[str, Any]:
    """`proven` follows from the prices, and is in the file for those who read it."""
    return {
        point: {
            variant: {name: value for name, value in one.items() if name != "proven"}
            for variant, one in row.items()
        }
        for point, row in known.items()
    }
