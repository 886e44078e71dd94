"""Builder of a run's folder, written by the project's own writers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from experiments import predictions
from experiments.latency import LATENCIES, Latency
from experiments.published import VARIANTS, published, walk
from experiments.record import EMULATED, Recorder, Run, Sample
from experiments.results import folder_name
from experiments.scale_up import SCALE_UPS, ScaleUp

BEGAN: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CAT: Final = {"Egyptian_cat": 0.5234, "tabby": 0.2511, "tiger_cat": 0.1622}
SLOW: Final = Latency(0.11, 0.31, 0.42, 48, 0, 0.8, 0, 96)
SPLIT: Final = ScaleUp(50.0, 3, 8.0, 1.0, 12.0, 2.0, 20.0, 7.0)


@dataclass(frozen=True)
class Measured:
    """A run's folder, and what is still to be put there."""

    folder: Path

    def latency(self, p99_s: float = 0.42, **overrides: Any) -> "Measured":
        """Add a latency of both models at the peak of both."""
        one = replace(SLOW, p99_s=p99_s, **overrides)
        LATENCIES.store(self.folder, "peak", "right-sized", {"vgg16": one, "squeezenet1_1": one})
        return self

    def scale_up(self, variant: str = "right-sized", **overrides: Any) -> "Measured":
        """Add a scale-up of vgg16 in a variant."""
        SCALE_UPS.store(self.folder, "peak", variant, {"vgg16": replace(SPLIT, **overrides)})
        return self

    def answers(self, variant: str = "right-sized", answer: Mapping[str, Any] = CAT) -> "Measured":
        """Add what vgg16 saw in a variant."""
        predictions.store(self.folder, variant, "vgg16", {"cat": answer})
        return self


def measured(out: Path, cloud: str = "oke", *, reproduces: bool = True, **overrides: Any) -> Measured:
    """A run that found the published costs, in the folder where a run of these settings is looked for."""
    folder = out / folder_name(cloud, published=reproduces)
    recorder = Recorder(folder)
    recorder.begin(replace(_run(cloud, reproduces=reproduces), **overrides))
    for number, sample in enumerate(_samples(cloud)):
        recorder.add(replace(sample, time=(BEGAN + timedelta(seconds=10 * (number % 12))).isoformat()))
    return Measured(folder)


def _run(cloud: str, *, reproduces: bool) -> Run:
    figures = published()
    settings = figures.clouds[cloud].reproduced_by
    return Run(
        command=f"experiments run --cloud {cloud}",
        commit="0123abc",
        machine={"cpus": 2, "memory_bytes": 8 * 2**30, "system": "Linux x86_64", "python": "3.11.2"},
        cloud=cloud,
        published=reproduces,
        serving="modelled",
        accounting=settings.accounting,
        mode=settings.mode,
        families=settings.families,
        variants=VARIANTS,
        points=tuple(figures.points),
        started_at=BEGAN.isoformat(),
        finished_at=(BEGAN + timedelta(minutes=4, seconds=30)).isoformat(),
        world=EMULATED,
    )


def _samples(cloud: str) -> list[Sample]:
    """Each variant's walk: at every point three looks, of which the last is steady."""
    figures = published()
    order = walk(figures.points, tuple(figures.points))
    return [
        Sample("", variant, point, nodes, {"vgg16": 1}, price, look == 2, {"small, 1 vCPU, 4 GiB": nodes})
        for variant in VARIANTS
        for point in order
        for price in (Decimal(figures.clouds[cloud].cost[point][variant]),)
        for nodes in (2 + len(figures.points[point].peak) * 3,)
        for look in range(3)
    ]
