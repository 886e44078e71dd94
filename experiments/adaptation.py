"""The published table of operational effort: which changes a variant adapts to by itself."""

from collections.abc import Mapping

from rich.console import RenderableType
from rich.table import Table

from experiments.published import Adapts


def adaptation_table(variants: Mapping[str, Adapts]) -> RenderableType:
    """A row for every variant, a column for every kind of change."""
    table = Table(title="What follows a change by itself, and what by hand (published)", title_justify="left")
    for heading in ("variant", "Max worker count", "Worker size", "Cloud's availability and offerings"):
        table.add_column(heading)
    for variant, adapts in variants.items():
        changes = (adapts.max_workers, adapts.worker_size, adapts.offerings)
        table.add_row(variant, *("by itself" if one else "by hand" for one in changes))
    return table
