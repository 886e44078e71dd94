"""The plots, each from the same values as the table beside it.

Colours are the names of the page's custom properties (`var(--dynamic)`): they follow light and dark.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from experiments.cost import Comparison
from experiments.course import Course
from experiments.measured import Measured
from experiments.published import VARIANTS, Point
from experiments.saving import savings
from experiments.scale_up import ScaleUp
from experiments.scale_up_table import PARTS, parts

Spec = dict[str, Any]
"""Of a plot, in the words of Vega-Lite."""

WIDTH: Final = 560
"""Of the plot itself, in pixels of the page; names and figures beside it come on top."""
_OURS: Final = "measured"
_PUBLISHED: Final = "published"
_SOLID: Final = 1.0
_FAINT: Final = 0.4
_BAR: Final = 11
_NAMES: Final = 34
_PANEL: Final = {"width": WIDTH + 80, "height": 110}
_SIDE: Final = 42
"""Between a panel and the title of its axis: the panels of all variants stand in line."""
_MARGIN: Final[Mapping[str, int]] = {"left": 24, "right": 8, "top": 2, "bottom": 2}
"""Browsers' letters may be wider than those that the plot is laid out with."""
_ROOM: Final = 1.14
"""The longest bar leaves room for its figure."""


def cost_plot(comparison: Comparison, points: Mapping[str, Point]) -> Spec:
    """US dollars per hour by operating point and variant, ours above the published."""
    rows = [
        {"point": points[point].label, "name": variant, "source": source, "value": float(value)}
        for point, row in comparison.cells.items()
        for variant, cell in row.items()
        for source, value in ((_OURS, cell.ours), (_PUBLISHED, cell.published))
        if value is not None
    ]
    return _pairs(rows, title="US dollars per hour", figures=".4f", names=VARIANTS)


def saving_plot(comparison: Comparison, points: Mapping[str, Point]) -> Spec:
    """How many times less than max-sized, by operating point and variant, ours above the published."""
    rows = [
        {"point": points[point].label, "name": variant, "source": source, "value": float(value)}
        for point, row in savings(comparison).items()
        for variant, saving in row.items()
        for source, value in ((_OURS, saving.ours), (_PUBLISHED, saving.published))
        if value is not None
    ]
    return _pairs(rows, title="times less than max-sized", figures=".1f", names=VARIANTS[1:])


def scale_up_plot(measured: Measured[ScaleUp], points: Mapping[str, Point]) -> Spec:
    """Seconds from a load to enough ready workers, as the parts of one bar."""
    rows: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    for point, variants in measured.items():
        for variant, models in variants.items():
            for model, one in models.items():
                name = f"{model} +{one.workers}, {variant}\n{points[point].label}"
                totals.append({"name": name, "end": one.total_s})
                rows += _stacked(name, one)
    split = "split(datum.label, '\\n')"
    y = alt.Y(
        "name:N", sort=None, title=None, axis=alt.Axis(labelExpr=split, labelLimit=0, labelLineHeight=13)
    )
    x = alt.X("start:Q", title="seconds since the load", scale=_scale(total["end"] for total in totals))
    colours = [f"var(--part-{number})" for number in range(1, len(PARTS) + 1)]
    bars = (
        alt.Chart(_inline(rows))
        .mark_bar(height=16, stroke="var(--page)", strokeWidth=1)
        .encode(
            x=x,
            x2="end:Q",
            y=y,
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=list(PARTS), range=colours),
                legend=alt.Legend(orient="top", direction="horizontal", columns=len(PARTS)),
            ),
        )
    )
    figures = (
        alt.Chart(_inline(totals))
        .mark_text(align="left", dx=4)
        .encode(x="end:Q", y=y, text=alt.Text("end:Q", format=".0f"))
    )
    return _finished(alt.layer(bars, figures).properties(width=WIDTH, height=alt.Step(_NAMES)))


