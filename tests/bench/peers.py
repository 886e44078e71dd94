"""What the same pods cost with others: bin-selection, bin-packing, and Karpenter's own scheduler."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, Final

from provisioner.core.decide import decide
from provisioner.core.market import Catalog, Size
from provisioner.core.model import ARCH, Pod
from provisioner.core.policy import BIN_PACK, BIN_SELECT
from provisioner.core.snapshot import Snapshot
from tests.bench.measure import NOW, policy
from tools.locate import cache_dir
from tools.pins import GO

ROOM: Final = Path(__file__).parent / "karpenter"
_MOST_TIMED: Final = 1000
_OCPUS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 94)
_GIB_PER_OCPU: Final = (1, 2, 4, 6, 8, 12, 16)
"""The grid that flexible shapes are expanded to for Karpenter, which knows fixed types only."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another's answer."""

    price_per_hour: float
    seconds: float | None
    """None where it was not timed."""
    nodes: int
    gpu_nodes: int
    unplaced: int
    peak_bytes: int | None = None


def bin_select(market: Catalog, snapshot: Snapshot) -> Peer:
    """Each pod its own cheapest node; identical pods are asked for once where there are many."""
    if len(snapshot.pods) <= _MOST_TIMED or snapshot.nodes:
        return _of_mode(BIN_SELECT, market, snapshot)
    total, nodes, gpus, unplaced = 0.0, 0, 0, 0
    for pod, count in _kinds(snapshot.pods):
        plan = decide(Snapshot((pod,)), market, policy(BIN_SELECT), NOW, lambda: False)
        total += float(plan.price_per_hour) * count
        nodes += len(plan.nodes) * count
        gpus += sum(bool(each.size.offering.gpus) for each in plan.nodes) * count
        unplaced += len(plan.unplaced) * count
    return Peer(total, None, nodes, gpus, unplaced)


def bin_pack(market: Catalog, snapshot: Snapshot) -> Peer:
    """Small pods on shared nodes of one size, by Luna's thresholds as documented."""
    return _of_mode(BIN_PACK, market, snapshot)


def _of_mode(mode: str, market: Catalog, snapshot: Snapshot) -> Peer:
    start = process_time()
    plan = decide(snapshot, market, policy(mode), NOW, lambda: False)
    seconds = process_time() - start
    gpus = sum(bool(each.size.offering.gpus) for each in plan.nodes)
    return Peer(float(plan.price_per_hour), seconds, len(plan.nodes), gpus, len(plan.unplaced))


def _kinds(pods: tuple[Pod, ...]) -> Iterator[tuple[Pod, int]]:
    """One pod of each shape, and how many there are."""
    counts = Counter(pod.labels["app"] for pod in pods)
    first = {pod.labels["app"]: pod for pod in reversed(pods)}
    yield from ((first[app], count) for app, count in counts.items())


class KarpenterMissing(Exception):
    """The peer could not be built; the message says why."""


def build_karpenter() -> Path:
    """Karpenter's scheduler with our front, built once from its pinned module."""
    target = cache_dir() / "bench" / "karpenter"
    target.parent.mkdir(parents=True, exist_ok=True)
    go = shutil.which("uv")
    if go is None:
        raise KarpenterMissing("uv is not on PATH: run `make bench`, which brings it")
    command = [
        go,
        "run",
        "--quiet",
        "--no-project",
        "--with",
        GO,
        "go",
        "build",
        "-mod=readonly",
        "-trimpath",
    ]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [*command, "-buildvcs=false", "-o", str(target), "."],
        cwd=ROOM,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise KarpenterMissing(f"tests/bench/karpenter could not be built: {words}")
    return target


def karpenter(binary: Path, market: Catalog, snapshot: Snapshot) -> Peer:
    """Karpenter's answer, its Solve timed by itself."""
    asked = {"machines": list(_machines(market)), "shapes": list(_shapes(snapshot.pods))}
    done = subprocess.run([binary], input=json.dumps(asked), capture_output=True, text=True, check=True)
    given: dict[str, Any] = json.loads(done.stdout)
    return Peer(**given)


def _shapes(pods: tuple[Pod, ...]) -> Iterator[dict[str, Any]]:
    for pod, count in _kinds(pods):
        yield {
            "app": pod.labels["app"],
            "cpu_millicores": pod.requests.cpu_millicores,
            "memory_bytes": pod.requests.memory_bytes,
            "gpus": pod.requests.gpus,
            "arch": pod.node_selector.get(ARCH, ""),
            "alone": bool(pod.anti_affinity),
            "count": count,
        }


def _machines(market: Catalog) -> Iterator[dict[str, Any]]:
    for at, size in enumerate(_sizes(market)):
        yield {
            "name": f"type-{at}",
            "arch": size.offering.arch,
            "cpu_millicores": size.usable.cpu_millicores,
            "memory_bytes": size.usable.memory_bytes,
            "gpus": size.usable.gpus,
            "pods": size.usable.pods,
            "price_per_hour": float(size.price_per_hour),
        }


def _sizes(market: Catalog) -> Iterator[Size]:
    for offering in market.offerings:
        if not offering.is_flexible:
            yield market.size(offering)
            continue
        for ocpus in sorted({*_OCPUS, offering.ocpu_range()[-1]} & set(offering.ocpu_range())):
            sold = offering.gib_range(ocpus)
            wanted = {ocpus * ratio for ratio in _GIB_PER_OCPU} & set(sold)
            yield from (market.size(offering, ocpus, gib) for gib in sorted(wanted))
