"""The command line of the serving room: pack archives."""

from pathlib import Path
from typing import Annotated, Final

import click
import typer

from serving.archive import Misfit, pack
from serving.models import MODELS
from serving.weights import AUTO, SOURCES, NoWeights

app: Final = typer.Typer(
    name="serving",
    help="Model archives for TorchServe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def main() -> None:
    """Model archives for TorchServe."""


@app.command()
def archive(
    model: Annotated[
        list[str],
        typer.Option(
            help="Model to pack; may be given several times.", click_type=click.Choice(tuple(MODELS))
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the archives.")],
    weights: Annotated[
        str,
        typer.Option(
            help="auto: trained ones where they can be had, else seeded ones, whose answers mean nothing.",
            click_type=click.Choice(SOURCES),
        ),
    ] = AUTO,
) -> None:
    """Pack models with their weights, class names and handler."""
    for name in model:
        try:
            path, source = pack(MODELS[name], weights, out)
        except (NoWeights, Misfit, OSError) as fault:
            typer.echo(f"serving: {fault}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB, {source} weights)")


if __name__ == "__main__":
    app()
