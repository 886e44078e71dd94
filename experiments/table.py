"""The cost table for people: ours, the published one, and their ratios to max-sized."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.cost import BASELINE, Cell, Comparison
from experiments.least_table import HEADING, least_cell, least_lines
from experiments.published import VARIANTS, Point

_HEADINGS: Final = {"max-sized": "Max-sized", "dynamic": "Dynamic", "right-sized": "Right-sized"}
_PROVISIONED: Final = "right-sized"
_HUNDRED: Final = Decimal(100)


def cost_table(comparison: Comparison, points: Mapping[str, Point]) -> RenderableType:
    """The table with lines under it that say what it shows, and why a cell is above the least possible."""
    table = Table(
        title=f"{comparison.cloud.upper()}: instances in steady state, $ per hour", title_justify="left"
    )
    table.add_column("load", no_wrap=True)
    for variant in VARIANTS:
        table.add_column(_HEADINGS[variant], justify="right", no_wrap=True)
    found = {
        point: comparison.explained[point][_PROVISIONED]
        for point in points
        if _PROVISIONED in comparison.explained.get(point, {})
    }
    if found:
        table.add_column(HEADING, justify="right", no_wrap=True)
    for point, row in comparison.cells.items():
        legend = Text(f"{points[point].label}\n").append("  published\n  of max-sized", style="dim")
        least = [least_cell(found.get(point))] if found else []
        table.add_row(legend, *(_cell(cell) for cell in row.values()), *least, end_section=True)
    missing = any(cell.ours is None for row in comparison.cells.values() for cell in row.values())
    said = f"{summary(comparison)}{' -: not measured.' if missing else ''}"
    return Group(table, Text(said), *map(Text, least_lines(found, points)))


def clouds_table(comparisons: Sequence[Comparison], points: Mapping[str, Point]) -> RenderableType:
    """The clouds side by side: every operating point has a line for each."""
    table = Table(title="Instances in steady state, $ per hour, % of max-sized", title_justify="left")
    table.add_column("load", no_wrap=True)
    for heading in ("Max-sized", "Dynamic", "Right-sized"):
        table.add_column(heading, justify="right", no_wrap=True)
    for point in points:
        legend = Text(points[point].label).append(
            "".join(f"\n  {one.cloud.upper()}" for one in comparisons), style="dim"
        )
        columns = [
            [_short(one.cells[point][variant], variant) for one in comparisons] for variant in VARIANTS
        ]
        table.add_row(legend, *("\n" + "\n".join(column) for column in columns), end_section=True)
    return Group(table, Text("\n".join(f"{one.cloud.upper()}: {summary(one)}" for one in comparisons)))


def _short(cell: Cell, variant: str) -> str:
    """A cell in one line: ours, and what part of max-sized it is."""
    if cell.ours is None:
        return "not measured"
    part = "" if cell.ratio is None or variant == BASELINE else f" {cell.ratio * _HUNDRED:5.1f} %"
    return f"{cell.ours:.4f}{part}"


def _cell(cell: Cell) -> Text:
    if cell.ours is None:
        return Text("-  \n").append(f"{cell.published:.4f}  ", style="dim")
    mark, style = ("=", "green") if cell.agrees else ("≠", "yellow")
    ratio = "" if cell.ratio is None else f"\n{cell.ratio * _HUNDRED:.1f} %"
    text = Text(f"{cell.ours:.4f} ").append(mark, style=style)
    return text.append(f"\n{cell.published:.4f}  {ratio}{'  ' if ratio else ''}", style="dim")


def summary(comparison: Comparison) -> str:
    """What the table shows, in words."""
    measured, agreeing = len(comparison.measured), comparison.agreeing
    how = f"{comparison.accounting} accounting, {comparison.mode}"
    if not comparison.reproduces:
        return (
            f"{how}, every family of the catalog: {agreeing} of {measured} cells equal the published"
            " ones (=), which come out under the settings of --published."
        )
    if measured == agreeing:
        return f"{how}: all {measured} measured cells equal the published ones to four decimals."
    different = ", ".join(
        f"{variant} at {point}"
        for point, row in comparison.cells.items()
        for variant, cell in row.items()
        if cell.ours is not None and not cell.agrees
    )
    return f"{how}: {agreeing} of {measured} measured cells equal the published ones; not {different}."
