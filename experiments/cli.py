"""The command line: `run` measures, `table` and `report` show what was measured, `demo` runs twice."""

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Protocol

import typer
from rich.console import Console

from experiments import complexity, predictions
from experiments.cost import as_json
from experiments.fault import Fault, Interrupted
from experiments.latency import LATENCIES
from experiments.order import MODELLED, REAL, Order
from experiments.published import VARIANTS, published
from experiments.record import read
from experiments.results import OUT, all_results, folder_name, results
from experiments.scale_up import SCALE_UPS
from experiments.table import clouds_table

PAGE_FILE: Final = "report.html"
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


class Cloud(StrEnum):
    """The clouds that can be measured."""

    OKE = "oke"
    GKE = "gke"


class Serving(StrEnum):
    """What answers the load."""

    MODELLED = MODELLED
    REAL = REAL


app = typer.Typer(
    help="The published experiment, run again: three variants at four operating points.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
tables = typer.Typer(help="Show what a run measured beside the published figures.", no_args_is_help=True)
app.add_typer(tables, name="table")

CloudOption = Annotated[Cloud, typer.Option(help="Cloud to measure.")]
PublishedOption = Annotated[
    bool, typer.Option("--published", help="The settings that reproduce the published tables.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the run's files.", show_default=f"{OUT}/CLOUD, with --published {OUT}/CLOUD-published"
    ),
]
DocumentOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


@app.command()
def run(  # noqa: PLR0913  # the promised options
    cloud: CloudOption,
    variants: Annotated[str, typer.Option(help="Variants, separated by commas.")] = ",".join(VARIANTS),
    points: Annotated[str, typer.Option(help="Operating points, separated by commas.")] = ",".join(
        published().points
    ),
    *,
    reproduce: PublishedOption = False,
    serving: Annotated[Serving, typer.Option(help="What answers the load.")] = Serving.MODELLED,
    connections: Annotated[
        int,
        typer.Option(
            min=0,
            help="With --serving real: so many requests in flight, as published (150); 0 sends at stated rates.",
        ),
    ] = 0,
    registry: Annotated[
        str,
        typer.Option(help="With --serving real on a real cluster: what `make images` was given as REGISTRY."),
    ] = "",
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the stacks, such as provisioner.mode=bin-pack or provisioner.architectures[1]=amd64;"
            " again for more. It is recorded with the run: no secrets.",
        ),
    ] = None,
    out: OutOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="On the real cloud, by your own Pulumi stacks.")
    ] = False,
    kubeconfig: Annotated[Path | None, typer.Option(help="Measure a cluster that is already there.")] = None,
    variant: Annotated[str | None, typer.Option(help="With --kubeconfig: the variant it runs.")] = None,
) -> None:
    """Bring each variant up, walk it over the operating points, record, destroy.

    By default on an emulated cloud of its own, which is stopped after.
    """
    _check_world(kubeconfig, variant, live=live, has_settings=bool(config))
    if connections and serving is not Serving.REAL:
        raise typer.BadParameter("--connections needs --serving real")
    order = Order(
        command=shlex.join(["experiments", *sys.argv[1:]]),
        cloud=cloud,
        variants=_chosen("--variant", variant, VARIANTS)
        if variant
        else _chosen("--variants", variants, VARIANTS),
        points=_chosen("--points", points, tuple(published().points)),
        published=reproduce,
        out=out or _default_out(cloud, published=reproduce),
        serving=serving,
        connections=connections,
        config=tuple(map(_setting, config or ())),
        registry=registry,
    )
    with _faults_as_lines():
        _measure(order, live=live, kubeconfig=kubeconfig)
        _show_cost(order.out, order.cloud)
        if SCALE_UPS.load(order.out):
            _show_scale_up(order.out, order.cloud)
        if order.serves:
            _show_latency(order.out, order.cloud)
            for note in read(order.out)[0].notes:
                typer.echo(note)


