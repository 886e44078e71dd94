"""The published experiment as frozen values: what every table of ours stands beside.

Read by the runner (operating points, the settings that reproduce the tables) and by the tables.
The file is ours and checked in, so a fault in it is a bug and raises pydantic's own error.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE: Final = Path(__file__).with_name("published.yaml")

VARIANTS: Final = ("max-sized", "dynamic", "right-sized")

Price = Annotated[Decimal, Field(ge=0)]
"""US dollars per hour."""
Seconds = Annotated[Decimal, Field(gt=0)]

CostTable = Mapping[str, Mapping[str, Decimal]]
"""Operating point, then variant, to US dollars per hour."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """Where the figures come from."""

    title: str
    author: str
    event: str


class Model(_Frozen):
    """A deep-learning model of the workload; weights are counted, not bytes."""

    task: str
    weights: int


class Load(_Frozen):
    """How the talk made its peak load."""

    generator: str
    threads: int
    request: str
    hpa_cpu_utilisation_percent: int
    latency_target_s: Seconds


class Point(_Frozen):
    """An operating point: the models named in `peak` are at peak, the others idle."""

    label: str
    peak: tuple[str, ...]


class Settings(_Frozen):
    """Settings of stack, provisioner and cloud under which the published tables come out."""

    accounting: Literal["documented", "nominal"]
    mode: str
    families: tuple[str, ...]


class Management(_Frozen):
    """The statically allocated management nodes."""

    shape: str
    size: str
    count: int
    price_per_hour: Price


class Worker(_Frozen):
    """A model's worker pod in one variant and the node each pod of it gets."""

    cpu: str
    memory: str
    gpus: int
    max_workers: int
    node: str
    price_per_hour: Price


class Latency(_Frozen):
    """End-to-end latency with both models at peak."""

    p95_s: Seconds
    p99_s: Seconds


class Cloud(_Frozen):
    """What the talk says of one cloud."""

    reproduced_by: Settings
    management: Management
    variants: Mapping[str, Mapping[str, Worker]]
    other_prices: Mapping[str, Price]
    cost: Mapping[str, Mapping[str, Price]]
    latency: Mapping[Literal["right-sized", "gpu"], Mapping[str, Latency]]


class Adapts(_Frozen):
    """Whether a variant adapts by itself to a kind of change."""

    max_workers: bool
    worker_size: bool
    offerings: bool


class Published(_Frozen):
    """All figures of the talk."""

    source: Source
    models: Mapping[str, Model]
    load: Load
    points: Mapping[str, Point]
    clouds: Mapping[str, Cloud]
    complexity: Mapping[str, Adapts]


@cache
def published() -> Published:
    """The checked-in figures, parsed once."""
    return Published.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def walk(points: Mapping[str, Point], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The wanted points in the order of a walk that changes as few models at a time as it can.

    From no load on, each step goes to the nearest point not yet visited; ties are broken by the
    smaller load, then by the order of the table. All four published points differ from their
    predecessor in one model.
    """
    left = [name for name in points if name in wanted]
    order: list[str] = []
    here: frozenset[str] = frozenset()
    while left:
        nearest = min(left, key=lambda name: (len(here ^ set(points[name].peak)), len(points[name].peak)))
        left.remove(nearest)
        order.append(nearest)
        here = frozenset(points[nearest].peak)
    return tuple(order)
