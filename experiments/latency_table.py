"""The latency table for people: ours at peak beside the published one, and whether the target is met."""

from collections.abc import Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.latency import GPU_VARIANTS, NOT_MEASURED, Latency
from experiments.measured import Measured
from experiments.published import Latency as Published
from experiments.published import Point
from experiments.record import Run

RIGHT_SIZED: Final = "right-sized"
_COLUMNS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Right-sized": (RIGHT_SIZED, (RIGHT_SIZED,)),
    "x86+GPU": ("gpu", GPU_VARIANTS),
}
"""By heading: the published column, and the variants any of which may stand for it."""


def latency_table(
    run: Run,
    measured: Measured[Latency],
    published: Mapping[str, Mapping[str, Published]],
    points: Mapping[str, Point],
    target_s: float,
) -> RenderableType:
    """A row for every point and loaded model; the published figures stand at the peak of both."""
    table = Table(title=f"{run.cloud.upper()}: latency, seconds (p95 / p99)", title_justify="left")
    table.add_column("load, model", no_wrap=True)
    for heading in _COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for point, rows in measured.items():
        both = len(points[point].peak) > 1
        for model in sorted({model for columns in rows.values() for model in columns}):
            cells = [
                _cell(
                    next(
                        (rows[variant][model] for variant in variants if model in rows.get(variant, {})), None
                    ),
                    published[column].get(model) if both else None,
                    target_s,
                    missing=NOT_MEASURED if column == "gpu" else "not measured",
                )
                for column, variants in _COLUMNS.values()
            ]
            legend = Text(f"{points[point].label}: {model}").append(
                "\n  published" if both else "", style="dim"
            )
            table.add_row(legend, *cells, end_section=True)
    return Group(table, *(Text(line) for line in verdicts(measured, target_s)), Text(_how(run, measured)))


def verdicts(measured: Measured[Latency], target_s: float) -> list[str]:
    """Pass or fail of every measured cell, by the target and by errors; the closed form has no verdict."""
    lines = []
    for point, rows in measured.items():
        for variant, models in rows.items():
            for model, one in models.items():
                lines.append(f"{variant} {model} at {point}: {_verdict(one, target_s)}")
    return lines


def _verdict(one: Latency, target_s: float) -> str:
    if one.connections:
        return f"{one.connections} connections, p99 {one.p99_s:.3f} s at {one.rate_per_s:g}/s; no verdict"
    within = one.p99_s <= target_s
    return (
        f"{'pass' if within and not one.errors_since_start else 'FAIL'}: p99 {one.p99_s:.3f} s"
        f" {'<=' if within else '>'} {target_s:g} s,"
        f" {one.errors_since_start} of {one.requests_since_start} requests failed"
    )


def _cell(one: Latency | None, known: Published | None, target_s: float, *, missing: str) -> Text:
    if one is None:
        text = Text(missing)
    else:
        style = "" if one.connections else "green" if one.p99_s <= target_s else "red"
        text = Text().append(f"{one.p95_s:.4f} / {one.p99_s:.4f}", style=style)
    return text if known is None else text.append(f"\n{known.p95_s:.4f} / {known.p99_s:.4f}", style="dim")


def _how(run: Run, measured: Measured[Latency]) -> str:
    rates = {
        f"{model} {f'{one.connections} connections' if one.connections else f'{one.rate_per_s:g}/s'}"
        for rows in measured.values()
        for models in rows.values()
        for model, one in models.items()
    }
    cpus, system = run.machine.get("cpus"), run.machine.get("system")
    return f"measured on {cpus} CPUs, {system}; load: {', '.join(sorted(rates)) or 'none'}; {run.accounting} accounting"
