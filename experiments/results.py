"""What a run left in its folder, read once for the terminal's tables and for the report's page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import RenderableType

from experiments import evidence, explained, predictions
from experiments.adaptation import adaptation_table
from experiments.complexity import Judged, judge
from experiments.cost import Comparison, compare, measured_cells
from experiments.fault import Fault
from experiments.latency import LATENCIES, Latency
from experiments.latency_table import latency_table
from experiments.measured import Measured
from experiments.published import VARIANTS, published
from experiments.published import Latency as PublishedLatency
from experiments.record import RUN_FILE, Run, Sample, read
from experiments.scale_up import SCALE_UPS, ScaleUp
from experiments.scale_up_table import scale_up_table
from experiments.table import cost_table

OUT: Final = Path("build/experiments")


@dataclass(frozen=True, slots=True)
class Results:
    """A run's files. What few runs have is read when it is asked for, and empty where there is none."""

    folder: Path
    run: Run
    samples: tuple[Sample, ...]

    @property
    def comparison(self) -> Comparison:
        """The cost cells beside the published ones."""
        figures = published()
        return Comparison(
            cloud=self.run.cloud,
            accounting=self.run.accounting,
            mode=self.run.mode,
            reproduces=self.run.published,
            cells=compare(measured_cells(self.samples), figures.clouds[self.run.cloud].cost, figures.points),
            explained=explained.load(self.folder),
        )

    @property
    def latencies(self) -> Measured[Latency]:
        """Latency of real model servers."""
        return LATENCIES.load(self.folder)

    @property
    def known_latencies(self) -> Mapping[str, Mapping[str, PublishedLatency]]:
        """The published latencies of the run's cloud, by column and model."""
        return {str(column): row for column, row in published().clouds[self.run.cloud].latency.items()}

    @property
    def scale_ups(self) -> Measured[ScaleUp]:
        """Times from a load to enough workers."""
        return SCALE_UPS.load(self.folder)

    @property
    def answers(self) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        """What the models saw, by variant, model and picture."""
        return predictions.load(self.folder)

    @property
    def complexity(self) -> Mapping[str, Mapping[str, Judged]]:
        """Which changes each variant follows by itself; variants without evidence are left out."""
        found = {
            variant: judge(one, [sample for sample in self.samples if sample.variant == variant])
            for variant, one in evidence.load(self.folder).items()
        }
        return {variant: found[variant] for variant in VARIANTS if found.get(variant)}

    def complexity_table(self) -> RenderableType:
        """The table of operational effort for people."""
        return adaptation_table(self.run.cloud.upper(), self.complexity, published().complexity)

    def cost_table(self) -> RenderableType:
        """The cost table for people."""
        return cost_table(self.comparison, published().points)

    def latency_table(self) -> RenderableType:
        """The latency table for people, with a verdict on every cell."""
        figures = published()
        target_s = float(figures.load.latency_target_s)
        return latency_table(self.run, self.latencies, self.known_latencies, figures.points, target_s)

    def scale_up_table(self) -> RenderableType:
        """The table of scale-up times for people."""
        return scale_up_table(self.run, self.scale_ups, published().points)


def results(folder: Path, cloud: str) -> Results:
    """What a run on a cloud left.

    Raises:
        Fault: there is no run, it was on another cloud, or its files are not what a run writes.
    """
    run, samples = read(folder)
    if run.cloud != cloud:
        raise Fault(f"{folder}: a run on {run.cloud}, not on {cloud}; choose another --out")
    return Results(folder, run, samples)


def all_results(out: Path) -> tuple[Results, ...]:
    """Every run in a folder or in the folders in it: first those with the published settings, OKE before GKE.

    Raises:
        Fault: there is none, or the files of one are not what a run writes.
    """
    folders = [folder for folder in (out, *sorted(out.glob("*/"))) if (folder / RUN_FILE).is_file()]
    if not folders:
        raise Fault(
            f"{out}: no run there; measure first with `make demo`, or `python -m experiments run --cloud oke`"
        )
    found = [Results(folder, *read(folder)) for folder in folders]
    order = list(published().clouds)
    return tuple(sorted(found, key=lambda one: (not one.run.published, order.index(one.run.cloud))))


def folder_name(cloud: str, *, published: bool) -> str:
    """Name of the folder of a run, unless another is chosen."""
    return f"{cloud}-published" if published else cloud
