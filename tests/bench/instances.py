"""Seeded pods for the packing bench."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from catalog.allocatable import GIB, MIB
from provisioner.core.model import ARCH, HOSTNAME, Node, Pod, PodTerm, Requirement
from provisioner.core.resources import Resources
from provisioner.core.snapshot import Snapshot

TRACE: Final = Path(__file__).parents[3] / "shared" / "traces" / "openb_pod_list_default.csv"


@dataclass(frozen=True, slots=True)
class Shape:
    """Requests of one pod, where it may run, and whether it refuses its like."""

    millicores: int
    memory: int
    gpus: int = 0
    arch: str = ""
    alone: bool = False


Shapes = Sequence[tuple[Shape, int]]
"""Shapes with the number of their pods."""


def mixed(random: Random, pods: int) -> Shapes:
    """CPU 50m to 8 cores, 1 to 8 GiB a core, both log-uniform."""
    return _shared_out(random, pods, [_mixed(random) for _ in range(_shapes(pods))])


def bimodal(random: Random, pods: int) -> Shapes:
    """Half small (100m to 500m), half large (6 to 14 cores)."""
    shapes = []
    for place in range(_shapes(pods)):
        if place % 2:
            shapes.append(Shape(random.randrange(100, 501, 50), random.randrange(256, 2049, 128) * MIB))
        else:
            shapes.append(Shape(random.randrange(6000, 14001, 500), random.randrange(16, 57, 2) * GIB))
    return _shared_out(random, pods, shapes)


def suites(random: Random, pods: int) -> Shapes:  # noqa: ARG001 (nothing is drawn)
    """Karpenter's own basic suite: 0.9 cores with 3.1 GiB, and 3.5 cores with 28 GiB, in equal parts."""
    return [(Shape(900, int(3.1 * GIB)), pods - pods // 2), (Shape(3500, 28 * GIB), pods // 2)]


def constrained(random: Random, pods: int) -> Shapes:
    """As mixed; a third on Arm only, a third on x86 only."""
    shapes = [
        replace(_mixed(random), arch=random.choice(("", "arm64", "amd64"))) for _ in range(_shapes(pods))
    ]
    return _shared_out(random, pods, shapes)


def spread(random: Random, pods: int) -> Shapes:
    """As mixed; pods of a fifth of the shapes refuse each other by host name."""
    shapes = [replace(_mixed(random), alone=random.random() < 1 / 5) for _ in range(_shapes(pods))]
    return _shared_out(random, pods, shapes)


def gpu(random: Random, pods: int) -> Shapes:
    """As mixed; a tenth asks for one GPU and runs on x86."""
    shapes = [_mixed(random) for _ in range(_shapes(pods))]
    shapes[::10] = [
        Shape(random.randrange(500, 1501, 100), random.randrange(2, 5) * GIB, 1, "amd64")
        for _ in shapes[::10]
    ]
    return _shared_out(random, pods, shapes)


def distinct(random: Random, pods: int) -> Shapes:
    """As mixed, every pod of its own shape."""
    return [(replace(_mixed(random), memory=random.randrange(64 * MIB, 16 * GIB)), 1) for _ in range(pods)]


def trace(random: Random, pods: int) -> Shapes:  # noqa: ARG001 (nothing is drawn)
    """The first pods of the Alibaba trace that ask for no GPU, CPU and memory as they stand."""
    with TRACE.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["num_gpu"] == "0"]
    found = Counter((int(row["cpu_milli"]), int(row["memory_mib"]) * MIB) for row in rows[:pods])
    return [(Shape(cpu, memory), count) for (cpu, memory), count in sorted(found.items())]


FAMILIES: Final[dict[str, Callable[[Random, int], Shapes]]] = {
    "mixed": mixed,
    "bimodal": bimodal,
    "suites": suites,
    "constrained": constrained,
    "spread": spread,
    "gpu": gpu,
    "incremental": mixed,
    "distinct": distinct,
    "trace": trace,
}


def snapshot(family: str, pods: int, seed: int) -> Snapshot:
    """One instance; `incremental` brings half-free nodes along."""
    random = Random(f"{family}/{pods}/{seed}")
    shapes = FAMILIES[family](random, pods)
    nodes = [_node(random, at) for at in range(max(1, pods // 60))] if family == "incremental" else []
    listed = [
        _pod(f"p{place}-{at}", place, shape)
        for place, (shape, count) in enumerate(shapes)
        for at in range(count)
    ]
    return Snapshot(tuple(listed), tuple(nodes))


def _shapes(pods: int) -> int:
    return max(1, min(200, pods // 5))


def _mixed(random: Random) -> Shape:
    cores = 0.05 * 160 ** random.random()
    memory = cores * 8 ** random.random()
    return Shape(max(50, round(cores * 20) * 50), max(64, round(memory * 16) * 64) * MIB)


def _shared_out(random: Random, pods: int, shapes: Iterable[Shape]) -> Shapes:
    """Shapes with random shares of the pods."""
    listed = list(shapes)
    drawn = Counter(random.choices(range(len(listed)), weights=[random.random() for _ in listed], k=pods))
    return [(shape, drawn[place]) for place, shape in enumerate(listed) if drawn[place]]


def _pod(name: str, place: int, shape: Shape) -> Pod:
    app = f"shape-{place}"
    itself = PodTerm(HOSTNAME, (Requirement("app", "In", (app,)),), frozenset({"bench"}))
    return Pod(
        "bench",
        name,
        requests=Resources(shape.millicores, shape.memory, shape.gpus, 1),
        labels={"app": app},
        node_selector={ARCH: shape.arch} if shape.arch else {},
        anti_affinity=(itself,) if shape.alone else (),
    )


def _node(random: Random, at: int) -> Node:
    arch = random.choice(("arm64", "amd64"))
    free = Resources(random.randrange(500, 8000), random.randrange(1, 24) * GIB, 0, 40)
    return Node(f"n{at}", labels={HOSTNAME: f"n{at}", ARCH: arch}, capacity=free, allocatable=free)
