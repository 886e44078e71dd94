"""Commands: `run` is the controller, `plan` and `explain` answer for files what it would do.

Exit status 0 on success (pods left pending included), 1 on a fault said in plain lines, 2 on wrong
usage. `--json` prints one document on stdout; everything said on the way goes to stderr.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from catalog.allocatable import ACCOUNTINGS, CLOUDS, DOCUMENTED, NOMINAL
from catalog.loader import CatalogError, bundled, load
from catalog.names import SETTINGS_ENV
from catalog.offering import ARCHITECTURES
from provisioner import files, report
from provisioner.core import explain as words
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL, Policy
from provisioner.core.snapshot import Snapshot

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

PodsFile = Annotated[Path, typer.Option("--pods", help="Pods, as `kubectl get pods -o json` prints them.")]
NodesFile = Annotated[Path | None, typer.Option("--nodes", help="Nodes that are there, in the same form.")]
Cloud = Annotated[str, typer.Option(help=f"Whose prices and reservations: {', '.join(CLOUDS)}.")]
CatalogFile = Annotated[Path | None, typer.Option("--catalog", help="A catalog of your own (CSV).")]
Mode = Annotated[str, typer.Option(help=f"{', '.join(MODES)}.")]
Accounting = Annotated[
    str, typer.Option(help=f"{', '.join(ACCOUNTINGS)}; nominal with a catalog of your own.")
]
Deadline = Annotated[float, typer.Option("--deadline-s", min=0, help="How long to look for a better plan.")]


@app.command()
def plan(  # noqa: PLR0913, PLR0917 (the options of a command)
    pods: PodsFile,
    nodes: NodesFile = None,
    cloud: Cloud = "",
    catalog: CatalogFile = None,
    mode: Mode = OPTIMAL,
    accounting: Accounting = "",
    deadline_s: Deadline = 1.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say what would be bought for pending pods, and what stays pending."""
    question = _question(cloud, catalog, mode, accounting, deadline_s)
    with _said_plainly():
        answer, elapsed_s = _answer(question, pods, nodes)
        if as_json:
            typer.echo(json.dumps(report.document(answer, elapsed_s), indent=2))
        else:
            _table(answer)


@app.command()
def explain(  # noqa: PLR0913, PLR0917 (the options of a command)
    pods: PodsFile,
    nodes: NodesFile = None,
    cloud: Cloud = "",
    catalog: CatalogFile = None,
    mode: Mode = OPTIMAL,
    accounting: Accounting = "",
    deadline_s: Deadline = 1.0,
) -> None:
    """Say the same plan in words: why each node, and why not another; why each pod is left."""
    question = _question(cloud, catalog, mode, accounting, deadline_s)
    with _said_plainly():
        answer, _ = _answer(question, pods, nodes)
        for line in words.lines(answer):
            typer.echo(line)


@app.command()
def run() -> None:
    """Run the controller, by the settings in RIGHTSIZE_SETTINGS, until SIGTERM."""
    from provisioner import startup
    from provisioner.drivers.contract import DriverError
    from provisioner.kube import KubeDenied
    from provisioner.settings import SettingsError, parse

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    text = os.environ.get(SETTINGS_ENV)
    if not text:
        _fail(f"{SETTINGS_ENV} is not set: it has to hold the provisioner's settings as YAML")
    try:
        settings = parse(text)
        controller = startup.controller(settings)
    except (SettingsError, CatalogError, KubeDenied, DriverError) as error:
        _fail(str(error))
    controller.run(settings.loop_period_s, stop, lambda: datetime.now(UTC), time.monotonic)


@dataclass(frozen=True, slots=True)
class _Question:
    cloud: str
    catalog: Path | None
    mode: str
    accounting: str
    deadline_s: float


def _question(cloud: str, catalog: Path | None, mode: str, accounting: str, deadline_s: float) -> _Question:
    """The options, completed; what they may not be is wrong usage."""
    _choice("--mode", mode, MODES)
    if cloud:
        _choice("--cloud", cloud, CLOUDS)
    if accounting:
        _choice("--accounting", accounting, ACCOUNTINGS)
    if catalog is not None and accounting == DOCUMENTED and not cloud:
        raise typer.BadParameter(
            "documented reservations are a cloud's: name one with --cloud", param_hint="--accounting"
        )
    if catalog is None:
        return _Question(cloud or CLOUDS[0], None, mode, accounting or DOCUMENTED, deadline_s)
    return _Question(cloud, catalog, mode, accounting or NOMINAL, deadline_s)


def _choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(allowed)}", param_hint=option)


def _answer(question: _Question, pods: Path, nodes: Path | None) -> tuple[Plan, float]:
    """The plan, and how long deciding took."""
    offerings = load(question.catalog) if question.catalog else bundled(question.cloud)
    snapshot = Snapshot(files.pods(pods), files.nodes(nodes) if nodes else ())
    market = Catalog(offerings, question.cloud, question.accounting)
    policy = Policy(mode=question.mode, architectures=ARCHITECTURES)
    start = time.perf_counter()
    answer = decide(snapshot, market, policy, datetime.now(UTC), _budget(start + question.deadline_s))
    return answer, time.perf_counter() - start


def _budget(deadline: float) -> Callable[[], bool]:
    return lambda: time.perf_counter() < deadline


def _table(answer: Plan) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("shape", "CPU", "memory", "zone", "$/hour", "pods")
    for planned in answer.nodes:
        size = planned.size
        table.add_row(
            str(size),
            f"{size.cpu_millicores}m",
            f"{size.memory_gib:f} GiB",
            size.zone,
            f"{size.price_per_hour:f}",
            ", ".join(pod.key for pod in planned.pods),
        )
    console = Console(soft_wrap=True)
    if answer.nodes:
        console.print(table)
    console.print(words.headline(answer), highlight=False)
    for placement in answer.existing:
        console.print(f"{placement.node} has room for {', '.join(pod.key for pod in placement.pods)}")
    for unplaced in answer.unplaced:
        console.print(f"{unplaced.pod.key} stays pending: {words.refusal(unplaced)}", highlight=False)


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except (CatalogError, files.FileFault) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
