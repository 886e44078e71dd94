"""`emulator fault`: make something go wrong, list what does, end it."""

import json
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from emulator.terminal import ask


class Cloud(StrEnum):
    """The clouds that are emulated."""

    OKE = "oke"
    GKE = "gke"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
For = Annotated[float, typer.Option("--for", metavar="S", help="Seconds after which it ends.")]
Shape = Annotated[str, typer.Argument(metavar="SHAPE", help="A shape of the catalog, in every size.")]
Rate = Annotated[float, typer.Argument(metavar="RATE", help="Share of requests, from 0 to 1.")]
Node = Annotated[str, typer.Argument(metavar="NODE", help="A node's name, or CONTEXT/NAME.")]
Seconds = Annotated[float, typer.Argument(metavar="S", help="Seconds.")]
Number = Annotated[int, typer.Argument(metavar="N")]
_NEGATIVE: Final = {"ignore_unknown_options": True}
"""Lets numbers below 0 through to where they are judged."""
app: Final = typer.Typer(no_args_is_help=True)


@app.callback()
def options(
    context: typer.Context,
    cloud: Annotated[
        Cloud | None, typer.Option(help="Only in this cloud; by default in each that it concerns.")
    ] = None,
) -> None:
    """Make something go wrong: as long as asked, until cleared, or until the emulator ends."""
    context.obj = cloud.value if cloud else None


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002
    """Show the faults that hold now."""
    answer = ask("GET", "faults", None)
    faults = [each for each in answer["faults"] if context.obj in {None, *_clouds(each)}]
    if as_json:
        typer.echo(json.dumps({"faults": faults}))
        return
    for each in faults:
        typer.echo(_line(each))
    if not faults:
        typer.echo("no faults")


@app.command()
def clear(
    context: typer.Context,
    fault_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="By default all.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """End a fault, or all."""
    if context.obj:
        raise typer.BadParameter("does not go with clear; give an ID, or end all", param_hint="--cloud")
    answer = ask("DELETE", f"faults/{fault_id}" if fault_id else "faults", None)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    typer.echo("cleared: " + (", ".join(each["id"] for each in answer["faults"]) or "nothing"))


@app.command(context_settings=_NEGATIVE)
def stockout(
    context: typer.Context,
    shape: Shape,
    for_s: For,
    zone: Annotated[str | None, typer.Option(help="Only in this zone.")] = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Machines of a shape are sold out; what runs stays."""
    _inject(context, as_json, "stockout", shape=shape, zone=zone, for_s=for_s)


@app.command(context_settings=_NEGATIVE)
def quota(context: typer.Context, shape: Shape, limit: Number, as_json: Json = False) -> None:  # noqa: FBT002
    """At most N cores (OCPUs; GPUs of a shape that has some) of a shape's family."""
    _inject(context, as_json, "quota", shape=shape, limit=limit)


@app.command("api-error", context_settings=_NEGATIVE)
def api_error(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="container|compute|network|identity")],
    rate: Rate,
    for_s: For,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """A share of the requests to a service fails: 500, 503, 429."""
    _inject(context, as_json, "api-error", service=service, rate=rate, for_s=for_s)


@app.command("lost-reply", context_settings=_NEGATIVE)
def lost_reply(context: typer.Context, rate: Rate, for_s: For, as_json: Json = False) -> None:  # noqa: FBT002
    """A share of the requests that change something is carried out and not answered."""
    _inject(context, as_json, "lost-reply", rate=rate, for_s=for_s)


@app.command("stale-list", context_settings=_NEGATIVE)
def stale_list(context: typer.Context, behind_s: Seconds, as_json: Json = False) -> None:  # noqa: FBT002
    """Lists show what there was S seconds ago."""
    _inject(context, as_json, "stale-list", behind_s=behind_s)


@app.command("slow-boot", context_settings=_NEGATIVE)
def slow_boot(context: typer.Context, takes_s: Seconds, as_json: Json = False) -> None:  # noqa: FBT002
    """Machines take S seconds from their launch to being a node."""
    _inject(context, as_json, "slow-boot", takes_s=takes_s)


@app.command("never-join", context_settings=_NEGATIVE)
def never_join(context: typer.Context, count: Number, as_json: Json = False) -> None:  # noqa: FBT002
    """The next N machines boot, cost money and never become nodes."""
    _inject(context, as_json, "never-join", count=count)


@app.command("not-ready", context_settings=_NEGATIVE)
def not_ready(context: typer.Context, node: Node, for_s: For, as_json: Json = False) -> None:  # noqa: FBT002
    """A node's kubelet reports nothing."""
    _inject(context, as_json, "not-ready", node=node, for_s=for_s)


@app.command()
def vanish(context: typer.Context, node: Node, as_json: Json = False) -> None:  # noqa: FBT002
    """A node's machine is gone, and nobody was told."""
    _inject(context, as_json, "vanish", node=node)


@app.command("spot-reclaim")
def spot_reclaim(context: typer.Context, node: Node, as_json: Json = False) -> None:  # noqa: FBT002
    """The cloud takes a spot node's machine back, after its notice."""
    _inject(context, as_json, "spot-reclaim", node=node)


@app.command()
def discontinue(context: typer.Context, shape: Shape, as_json: Json = False) -> None:  # noqa: FBT002
    """A shape is not offered any more; what runs stays."""
    _inject(context, as_json, "discontinue", shape=shape)


@app.command("apiserver-restart")
def apiserver_restart(context: typer.Context, as_json: Json = False) -> None:  # noqa: FBT002
    """Kill the API server of each cluster; it comes back."""
    _inject(context, as_json, "apiserver-restart")


def _inject(context: typer.Context, as_json: bool, kind: str, **arguments: Any) -> None:  # noqa: FBT001 - the form typer gives
    answer = ask("POST", "faults", {"kind": kind, "arguments": arguments, "cloud": context.obj})
    typer.echo(json.dumps(answer) if as_json else _line(answer))


def _clouds(fault: dict[str, Any]) -> tuple[str, ...]:
    return (fault["cloud"],) if fault["cloud"] else tuple(Cloud)


def _line(fault: dict[str, Any]) -> str:
    given = " ".join(f"{name}={value}" for name, value in fault["arguments"].items() if value is not None)
    where = fault["cloud"] or "each cloud"
    return " ".join(f"{fault['id']}: {fault['kind']} {given} in {where}, struck {fault['struck']}x".split())
