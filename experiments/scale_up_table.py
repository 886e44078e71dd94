"""The table of scale-up times for people: seconds from the load until enough workers were ready."""

from collections.abc import Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from experiments.measured import Measured
from experiments.published import Point
from experiments.record import Run
from experiments.scale_up import ScaleUp

_UNKNOWN: Final = "-"
PARTS: Final = ("HPA", "order", "boot", "place", "pull", "server")
"""What the time goes into, in the order of events."""


def scale_up_table(run: Run, measured: Measured[ScaleUp], points: Mapping[str, Point]) -> RenderableType:
    """A row for every model that was scaled up, by point and variant."""
    table = Table(
        title=f"{run.cloud.upper()}: from the load to enough ready workers, seconds", title_justify="left"
    )
    table.add_column("model, variant, load")
    for part in ("total", *PARTS):
        table.add_column(part, justify="right", no_wrap=True, min_width=len(part))
    for point, rows in measured.items():
        for variant, models in rows.items():
            for model, one in models.items():
                legend = Text(f"{model} +{one.workers}, {variant}").append(
                    f"\n  {points[point].label}", style="dim"
                )
                table.add_row(legend, *_cells(one), end_section=True)
    return Group(table, Text(_how(run)))


def parts(one: ScaleUp) -> Mapping[str, float | None]:
    """Seconds by part; None where no event says when the node was ordered: that is part of the boot, then."""
    order_s = 0.0 if one.order_s is None and not one.boot_s else one.order_s
    seconds = (one.autoscaler_s, order_s, one.boot_s, one.scheduling_s, one.pull_s, one.server_s)
    return dict(zip(PARTS, seconds, strict=True))


def _cells(one: ScaleUp) -> list[str]:
    split = (_UNKNOWN if seconds is None else f"{seconds:.0f}" for seconds in parts(one).values())
    return [f"{one.total_s:.0f}", *split]


def _how(run: Run) -> str:
    served = "real model servers" if run.serving == "real" else "modelled: servers are ready at once"
    cpus, system = run.machine.get("cpus"), run.machine.get("system")
    return (
        f"by Kubernetes' own times, of the worker that was ready last; {served}; measured on {cpus} CPUs,"
        f" {system}. order: from the pod until its node is ordered (-: no event says when, it is part of boot);"
        " place: until the pod is bound; pull: until its container starts, turns included."
    )
