"""The cost table as values: cells measured, cells published, and what they say together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from experiments import explained
from experiments.explained import Explanations
from experiments.published import VARIANTS, CostTable, Point
from experiments.record import Sample

FOUR_DECIMALS: Final = Decimal("0.0001")
BASELINE: Final = "max-sized"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: ours and the published one, in US dollars per hour; ours is None until measured."""

    ours: Decimal | None
    published: Decimal
    ratio: Decimal | None
    """Ours over the max-sized cell of the same row, where both are measured."""

    @property
    def agrees(self) -> bool:
        """Whether ours is the published figure, to four decimals."""
        return self.ours is not None and self.ours.quantize(FOUR_DECIMALS) == self.published.quantize(
            FOUR_DECIMALS
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our cost table beside the published one."""

    cloud: str
    accounting: str
    mode: str
    reproduces: bool
    """Whether the settings are those that reproduce the published table."""
    cells: Mapping[str, Mapping[str, Cell]]
    """Operating point, then variant."""
    explained: Explanations = field(default_factory=dict)
    """Why cells are as they are, where the provisioner looked for the cheapest set of nodes."""

    @property
    def measured(self) -> tuple[Cell, ...]:
        """The cells that were measured."""
        return tuple(cell for row in self.cells.values() for cell in row.values() if cell.ours is not None)

    @property
    def agreeing(self) -> int:
        """How many measured cells equal the published ones to four decimals."""
        return sum(cell.agrees for cell in self.measured)


def measured_cells(samples: Iterable[Sample]) -> dict[str, dict[str, Decimal]]:
    """Cells by point and variant: the price of the sample that was found steady."""
    cells: dict[str, dict[str, Decimal]] = {}
    for sample in samples:
        if sample.steady:
            cells.setdefault(sample.point, {})[sample.variant] = sample.price_per_hour
    return cells


def compare(ours: CostTable, published: CostTable, points: Mapping[str, Point]) -> dict[str, dict[str, Cell]]:
    """Put our cells beside the published ones, in the order of the published table."""
    return {
        point: {variant: _cell(ours.get(point, {}), published[point], variant) for variant in VARIANTS}
        for point in points
    }


def _cell(row: Mapping[str, Decimal], published: Mapping[str, Decimal], variant: str) -> Cell:
    ours, baseline = row.get(variant), row.get(BASELINE)
    ratio = ours / baseline if ours is not None and baseline else None
    return Cell(ours=ours, published=published[variant], ratio=ratio)


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The promised document; a cell that was not measured is absent from `points`.

    Where the least possible price is known, it is under `least`, with the reasons for more.
    """
    least = explained.as_json(comparison.explained)
    return {
        "cloud": comparison.cloud,
        "accounting": comparison.accounting,
        "mode": comparison.mode,
        "points": {
            point: {variant: float(cell.ours) for variant, cell in row.items() if cell.ours is not None}
            for point, row in comparison.cells.items()
        },
        "published": {
            point: {variant: float(cell.published) for variant, cell in row.items()}
            for point, row in comparison.cells.items()
        },
        **({"least": least} if least else {}),
    }
