"""The command line of the emulated clouds: start, stop, status, env, bill, fault."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from emulator import fault_commands, launch, serving
from emulator.environment import exports, variables
from emulator.home import Home
from emulator.launch import Started
from emulator.terminal import one_line_faults, running_in

app: Final = typer.Typer(
    name="emulator",
    help="Emulated clouds on this machine: no account, no network. EMULATOR_HOME names another one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Serving(StrEnum):
    """What answers the load."""

    MODELLED = serving.MODELLED
    REAL = serving.REAL


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_MOST_PORT: Final = 65535


@app.command()
def start(
    port: Annotated[
        int, typer.Option(min=0, max=_MOST_PORT, help="Port of the cloud's API; by default a free one.")
    ] = 0,
    serves: Annotated[
        Serving,
        typer.Option("--serving", help="Model servers: modelled load, or TorchServe processes that answer."),
    ] = Serving.MODELLED,
) -> None:
    """Start a fresh cloud in the background, or report the one that runs."""
    with one_line_faults():
        _say_started(launch.start(Home.of_environment(), port, serves))


@app.command()
def stop() -> None:
    """Stop everything: clusters, processes, daemon. The last bill stays readable."""
    home = Home.of_environment()
    with one_line_faults():
        if not launch.stop(home):
            typer.echo(f"no emulator is running in {home.path}")
            return
    typer.echo("stopped")
    if home.last_bill.exists():
        typer.echo(f"the last bill is in {home.last_bill}")


@app.command()
def status(as_json: Json = False) -> None:  # noqa: FBT002 - the form typer asks for
    """Say what runs."""
    home = Home.of_environment()
    running = launch.answering(home)
    if running is None:
        if as_json:
            typer.echo(json.dumps({"running": False, "home": str(home.path)}))
        else:
            typer.echo(f"no emulator is running in {home.path}")
        return
    with one_line_faults():
        answer = launch.call(running, "GET", "status")
    if as_json:
        typer.echo(
            json.dumps({"running": True, "home": str(home.path), "endpoint": running.endpoint, **answer})
        )
        return
    typer.echo(f"running at {running.endpoint} (pid {running.pid}), home {home.path}")
    for cluster in answer["clusters"]:
        typer.echo(
            f"  {cluster['context']}: {cluster['cloud']}, {cluster['state']}, {cluster['nodes']} nodes "
            f"in {cluster['node_pools']} pools"
        )


@app.command()
def env() -> None:
    """Print exports for `eval`, so that plain pulumi and kubectl use the emulator."""
    home = Home.of_environment()
    running_in(home)
    with one_line_faults():
        typer.echo(exports(variables(home)))


@app.command()
def bill(as_json: Json = False) -> None:  # noqa: FBT002 - the form typer asks for
    """Show what has run and what it cost; sums count instances only."""
    home = Home.of_environment()
    running = running_in(home)
    with one_line_faults():
        answer = launch.call(running, "GET", "bill")
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for line in _bill_lines(answer):
        typer.echo(line)


app.add_typer(fault_commands.app, name="fault")


def _bill_lines(answer: dict[str, Any]) -> Iterator[str]:
    for entry in answer["instances"]:
        state = "running" if entry["stopped_at"] is None else "stopped"
        yield f"{entry['cluster']:<20} {entry['shape']:<24} {entry['price_per_hour']:>9.4f} $/h  {state}  {entry['id']}"
    for entry in answer["other"]:
        state = "running" if entry["stopped_at"] is None else "stopped"
        yield f"{entry['cluster']:<20} {entry['kind']:<24} {entry['price_per_hour']:>9.4f} $/h  {state}  (not in the sums)"
    yield f"instances now: {answer['price_per_hour']:.4f} $/h; since the start: {answer['total']:.6f} $"


def _say_started(started: Started) -> None:
    running = started.running
    if started.already:
        typer.echo(f"already running at {running.endpoint} (pid {running.pid})")
    else:
        typer.echo(f"started: {running.endpoint} (pid {running.pid}), a fresh cloud")
    typer.echo(f"stacks: {', '.join(started.stacks) or 'none'}")
    example = next((stack for stack in started.stacks if stack.endswith("right-sized")), "STACK")
    typer.echo("next:")
    typer.echo('  eval "$(uv run python -m emulator env)"')
    typer.echo(f"  pulumi up --stack {example}")
    typer.echo("  kubectl get nodes; uv run python -m emulator bill; uv run python -m emulator stop")
