"""The page: what was measured, section by section; where nothing was, the command that measures it.

A pure function of the runs' files. The page asks for nothing from elsewhere, and its browser is told so.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

from experiments import predictions
from experiments.adaptation import adaptation_table
from experiments.course import course_table, courses
from experiments.published import published
from experiments.record import EMULATED, GIVEN, LIVE, Run
from experiments.report.drawing import drawn
from experiments.report.markup import blocks, document, element
from experiments.report.plots import Spec, cost_plot, course_plot, saving_plot, scale_up_plot
from experiments.results import Results, folder_name
from experiments.saving import saving_table
from experiments.table import clouds_table

TITLE: Final = "Right-sized inference: what was measured"
_STYLE: Final = Path(__file__).with_name("page.css")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_GIB: Final = 2**30
_TYPED: Final = ("commit", "command", "folder")
_WORLDS: Final = {
    EMULATED: "emulated cloud on one machine; prices are the catalog's",
    LIVE: "real cloud",
    GIVEN: "a cluster that was already there (--kubeconfig)",
    "": "not recorded",
}
_REAL_SERVING: Final = (
    "python -m experiments run --cloud oke --variants right-sized --points idle,peak --serving real"
)


def page(found: Sequence[Results]) -> str:
    """The HTML document of some runs.

    Raises:
        Fault: a file of a run is not what a run writes.
    """
    sections = {
        "runs": ("Runs", _runs(found)),
        "cost": ("Cost", _cost(found)),
        "saving": ("Saving", _saving(found)),
        "nodes": ("Nodes over time", _nodes(found)),
        "latency": ("Latency", _latency(found)),
        "scale-up": ("Time to scale up", _scale_up(found)),
        "predictions": ("Predictions", _predictions(found)),
        "effort": ("Operational effort", _effort(found)),
    }
    links = (element("li", element("a", title, href=f"#{name}")) for name, (title, _) in sections.items())
    body = element(
        "body",
        element(
            "header",
            element("h1", TITLE),
            element("p", _source()),
            element("nav", element("ul", *links), aria_label="Sections"),
        ),
        element("main", *(_section(name, title, content) for name, (title, content) in sections.items())),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", TITLE),
        element("style", _STYLE.read_text(encoding="utf-8")),
    )
    return document(element("html", head, body, lang="en"))


def _source() -> str:
    source = published().source
    return f"Beside each figure stands the published one: {source.author}, “{source.title}”, {source.event}."


def _section(name: str, title: str, content: Iterable[Element]) -> Element:
    return element("section", element("h2", title, id=name), *content, aria_labelledby=name)


def _runs(found: Sequence[Results]) -> Iterator[Element]:
    yield element("div", *(_run(one) for one in found), class_="runs")


def _run(one: Results) -> Element:
    rows = [
        each for name, value in _facts(one) if value for each in (element("dt", name), _fact(name, value))
    ]
    return element("article", element("h3", _title(one)), element("dl", *rows), class_="run")


def _fact(name: str, value: str) -> Element:
    return element("dd", element("code", value) if name in _TYPED else value)


def _facts(one: Results) -> Iterator[tuple[str, str]]:
    run = one.run
    yield "where", _WORLDS.get(run.world, run.world)
    yield "settings", f"{run.accounting} accounting, {run.mode}; {', '.join(run.families) or 'every family'}"
    yield "serving", run.serving
    yield "variants", ", ".join(run.variants)
    yield "started", f"{run.started_at[:16].replace('T', ' ')} UTC"
    yield "took", _took(run)
    yield "machine", _machine(run.machine)
    yield "commit", run.commit
    yield "command", run.command
    yield "folder", str(one.folder)


def _took(run: Run) -> str:
    if run.finished_at is None:
        return "did not come to its end"
    seconds = (
        datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.started_at)
    ).total_seconds()
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _machine(machine: dict[str, Any]) -> str:
    parts = [
        f"{machine['cpus']} CPUs" if "cpus" in machine else "",
        f"{machine['memory_bytes'] / _GIB:.0f} GiB" if "memory_bytes" in machine else "",
        str(machine.get("system", "")),
        f"Python {machine['python']}" if "python" in machine else "",
    ]
    return ", ".join(part for part in parts if part)


def _cost(found: Sequence[Results]) -> Iterator[Element]:
    yield element(
        "p", "All instances that run in steady state, management nodes included, by the price list."
    )
    for title, alike in _by_settings(found):
        if len(alike) > 1:
            yield element("h3", f"The clouds side by side, {title}")
            yield from blocks(clouds_table([one.comparison for one in alike], published().points))
    for one in found:
        yield element("h3", _title(one))
        yield from blocks(one.cost_table())
        yield _figure(
            cost_plot(one.comparison, published().points),
            f"{_title(one)}: cost by operating point and variant",
            "Bars of US dollars per hour for every operating point and variant, measured above published;"
            " the figures are those of the table above.",
        )
    have = {(one.run.cloud, one.run.published) for one in found}
    for reproduces in (True, False):
        for cloud in published().clouds:
            if (cloud, reproduces) not in have:
                option = " --published" if reproduces else ""
                command = f"python -m experiments run --cloud {cloud}{option}"
                which = f"{cloud.upper()}, {_settings(published=reproduces)}"
                yield _missing(f"{which}: not measured. Measure it by `{command}`.")


def _saving(found: Sequence[Results]) -> Iterator[Element]:
    points = published().points
    for title, alike in _by_settings(found):
        yield element("h3", title[0].upper() + title[1:])
        yield from blocks(saving_table([one.comparison for one in alike], points))
        for one in alike:
            yield _figure(
                saving_plot(one.comparison, points),
                f"{_title(one)}: saving factor",
                "Bars of how many times less than max-sized a variant costs, for every operating point,"
                " measured above published; the figures are those of the table above.",
            )


def _nodes(found: Sequence[Results]) -> Iterator[Element]:
    points = published().points
    labels = {name: point.label for name, point in points.items()}
    yield element(
        "p",
        "Nodes that are registered, and the price of what runs: an instance is paid for from its start, before"
        " it is a node. Bands are the operating points. What came at 0:00 was there from the start. The"
        " clusters of a run need not have been there at the same time.",
    )
    for one in found:
        yield element("h3", _title(one))
        if not one.samples:
            yield _missing(f"No samples. Measure again by `{_again(one)}`.")
        for course in courses(one.samples):
            yield _figure(
                course_plot(course, points),
                f"{course.variant}: nodes, and price per hour",
                f"Two step lines over minutes, the nodes of the {course.variant} variant and their price in US"
                " dollars per hour, with the operating points as bands.",
            )
            if course.changes:
                yield from blocks(course_table(course, labels))
        if one.samples and not any(sample.machines for sample in one.samples):
            yield _missing(f"The machines of this run were not recorded. Measure again by `{_again(one)}`.")


def _latency(found: Sequence[Results]) -> Iterator[Element]:
    target_s = published().load.latency_target_s
    yield element("p", f"Of real model servers under load. The target: 99 % of requests within {target_s} s.")
    measured = [one for one in found if one.latencies]
    for one in measured:
        yield element("h3", _title(one))
        yield from blocks(one.latency_table())
        yield from (element("p", note) for note in one.run.notes)
    if not measured:
        yield _missing(f"Not measured. After `make serving`, measure it by `{_REAL_SERVING}`.")


def _scale_up(found: Sequence[Results]) -> Iterator[Element]:
    measured = [one for one in found if one.scale_ups]
    for one in measured:
        yield element("h3", _title(one))
        yield from blocks(one.scale_up_table())
        yield _figure(
            scale_up_plot(one.scale_ups, published().points),
            f"{_title(one)}: from the load to enough ready workers",
            "Stacked bars of seconds, a bar for every model, variant and load, split into the parts of the table"
            " above.",
        )
    if not measured:
        yield _missing("Not measured. Measure it by `python -m experiments run --cloud oke`.")


def _predictions(found: Sequence[Results]) -> Iterator[Element]:
    yield element("p", "What the models saw in the pictures, the likeliest classes first.")
    measured = [one for one in found if one.answers]
    for one in measured:
        answers = one.answers
        yield element("h3", _title(one))
        yield element("ul", *(element("li", line) for line in predictions.lines(answers)))
        for difference in predictions.differences(answers):
            yield element("p", element("span", f"differs: {difference}", class_="bad"))
    if not measured:
        yield _missing(f"Not measured. After `make serving`, measure it by `{_REAL_SERVING}`.")


def _effort(found: Sequence[Results]) -> Iterator[Element]:
    yield element(
        "p",
        "Judged by what each variant's stack declares, and by what the provisioner's planner answers under its"
        " settings; below each table is what was read where.",
    )
    measured = [one for one in found if one.complexity]
    for one in measured:
        yield element("h3", _title(one))
        yield from blocks(one.complexity_table())
    if not measured:
        yield from blocks(adaptation_table("Published", {}, published().complexity))
        yield _missing("Not measured. Measure it by `python -m experiments run --cloud oke`.")


def _by_settings(found: Sequence[Results]) -> Iterator[tuple[str, list[Results]]]:
    for reproduces in (True, False):
        alike = [one for one in found if one.run.published is reproduces]
        if alike:
            yield _settings(published=reproduces), alike


def _title(one: Results) -> str:
    usual = folder_name(one.run.cloud, published=one.run.published)
    which = "" if one.folder.name == usual else f" ({one.folder.name})"
    return f"{one.run.cloud.upper()}, {_settings(published=one.run.published)}{which}"


def _settings(*, published: bool) -> str:
    return "published settings" if published else "own settings"


def _again(one: Results) -> str:
    return (
        f"python -m {one.run.command}"
        if one.run.command
        else f"python -m experiments run --cloud {one.run.cloud}"
    )


def _missing(words: str) -> Element:
    """What is between backticks is to be typed."""
    parts = (element("code", part) if number % 2 else part for number, part in enumerate(words.split("`")))
    return element("p", *parts, class_="missing")


def _figure(spec: Spec, caption: str, says: str) -> Element:
    return element("figure", element("figcaption", caption), drawn(spec, f"{caption}. {says}"))
