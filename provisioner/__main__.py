"""Commands: `run` is the controller, `plan` and `explain` answer what it would do, and write nothing.

They answer for files, for a live cluster, or for a recorded decision. Exit status 0 on success (pods
left pending included), 1 on a fault said in plain lines, 2 on wrong usage. `--json` prints one
document on stdout; everything said on the way goes to stderr.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from catalog.allocatable import ACCOUNTINGS, CLOUDS
from catalog.loader import CatalogError
from catalog.names import SETTINGS_ENV
from provisioner import files, record, report, startup
from provisioner import question as asking
from provisioner.core import explain as words
from provisioner.core import hot_nodes, preview, stay
from provisioner.core import recommend as proposals
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, OPTIMAL
from provisioner.drivers.contract import DriverError
from provisioner.kube import KubeDenied, KubeError
from provisioner.question import Answer, Options, Question
from provisioner.settings import SettingsError, parse


def _chosen(context: typer.Context, option: typer.CallbackParam, value: str) -> str:
    """Refuses a choice that is given and empty, as an unset variable leaves it."""
    source = context.get_parameter_source(option.name or "")
    if not value and source is not None and source.name == "COMMANDLINE":
        raise typer.BadParameter("is empty: name one, or leave the option out")
    return value


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

PodsFile = Annotated[
    Path | None, typer.Option("--pods", help="Pods, as `kubectl get pods -o json` prints them.")
]
NodesFile = Annotated[Path | None, typer.Option("--nodes", help="Nodes that are there, in the same form.")]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="A live cluster, read only, in place of --pods.")
]
Context = Annotated[
    str, typer.Option(help="The cluster's context in the kubeconfig (kubectl's own if none).")
]
Replay = Annotated[
    Path | None, typer.Option("--replay", help="A recorded decision, decided again without cluster or clock.")
]
Record = Annotated[Path | None, typer.Option("--record", help="Where to write this decision, for --replay.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="The controller's `policy` (YAML), or its whole settings: answer as it would."
    ),
]
Cloud = Annotated[
    str, typer.Option(help=f"Whose prices and reservations: {', '.join(CLOUDS)}.", callback=_chosen)
]
CatalogFile = Annotated[Path | None, typer.Option("--catalog", help="A catalog of your own (CSV).")]
Mode = Annotated[
    str,
    typer.Option(help=f"{', '.join(MODES)}; {OPTIMAL} where no --policy says otherwise.", callback=_chosen),
]
Accounting = Annotated[
    str,
    typer.Option(help=f"{', '.join(ACCOUNTINGS)}; nominal with a catalog of your own.", callback=_chosen),
]
Deadline = Annotated[
    float | None,
    typer.Option("--deadline-s", min=0, help="How long to look for a better plan; 1 where not said."),
]

Recommend = Annotated[bool, typer.Option("--recommend", help="Propose requests from measured use.")]
Metrics = Annotated[
    list[Path] | None,
    typer.Option(
        "--metrics", help="Measured use, as `kubectl get podmetrics -o json` prints it; more than once."
    ),
]
Margin = Annotated[int, typer.Option(min=0, max=1000, help="Per cent proposed above the highest use.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def plan(  # noqa: PLR0913, PLR0917 (the options of a command)
    pods: PodsFile = None,
    nodes: NodesFile = None,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    replay: Replay = None,
    record_to: Record = None,
    policy: PolicyFile = None,
    cloud: Cloud = "",
    catalog: CatalogFile = None,
    mode: Mode = "",
    accounting: Accounting = "",
    deadline_s: Deadline = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what would be bought for pending pods, and what stays pending."""
    options = Options(
        pods, nodes, kubeconfig, context, replay, policy, cloud, catalog, mode, accounting, deadline_s
    )
    options.check()
    with _said_plainly():
        answer = _answer(options, record_to)
        with _written():
            if as_json:
                _document(answer)
            else:
                _table(answer.plan)


