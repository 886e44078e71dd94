"""The saving factor: how many times less than max-sized a variant costs, ours beside the published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from experiments.cost import BASELINE, Comparison
from experiments.published import VARIANTS, Point


@dataclass(frozen=True, slots=True)
class Saving:
    """Max-sized over the variant, at one operating point; ours is None until both are measured."""

    ours: Decimal | None
    published: Decimal


def savings(comparison: Comparison) -> Mapping[str, Mapping[str, Saving]]:
    """By operating point and variant; of every variant but the one that they are compared with."""
    return {
        point: {
            variant: Saving(
                ours=1 / cell.ratio if cell.ratio else None,
                published=row[BASELINE].published / cell.published,
            )
            for variant, cell in row.items()
            if variant != BASELINE
        }
        for point, row in comparison.cells.items()
    }


def saving_table(comparisons: Sequence[Comparison], points: Mapping[str, Point]) -> RenderableType:
    """The clouds side by side, as in the table of their costs."""
    table = Table(title="Saving factor: cost of max-sized over cost of the variant", title_justify="left")
    table.add_column("load", no_wrap=True)
    variants = [variant for variant in VARIANTS if variant != BASELINE]
    for variant in variants:
        table.add_column(variant.capitalize(), justify="right", no_wrap=True)
        table.add_column("published", justify="right", no_wrap=True)
    rows = [savings(one) for one in comparisons]
    for point in points:
        legend = Text(points[point].label).append(
            "".join(f"\n  {one.cloud.upper()}" for one in comparisons), style="dim"
        )
        columns = [
            column for variant in variants for column in _columns([row[point][variant] for row in rows])
        ]
        table.add_row(legend, *columns, end_section=True)
    return table


def _columns(savings: Sequence[Saving]) -> tuple[Text, Text]:
    ours = ("not measured" if one.ours is None else f"{one.ours:.1f}" for one in savings)
    known = (f"{one.published:.1f}" for one in savings)
    return Text("\n" + "\n".join(ours)), Text("\n" + "\n".join(known), style="dim")
