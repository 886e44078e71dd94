"""The table of operational effort for people: which changes a variant follows by itself, ours and the published."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.complexity import Judged
from experiments.evidence import CHANGES, MAX_WORKERS, OFFERINGS, WORKER_SIZE, Asked, Read
from experiments.published import Adapts

_HEADINGS: Final = {
    MAX_WORKERS: "Max worker\ncount",
    WORKER_SIZE: "Worker\nsize",
    OFFERINGS: "Availability,\nofferings",
}


def adaptation_table(
    title: str, judged: Mapping[str, Mapping[str, Judged]], published: Mapping[str, Adapts]
) -> RenderableType:
    """A row for every variant, a column for every kind of change, and below what each judgement was read from."""
    table = Table(title=f"{title}: what follows a change by itself", title_justify="left")
    table.add_column("variant", no_wrap=True)
    for change in CHANGES:
        table.add_column(_HEADINGS[change], justify="right", no_wrap=True)
    for variant, known in published.items():
        ours = judged.get(variant, {})
        legend = Text(f"{variant}\n").append("  published", style="dim")
        cells = (_cell(ours.get(change), adapts=getattr(known, change)) for change in CHANGES)
        table.add_row(legend, *cells, end_section=True)
    return Group(table, *map(Text, _lines(judged)))


def _cell(one: Judged | None, *, adapts: bool) -> Text:
    if one is None:
        return Text("-  \n").append(f"{_words(adapts=adapts)}  ", style="dim")
    mark, style = ("=", "green") if one.adapts is adapts else ("≠", "yellow")
    text = Text(f"{_words(adapts=one.adapts)} ").append(mark, style=style)
    return text.append(f"\n{_words(adapts=adapts)}  ", style="dim")


def _words(*, adapts: bool) -> str:
    return "by itself" if adapts else "by hand"


def _lines(judged: Mapping[str, Mapping[str, Judged]]) -> Iterator[str]:
    """Why each judgement, and what it was read from."""
    for variant, row in judged.items():
        for change, one in row.items():
            heading = _HEADINGS[change].replace("\n", " ").lower()
            sources = "; ".join(
                f"{source}: {', '.join(map(str, entries))}"
                for source, entries in groupby(one.evidence, key=_source)
            )
            yield f"{variant}, {heading}, {_words(adapts=one.adapts)}: {one.why}. {sources}."


def _source(one: Read | Asked) -> str:
    return one.resource if isinstance(one, Read) else "asked of the planner"