def _setting(text: str) -> tuple[str, str]:
    key, is_set, value = text.partition("=")
    if not (key and is_set):
        raise typer.BadParameter(f"--set {text!r}: expected KEY=VALUE, such as provisioner.mode=bin-pack")
    return key, value


class Show(Protocol):
    """Shows what a run left in its folder, as a table or as one JSON document."""

    def __call__(self, folder: Path, cloud: str, *, as_document: bool = False) -> None:
        """Show it."""


def _table(name: str) -> Callable[[Show], Show]:
    """Make a command of what shows a table; its help is what the function says of itself."""

    def registered(show: Show) -> Show:
        @tables.command(name=name, help=show.__doc__)
        def _(
            cloud: CloudOption,
            *,
            reproduce: PublishedOption = False,
            out: OutOption = None,
            as_document: DocumentOption = False,
        ) -> None:
            with _faults_as_lines():
                show(out or _default_out(cloud, published=reproduce), cloud, as_document=as_document)

        return show

    return registered


@_table("cost")
def _show_cost(folder: Path, cloud: str, *, as_document: bool = False) -> None:
    """Dollars per hour of all instances in steady state, by operating point and variant."""
    found = results(folder, cloud)
    if as_document:
        typer.echo(json.dumps(as_json(found.comparison), indent=2))
    else:
        Console().print(found.cost_table())


@_table("latency")
def _show_latency(folder: Path, cloud: str, *, as_document: bool = False) -> None:
    """Latency of real model servers under load, beside the published; needs `run --serving real`."""
    found = results(folder, cloud)
    measured = found.latencies
    if not measured:
        raise Fault(f"{folder}: no latency there; measure with `python -m experiments run --serving real`")
    if as_document:
        columns = {
            column: {
                name: {"p95_s": float(one.p95_s), "p99_s": float(one.p99_s)} for name, one in row.items()
            }
            for column, row in found.known_latencies.items()
        }
        typer.echo(json.dumps({"points": LATENCIES.as_json(measured), "published": columns}, indent=2))
    else:
        Console().print(found.latency_table())


@_table("complexity")
def _show_complexity(folder: Path, cloud: str, *, as_document: bool = False) -> None:
    """Which changes a variant follows by itself, and from what of its stack that was read."""
    found = results(folder, cloud)
    judged = found.complexity
    if not judged:
        raise Fault(
            f"{folder}: no evidence there; bring stacks up by `python -m experiments run --cloud {cloud}`,"
            " since a cluster that is there already (--kubeconfig) does not say how it was declared"
        )
    if as_document:
        typer.echo(json.dumps(complexity.as_json(judged, published().complexity), indent=2))
    else:
        Console().print(found.complexity_table())


@_table("scale-up")
def _show_scale_up(folder: Path, cloud: str, *, as_document: bool = False) -> None:
    """Seconds from a load until there were enough ready workers, and what they went into."""
    found = results(folder, cloud)
    measured = found.scale_ups
    if not measured:
        raise Fault(f"{folder}: no scale-up there; measure a point with load by `python -m experiments run`")
    if as_document:
        typer.echo(json.dumps({"points": SCALE_UPS.as_json(measured)}, indent=2))
    else:
        Console().print(found.scale_up_table())


