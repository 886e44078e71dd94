"""The course of a run: what each variant's cluster had at what time, from the samples; pure.

Times are seconds since the variant's first sample: it is taken when the cluster is up.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from rich.console import RenderableType
from rich.table import Table

from experiments.fault import Fault
from experiments.published import VARIANTS
from experiments.record import Sample


@dataclass(frozen=True, slots=True)
class Step:
    """Nodes and US dollars per hour from a time on."""

    at_s: float
    nodes: int
    price_per_hour: Decimal


@dataclass(frozen=True, slots=True)
class Stay:
    """The time at an operating point."""

    point: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Change:
    """Nodes that came (positive) or went (negative) between two samples, and what there was then."""

    step: Step
    point: str
    machine: str
    count: int


@dataclass(frozen=True, slots=True)
class Course:
    """One variant's course."""

    variant: str
    steps: tuple[Step, ...]
    """Wherever something changed, and the last."""
    stays: tuple[Stay, ...]
    changes: tuple[Change, ...]
    """Empty where the samples do not say what machines there were."""


def courses(samples: Iterable[Sample]) -> tuple[Course, ...]:
    """A course for every variant that was seen, in the order of the tables.

    Raises:
        Fault: a sample's time is none.
    """
    seen: dict[str, list[Sample]] = {}
    for sample in samples:
        seen.setdefault(sample.variant, []).append(sample)
    return tuple(_course(variant, seen[variant]) for variant in VARIANTS if variant in seen)


def course_table(course: Course, labels: dict[str, str]) -> RenderableType:
    """What came and went, and when; `labels` names the operating points."""
    table = Table(title=f"{course.variant}: nodes that came (+) and went (-)", title_justify="left")
    table.add_column("after, min:s", no_wrap=True)
    table.add_column("load")
    table.add_column("nodes", justify="right")
    table.add_column("machine")
    table.add_column("nodes then", justify="right")
    table.add_column("$ per hour then", justify="right")
    for change in course.changes:
        minutes, seconds = divmod(round(change.step.at_s), 60)
        table.add_row(
            f"{minutes}:{seconds:02d}",
            labels[change.point],
            f"{change.count:+d}",
            change.machine,
            str(change.step.nodes),
            f"{change.step.price_per_hour:.4f}",
        )
    return table


def _course(variant: str, samples: Sequence[Sample]) -> Course:
    began = _time(samples[0])
    steps = [Step((_time(one) - began).total_seconds(), one.nodes, one.price_per_hour) for one in samples]
    return Course(
        variant=variant,
        steps=_where_it_changes(steps),
        stays=_stays(samples, steps),
        changes=_changes(samples, steps),
    )


def _where_it_changes(steps: Sequence[Step]) -> tuple[Step, ...]:
    kept = [
        after
        for before, after in pairwise(steps)
        if (before.nodes, before.price_per_hour) != (after.nodes, after.price_per_hour)
    ]
    last = [] if kept and kept[-1] is steps[-1] else [steps[-1]]
    return (steps[0], *kept, *last) if len(steps) > 1 else (steps[0],)


def _stays(samples: Sequence[Sample], steps: Sequence[Step]) -> tuple[Stay, ...]:
    starts = [
        index for index, one in enumerate(samples) if index == 0 or one.point != samples[index - 1].point
    ]
    ends = [*starts[1:], len(samples) - 1]
    return tuple(
        Stay(samples[start].point, steps[start].at_s, steps[end].at_s)
        for start, end in zip(starts, ends, strict=True)
    )


def _changes(samples: Sequence[Sample], steps: Sequence[Step]) -> tuple[Change, ...]:
    before: Counter[str] = Counter()
    changes = []
    for sample, step in zip(samples, steps, strict=True):
        now = Counter(sample.machines)
        changes += [
            Change(step, sample.point, machine, now[machine] - before[machine])
            for machine in sorted(now.keys() | before.keys())
            if now[machine] != before[machine]
        ]
        before = now
    return tuple(changes)


def _time(sample: Sample) -> datetime:
    try:
        return datetime.fromisoformat(sample.time)
    except ValueError as error:
        raise Fault(
            f"samples of {sample.variant}: {sample.time!r} is no time in ISO 8601; measure again"
        ) from error