@app.command()
def explain(  # noqa: PLR0913, PLR0917 (the options of a command)
    pods: PodsFile = None,
    nodes: NodesFile = None,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    replay: Replay = None,
    record_to: Record = None,
    policy: PolicyFile = None,
    cloud: Cloud = "",
    catalog: CatalogFile = None,
    mode: Mode = "",
    accounting: Accounting = "",
    deadline_s: Deadline = None,
    *,
    recommend: Recommend = False,
    metrics: Metrics = None,
    margin: Margin = 15,
    as_json: AsJson = False,
) -> None:
    """Say the same plan in words: why each node, and why not another; why each pod is left; what is removed.

    With --recommend: which requests measured use would allow, and what they would save. With --json: the
    document of `plan --json`.
    """
    if as_json and recommend:
        raise typer.BadParameter("what is recommended is said in words only", param_hint="--json")
    options = Options(
        pods,
        nodes,
        kubeconfig,
        context,
        replay,
        policy,
        cloud,
        catalog,
        mode,
        accounting,
        deadline_s,
        recommend,
        tuple(metrics or ()),
    )
    options.check()
    with _said_plainly():
        if recommend:
            _say(_proposed(options, margin))
            return
        answer = _answer(options, record_to)
        if as_json:
            with _written():
                _document(answer)
        else:
            _say(_explained(answer))


@app.command()
def run() -> None:
    """Run the controller, by the settings in RIGHTSIZE_SETTINGS, until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    text = os.environ.get(SETTINGS_ENV)
    if not text:
        _fail(f"{SETTINGS_ENV} is not set: it has to hold the provisioner's settings as YAML")
    try:
        settings = parse(text)
        controller = startup.controller(settings)
    except (SettingsError, CatalogError, KubeDenied, DriverError, record.RecordFault) as error:
        _fail(str(error))
    controller.run(settings.loop_period_s, stop, lambda: datetime.now(UTC), time.monotonic)


def _question(options: Options) -> Question:
    with files.read_once():
        question = asking.read(options, datetime.now(UTC))
    for fault in question.unreadable:
        sys.stderr.write(f"cannot be read, and is left out: {fault}\n")
    return question


def _answer(options: Options, record_to: Path | None) -> Answer:
    """The plan; recorded where that is asked for."""
    question = _question(options)
    answer = asking.answer(question, time.perf_counter)
    before, now = question.decided, record.Decided.of(answer.plan)
    if before is not None and before != now:
        sys.stderr.write(
            "the planner has changed since this was recorded: then it was "
            f"{before.nodes} nodes at ${before.price_per_hour:f} an hour, now it is {now.nodes} at "
            f"${now.price_per_hour:f}\n"
        )
    if record_to is not None:
        record.write(answer.decision, answer.plan, record_to)
    return answer


def _explained(answer: Answer) -> Iterator[str]:
    decided = answer.decision
    told = (answer.plan, decided.snapshot, decided.catalog, decided.policy)
    yield from words.lines(answer.plan)
    yield from hot_nodes.lines(*told, decided.now)
    yield from preview.lines(*told, decided.now)
    yield from stay.lines(*told)


def _proposed(options: Options, margin: int) -> Iterator[str]:
    made = asking.recommendation(_question(options), margin, time.perf_counter)
    return proposals.lines(made, margin)


def _document(answer: Answer) -> None:
    typer.echo(json.dumps(report.document(answer.plan, answer.elapsed_s), indent=2))


def _say(lines: Iterable[str]) -> None:
    with _written():
        for line in lines:
            typer.echo(line)


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


_FAULTS = (CatalogError, SettingsError, files.FileFault, record.RecordFault, KubeError)


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        _fail(str(error))


@contextmanager
def _written() -> Iterator[None]:
    """What is printed inside is out at the end, or said not to be; a reader that has gone is typer's to meet."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"the answer cannot be written: {error.strerror}")


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
