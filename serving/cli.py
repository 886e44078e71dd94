"""The command line of the serving room: pack archives."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from serving.archive import Misfit, pack
from serving.models import MODELS
from serving.weights import NoWeights

app: Final = typer.Typer(
    name="serving",
    help="Model archives for TorchServe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


Source = Literal["auto", "torchvision", "packaged", "seeded"]


@app.callback()
def main() -> None:
    """Model archives for TorchServe."""


@app.command()
def archive(
    model: Annotated[str, typer.Option(help=f"Models to pack, separated by commas: {', '.join(MODELS)}.")],
    out: Annotated[Path, typer.Option(help="Folder of the archives.")],
    weights: Annotated[
        Source,
        typer.Option(
            help="auto: trained ones where they can be had, else seeded ones, whose answers mean nothing."
        ),
    ] = "auto",
    *,
    unpacked: Annotated[
        bool, typer.Option("--unpacked", help="A folder instead of a file: TorchServe starts sooner.")
    ] = False,
) -> None:
    """Pack models with their weights, class names and handler."""
    names = [part.strip() for part in model.split(",") if part.strip()]
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'} given; there are {', '.join(MODELS)}", param_hint="--model"
        )
    for name in names:
        try:
            path, source = pack(MODELS[name], weights, out, unpacked=unpacked)
        except (NoWeights, Misfit, OSError) as fault:
            typer.echo(f"serving: {fault}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"{path} ({_bytes(path) / 1e6:.1f} MB, {source} weights)")


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files)


if __name__ == "__main__":
    app()
