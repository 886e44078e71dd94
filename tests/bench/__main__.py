"""`python -m tests.bench`: the packing bench, as a table and as JSON; exit status 1 where a floor is missed."""

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from catalog.allocatable import ACCOUNTINGS, DOCUMENTED
from tests.bench import floors, peers
from tests.bench.catalogs import NAMES, market
from tests.bench.instances import FAMILIES, TRACE, snapshot
from tests.bench.measure import ours
from tests.bench.peers import KarpenterMissing, Peer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_MOST_BIN_SELECT: Final = 1000
"""Pods beyond which modes that go pod by pod are not asked: they look at each pod and node."""


_QUICK: Final = "mixed,bimodal,suites,constrained,gpu"
_LONG: Final = ("mixed", "suites")
"""Families of which instances of many pods are asked by default: Karpenter takes minutes with them."""
_MANY: Final = 5000


@dataclass(frozen=True, slots=True)
class Row:
    """One instance."""

    seed: int
    case: floors.Case
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which instances, and how."""

    catalogs: tuple[str, ...]
    families: tuple[str, ...]
    pods: tuple[int, ...]
    seeds: int
    accounting: str
    deadline_s: float | None
    karpenter: Path | None

    def instances(self) -> Iterator[tuple[str, str, int, int]]:
        """Catalog, family, number of pods, seed."""
        for catalog, family, pods in product(self.catalogs, self.families, self.pods):
            is_there = family != "trace" or TRACE.exists()
            if is_there and (pods < _MANY or family in _LONG or len(self.pods) == 1):
                yield from ((catalog, family, pods, seed) for seed in range(1, self.seeds + 1))


@app.command()
def bench(  # noqa: PLR0917 (the options of a command)
    catalogs: Annotated[str, typer.Option(help=f"Of {', '.join(NAMES)}.")] = ",".join(NAMES),
    families: Annotated[str, typer.Option(help=f"Of {', '.join(FAMILIES)}.")] = ",".join(FAMILIES),
    pods: Annotated[str, typer.Option(help="Numbers of pods.")] = "200,1000,5000",
    seeds: Annotated[int, typer.Option(help="Instances of each kind.", min=1)] = 1,
    accounting: Annotated[str, typer.Option(help=f"{', '.join(ACCOUNTINGS)}.")] = DOCUMENTED,
    deadline_s: Annotated[
        float | None,
        typer.Option(
            "--deadline-s", help="For each of our answers; by default what the floors leave.", min=0
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("build/bench.json"),
    *,
    karpenter: Annotated[bool, typer.Option(help="Build and ask Karpenter's scheduler.")] = True,
    quick: Annotated[bool, typer.Option("--quick", help=f"200 and 1,000 pods of {_QUICK} alone.")] = False,
) -> None:
    """Pack seeded pods, beside bin-selection and Karpenter, and hold the prices against the bound."""
    try:
        binary = peers.build_karpenter() if karpenter else None
    except KarpenterMissing as error:
        raise SystemExit(str(error)) from error
    asked = Asked(
        tuple(catalogs.split(",")),
        tuple((_QUICK if quick else families).split(",")),
        (200, 1000) if quick else tuple(map(int, pods.split(","))),
        seeds,
        accounting,
        deadline_s,
        binary,
    )
    rows = list(_rows(asked))
    out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "accounting": accounting}
    out.write_text(json.dumps({**machine, "rows": [_as_json(row) for row in rows]}, indent=2) + "\n")
    Console(width=170).print(_table(rows))
    missed = [
        f"{row.case.catalog} {row.case.family} {row.case.pods}: {fault}"
        for row in rows
        for fault in row.faults
    ]
    missed += floors.growth(row.case for row in rows if row.seed == 1)
    if missed:
        raise SystemExit("\n".join(["floors missed:", *missed]))
    sys.stderr.write(f"every floor is kept by {len(rows)} instances\n")


def _rows(asked: Asked) -> Iterator[Row]:
    for catalog, family, pods, seed in asked.instances():
        row = _row(asked, catalog, family, pods, seed)
        sys.stderr.write(f"{catalog} {family} {pods}: {row.case.own.ratio:.4f}\n")
        yield row


def _row(asked: Asked, catalog: str, family: str, pods: int, seed: int) -> Row:
    sold, given = market(catalog, asked.accounting), snapshot(family, pods, seed)
    others: dict[str, Peer] = {}
    if not given.nodes or len(given.pods) <= _MOST_BIN_SELECT:
        others["bin-select"] = peers.bin_select(sold, given)
    if len(given.pods) <= _MOST_BIN_SELECT:
        others["bin-pack"] = peers.bin_pack(sold, given)
    if asked.karpenter is not None and not given.nodes:
        others["karpenter"] = peers.karpenter(asked.karpenter, sold, given)
    deadline_s = floors.deadline_s(pods) if asked.deadline_s is None else asked.deadline_s
    case = floors.Case(catalog, family, pods, ours(sold, given, deadline_s), others)
    return Row(seed, case, tuple(floors.faults(case)))


def _as_json(row: Row) -> dict[str, Any]:
    case = asdict(row.case)
    return {**case, "seed": row.seed, "ratio": row.case.own.ratio, "faults": row.faults}


def _table(rows: list[Row]) -> Table:
    columns = "catalog,family,pods,bound $/h,ours,first,first s,final s,sizes,bin-select,s,bin-pack,karpenter,s,MB,ours MB"
    table = Table(*columns.split(","))
    for row in rows:
        case, own, bound = row.case, row.case.own, row.case.own.bound_per_hour or 1.0
        select, shared, other = (case.peers.get(name) for name in ("bin-select", "bin-pack", "karpenter"))
        table.add_row(
            case.catalog,
            case.family,
            str(case.pods),
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
