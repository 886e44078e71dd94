"""`python -m tests.bench`: the packing bench, as a table and as JSON; exit status 1 where a floor is missed."""

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from catalog.allocatable import ACCOUNTINGS, DOCUMENTED
from tests.bench import floors, peers
from tests.bench.catalogs import NAMES, market
from tests.bench.instances import FAMILIES, TRACE, snapshot
from tests.bench.measure import Ours, ours
from tests.bench.peers import KarpenterMissing, Peer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_MOST_BIN_SELECT = 1000
"""Pods beyond which modes that go pod by pod are not asked: they look at each pod and node."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instance."""

    catalog: str
    family: str
    pods: int
    seed: int
    own: Ours
    peers: dict[str, Peer]
    faults: tuple[str, ...]


@app.command()
def bench(  # noqa: PLR0917 (the options of a command)
    catalogs: Annotated[str, typer.Option(help=f"Of {', '.join(NAMES)}.")] = ",".join(NAMES),
    families: Annotated[str, typer.Option(help=f"Of {', '.join(FAMILIES)}.")] = ",".join(FAMILIES),
    pods: Annotated[str, typer.Option(help="Numbers of pods.")] = "200,1000",
    seeds: Annotated[int, typer.Option(help="Instances of each kind.", min=1)] = 1,
    accounting: Annotated[str, typer.Option(help=f"{', '.join(ACCOUNTINGS)}.")] = DOCUMENTED,
    deadline_s: Annotated[float, typer.Option("--deadline-s", help="For each of our answers.", min=0)] = 1.0,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("build/bench.json"),
    *,
    karpenter: Annotated[bool, typer.Option(help="Build and ask Karpenter's scheduler.")] = True,
) -> None:
    """Pack seeded pods, beside bin-selection and Karpenter, and hold the prices against the bound."""
    try:
        binary = peers.build_karpenter() if karpenter else None
    except KarpenterMissing as error:
        raise SystemExit(str(error)) from error
    rows = []
    for row in _rows(catalogs, families, pods, seeds, accounting, deadline_s, binary):
        sys.stderr.write(f"{row.catalog} {row.family} {row.pods}: {row.own.ratio:.4f}\n")
        rows.append(row)
    out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "accounting": accounting}
    out.write_text(json.dumps({**machine, "rows": [_as_json(row) for row in rows]}, indent=2) + "\n")
    Console(width=170).print(_table(rows))
    missed = [f"{row.catalog} {row.family} {row.pods}: {fault}" for row in rows for fault in row.faults]
    if missed:
        raise SystemExit("\n".join(missed))


def _rows(  # noqa: PLR0917 (as above)
    catalogs: str,
    families: str,
    pods: str,
    seeds: int,
    accounting: str,
    deadline_s: float,
    binary: Path | None,
) -> Iterator[Row]:
    for catalog in catalogs.split(","):
        for family in families.split(","):
            if family == "trace" and not TRACE.exists():
                continue
            for count in map(int, pods.split(",")):
                for seed in range(1, seeds + 1):
                    yield _row(catalog, family, count, seed, accounting, deadline_s, binary)


def _row(  # noqa: PLR0917 (as above)
    catalog: str, family: str, pods: int, seed: int, accounting: str, deadline_s: float, binary: Path | None
) -> Row:
    sold, asked = market(catalog, accounting), snapshot(family, pods, seed)
    others: dict[str, Peer] = {}
    if not asked.nodes or len(asked.pods) <= _MOST_BIN_SELECT:
        others["bin-select"] = peers.bin_select(sold, asked)
    if len(asked.pods) <= _MOST_BIN_SELECT:
        others["bin-pack"] = peers.bin_pack(sold, asked)
    if binary is not None and not asked.nodes:
        others["karpenter"] = peers.karpenter(binary, sold, asked)
    own = ours(sold, asked, deadline_s)
    return Row(
        catalog, family, pods, seed, own, others, tuple(floors.faults(catalog, family, pods, own, others))
    )


def _as_json(row: Row) -> dict[str, Any]:
    return {**asdict(row), "ratio": row.own.ratio}


def _table(rows: list[Row]) -> Table:
    columns = "catalog,family,pods,bound $/h,ours,first,first s,final s,sizes,bin-select,s,bin-pack,karpenter,s,MB,ours MB"
    table = Table(*columns.split(","))
    for row in rows:
        own, bound = row.own, row.own.bound_per_hour or 1.0
        select, shared, other = (row.peers.get(name) for name in ("bin-select", "bin-pack", "karpenter"))
        table.add_row(
            row.catalog,
            row.family,
            str(row.pods),
            f"{own.bound_per_hour:.4f}",
            f"[{'red' if row.faults else 'green'}]{own.ratio:.4f}[/]",
            f"{own.first_price_per_hour / bound:.4f}",
            f"{own.first_s:.3f}",
            f"{own.final_s:.3f}",
            str(own.sizes),
            *_peer(select, bound),
            _peer(shared, bound)[0],
            *_peer(other, bound),
            f"{(other.peak_bytes or 0) / 1e6:.0f}" if other else "",
            f"{own.peak_bytes / 1e6:.0f}",
        )
    return table


def _peer(peer: Peer | None, bound: float) -> tuple[str, str]:
    if peer is None:
        return "", ""
    left = f" ({peer.unplaced} left)" if peer.unplaced else ""
    return f"{peer.price_per_hour / bound:.4f}{left}", "" if peer.seconds is None else f"{peer.seconds:.3f}"


if __name__ == "__main__":
    app()
