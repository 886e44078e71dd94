"""The files of a run: `run.json` says how it was made, `samples.jsonl` what was seen.

Written by the runner while it measures, read by the tables; an interrupted run leaves what it
had measured.
"""

import json
import threading
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from experiments.evidence import EVIDENCE_FILE
from experiments.explained import LEAST_FILE
from experiments.fault import Fault
from experiments.kept import first_fault
from experiments.latency import LATENCIES
from experiments.predictions import PREDICTIONS_FILE
from experiments.scale_up import SCALE_UPS

RUN_FILE: Final = "run.json"
SAMPLES_FILE: Final = "samples.jsonl"

EMULATED: Final = "emulated"
LIVE: Final = "live"
GIVEN: Final = "given"
"""Worlds of a run: an emulated cloud of its own, the real cloud, or a cluster that was already there."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation of a variant at an operating point.

    `time` is UTC in ISO 8601, `nodes` counts registered nodes, `price_per_hour` is US dollars.
    `machines` counts them by what they are, and is empty in older files. `steady` marks the
    observation that completed a steady state: the cell of the cost table.
    """

    time: str
    variant: str
    point: str
    nodes: int
    replicas: dict[str, int]
    price_per_hour: Decimal
    steady: bool = False
    machines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """How a run was made; `seed` belongs to real serving, modelled load draws nothing at random."""

    command: str
    commit: str
    machine: dict[str, Any]
    cloud: str
    published: bool
    serving: str
    accounting: str
    mode: str
    families: tuple[str, ...]
    """Families the provisioner chose from; empty means every family of the catalog."""
    variants: tuple[str, ...]
    points: tuple[str, ...]
    started_at: str
    finished_at: str | None = None
    seed: int = 0
    notes: tuple[str, ...] = field(default=())
    world: str = ""
    """One of the worlds above; empty in older files."""


_RUN: Final = TypeAdapter(Run)
_SAMPLE: Final = TypeAdapter(Sample)


class Recorder:
    """Writes the files of one run; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()

    def begin(self, run: Run) -> None:
        """Replace what an earlier run left."""
        self.describe(run)
        (self._folder / SAMPLES_FILE).write_text("", encoding="utf-8")
        for name in (LATENCIES.name, PREDICTIONS_FILE, SCALE_UPS.name, LEAST_FILE, EVIDENCE_FILE):
            (self._folder / name).unlink(missing_ok=True)

    def describe(self, run: Run) -> None:
        """Write `run.json`."""
        text = json.dumps(asdict(run), indent=2) + "\n"
        (self._folder / RUN_FILE).write_text(text, encoding="utf-8")

    def add(self, sample: Sample) -> None:
        """Append a sample."""
        line = json.dumps({**asdict(sample), "price_per_hour": float(sample.price_per_hour)})
        with self._lock, (self._folder / SAMPLES_FILE).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def read(folder: Path) -> tuple[Run, tuple[Sample, ...]]:
    """What a run left in its folder.

    Raises:
        Fault: when there is no run, or its files are not what a run writes.
    """
    for name in (RUN_FILE, SAMPLES_FILE):
        if not (folder / name).is_file():
            raise Fault(f"{folder}: no {name} there; measure first with `python -m experiments run`")
    try:
        run = _RUN.validate_json((folder / RUN_FILE).read_text(encoding="utf-8"))
    except ValidationError as error:
        raise Fault(f"{folder / RUN_FILE}: {first_fault(error)}; measure again") from error
    return run, tuple(_samples(folder / SAMPLES_FILE))


def _samples(path: Path) -> list[Sample]:
    samples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            # By way of Python's floats: the shortest text of a price is the price.
            samples.append(_SAMPLE.validate_python(json.loads(line, parse_float=Decimal)))
        except ValueError as error:
            reason = first_fault(error) if isinstance(error, ValidationError) else str(error)
            raise Fault(f"{path}, line {number}: {reason}; measure again") from error
    return samples