@app.command(name="predictions")
def predictions_of(
    cloud: CloudOption,
    *,
    reproduce: PublishedOption = False,
    out: OutOption = None,
    as_document: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Whether every variant gave the same predictions; needs `run --serving real`."""
    with _faults_as_lines():
        folder = out or _default_out(cloud, published=reproduce)
        answers = predictions.load(folder)
        if not answers:
            raise Fault(
                f"{folder}: no predictions there; measure first with `experiments run --serving real`"
            )
        found = predictions.differences(answers)
        if as_document:
            typer.echo(json.dumps({"answers": answers, "differences": found}, indent=2))
        else:
            for line in predictions.lines(answers):
                typer.echo(line)
        if found:
            raise Fault(f"predictions differ: {'; '.join(found)}")


@tables.command()
def clouds(
    *,
    reproduce: PublishedOption = False,
    out: Annotated[
        Path, typer.Option(help="Folder with the runs' folders: CLOUD, or with --published CLOUD-published.")
    ] = OUT,
    as_document: DocumentOption = False,
) -> None:
    """The cost tables of every cloud that was measured, in one."""
    with _faults_as_lines():
        folders = {cloud: out / folder_name(cloud, published=reproduce) for cloud in Cloud}
        found = [results(folder, cloud).comparison for cloud, folder in folders.items() if folder.exists()]
        if not found:
            raise Fault(f"{out}: no run there; measure first with `python -m experiments run`")
        if as_document:
            typer.echo(json.dumps({one.cloud: as_json(one) for one in found}, indent=2))
        else:
            Console().print(clouds_table(found, published().points))


@app.command()
def report(
    out: Annotated[
        Path, typer.Option(help="Folder with the runs' folders, or of one run; the page is written there.")
    ] = OUT,
) -> None:
    """Make one HTML page of all that was measured, tables and plots; it needs no network. Prints its path."""
    with _faults_as_lines():
        found = all_results(out)
        # Imported here: the plots take a second to load, which no other command need wait for.
        from experiments.report.page import page

        file = out / PAGE_FILE
        try:
            file.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise Fault(f"{file}: cannot be written to ({error.strerror})") from error
        typer.echo(file)


@app.command()
def demo(cloud: CloudOption = Cloud.OKE) -> None:
    """Reproduce the published cost table, then measure our own settings; both on emulated clouds."""
    with _faults_as_lines():
        orders = [
            Order(
                command=shlex.join(["experiments", *sys.argv[1:]]),
                cloud=cloud,
                variants=VARIANTS,
                points=tuple(published().points),
                published=reproduce,
                out=_default_out(cloud, published=reproduce),
            )
            for reproduce in (True, False)
        ]
        for order in orders:
            _measure(order, live=False, kubeconfig=None)
        for order in orders:
            _show_cost(order.out, order.cloud)


def _measure(order: Order, *, live: bool, kubeconfig: Path | None) -> None:
    # Imported here: the clients take a second to load, which tables need not wait for.
    from experiments import runner

    console = Console(stderr=True)
    began = time.monotonic()
    if kubeconfig is not None:
        runner.run_existing(order, kubeconfig, console)
    elif live:
        runner.run_live(order, console)
    else:
        runner.run_emulated(order, console)
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    console.print(
        f"measured in {minutes} min {seconds} s; files in {order.out}", highlight=False, soft_wrap=True
    )


def _default_out(cloud: str, *, published: bool) -> Path:
    return OUT / folder_name(cloud, published=published)


def _check_world(kubeconfig: Path | None, variant: str | None, *, live: bool, has_settings: bool) -> None:
    """Refuse what does not say which of the worlds is meant: emulated, live, or a cluster that is there."""
    if live and kubeconfig is not None:
        raise typer.BadParameter("--live and --kubeconfig exclude each other")
    if (kubeconfig is None) != (variant is None):
        raise typer.BadParameter("--kubeconfig FILE and --variant VARIANT belong together")
    if has_settings and (live or kubeconfig is not None):
        raise typer.BadParameter(
            "--set is for emulated clouds; set it in your stack: pulumi config set --path"
        )


def _chosen(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    named = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in named if name not in known]
    if unknown or not named:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'} given; there are {', '.join(known)}", param_hint=option
        )
    return tuple(name for name in known if name in named)


@contextmanager
def _faults_as_lines() -> Iterator[None]:
    try:
        yield
    except Fault as fault:
        typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(1) from fault
    except Interrupted as interrupted:
        typer.echo("interrupted: what the run had started is stopped", err=True)
        raise typer.Exit(INTERRUPTED) from interrupted
