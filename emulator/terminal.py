"""What the commands share: the running emulator, and faults said in lines without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from emulator import launch
from emulator.home import Home, HomeFault, Running
from emulator.launch import FaultRefused, LaunchFault
from emulator.program import ProgramFault
from emulator.serving import ServingFault
from tools.locate import ToolMissing


def running_in(home: Home) -> Running:
    """The emulator that runs there; without one a line says so, and the command ends with 1."""
    running = launch.answering(home)
    if running is not None:
        return running
    last = f"; the last bill is in {home.last_bill}" if home.last_bill.exists() else ""
    typer.echo(
        f"no emulator is running in {home.path}; start one with `python -m emulator start`{last}", err=True
    )
    raise typer.Exit(1)


@contextmanager
def one_line_faults() -> Iterator[None]:
    """A fault that is the user's or the machine's is one line, never a traceback."""
    try:
        yield
    except (LaunchFault, HomeFault, ProgramFault, ServingFault, ToolMissing) as fault:
        typer.echo(f"emulator: {fault}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("emulator: interrupted", err=True)
        raise typer.Exit(130) from None


def ask(method: str, name: str, body: Any) -> dict[str, Any]:
    """Ask the running daemon about faults; what it refuses is said line by line."""
    running = running_in(Home.of_environment())
    with one_line_faults():
        try:
            return launch.call(running, method, name, body)
        except FaultRefused as refusal:
            for reason in refusal.reasons:
                typer.echo(f"emulator: {reason}", err=True)
            raise typer.Exit(2 if refusal.is_usage else 1) from None