def course_plot(course: Course, points: Mapping[str, Point]) -> Spec:
    """Nodes and price over time, with the operating points as bands."""
    steps = [
        {"at": step.at_s / 60, "nodes": step.nodes, "price": float(step.price_per_hour)}
        for step in course.steps
    ]
    bands = [
        {
            "at": stay.from_s / 60,
            "to": stay.to_s / 60,
            "middle": (stay.from_s + stay.to_s) / 120,
            "label": points[stay.point].label.replace(", ", ",\n"),
            "shade": number % 2,
        }
        for number, stay in enumerate(course.stays)
    ]
    scale = alt.Scale(domain=[0, course.stays[-1].to_s / 60], nice=False)
    shades = (
        alt.Chart(_inline(bands))
        .mark_rect(color="var(--ink)")
        .encode(
            x2="to:Q",
            opacity=alt.Opacity("shade:O", scale=alt.Scale(domain=[0, 1], range=[0.03, 0.09]), legend=None),
        )
    )
    line = alt.Chart(_inline(steps)).mark_line(
        interpolate="step-after", strokeWidth=2, color=f"var(--{course.variant})"
    )
    labels = (
        alt.Chart(_inline(bands))
        .mark_text(lineBreak="\n", lineHeight=12, baseline="top", y=-28)
        .encode(x=alt.X("middle:Q", scale=scale), text="label:N")
    )
    above = alt.X("at:Q", scale=scale, axis=alt.Axis(title=None, labels=False, grid=False))
    below = alt.X("at:Q", scale=scale, axis=alt.Axis(title="minutes since the first observation", grid=False))
    nodes = alt.Y("nodes:Q", axis=alt.Axis(title="nodes", tickCount=4, tickMinStep=1, titleX=-_SIDE))
    price = alt.Y("price:Q", axis=alt.Axis(title="US dollars per hour", tickCount=4, titleX=-_SIDE))
    return _finished(
        alt.vconcat(
            alt.layer(shades.encode(x=above), line.encode(x=above, y=nodes), labels).properties(**_PANEL),
            alt.layer(shades.encode(x=below), line.encode(x=below, y=price)).properties(**_PANEL),
            spacing=14,
        )
    )


def _pairs(rows: Sequence[Mapping[str, Any]], title: str, figures: str, names: Sequence[str]) -> Spec:
    """Bars in pairs, measured and published, for each name, under a heading for each operating point."""
    y = alt.Y("name:N", sort=list(names), title=None)
    offset = alt.YOffset("source:N", sort=[_OURS, _PUBLISHED], scale=alt.Scale(paddingInner=0.12))
    base = alt.Chart().encode(
        x=alt.X("value:Q", title=title, scale=_scale(row["value"] for row in rows)), y=y, yOffset=offset
    )
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(names), range=[f"var(--{name})" for name in names]),
        legend=None,
    )
    bars = base.mark_bar().encode(
        color=colour,
        opacity=alt.Opacity(
            "source:N",
            title=None,
            scale=alt.Scale(domain=[_OURS, _PUBLISHED], range=[_SOLID, _FAINT]),
            legend=alt.Legend(orient="top", symbolType="square", symbolFillColor="var(--ink)"),
        ),
    )
    text = base.mark_text(align="left", dx=4, fontSize=10).encode(text=alt.Text("value:Q", format=figures))
    heading = alt.Header(title=None, labelOrient="top", labelAnchor="start", labelFontWeight="bold")
    return _finished(
        alt.layer(bars, text, data=_inline(rows))
        .properties(width=WIDTH, height=alt.Step(_BAR, **{"for": "offset"}))
        .facet(row=alt.Row("point:N", sort=None, header=heading), spacing=12)
    )


def _stacked(name: str, one: ScaleUp) -> list[dict[str, Any]]:
    rows, start = [], 0.0
    for part, seconds in parts(one).items():
        if seconds:
            rows.append({"name": name, "part": part, "start": start, "end": start + seconds})
            start += seconds
    return rows


def _scale(values: Any) -> alt.Scale:
    return alt.Scale(domain=[0, max(values, default=1) * _ROOM], nice=False)


def _inline(rows: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _finished(chart: alt.LayerChart | alt.FacetChart | alt.VConcatChart) -> Spec:
    ink, line = "var(--ink)", "var(--line)"
    finished = (
        chart.configure(background="transparent", font="system-ui, sans-serif", aria=False, padding=_MARGIN)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=ink,
            titleColor=ink,
            titleFontWeight="normal",
            labelFontSize=11,
            titleFontSize=11,
            gridColor=line,
            tickColor=line,
            domainColor=line,
            labelFlush=False,
        )
        .configure_legend(labelColor=ink, labelFontSize=11)
        .configure_header(labelColor=ink, labelFontSize=12)
        .configure_text(color=ink, fontSize=11)
    )
    spec: Spec = finished.to_dict()
    return spec
