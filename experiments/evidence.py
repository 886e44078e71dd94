"""A file of a run with what tells how much a variant leaves to its operator: the evidence of `table complexity`.

Written by the runner while the stack is there, read by the tables.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from experiments.kept import read_kept

EVIDENCE_FILE: Final = "complexity.json"

MAX_WORKERS: Final = "max_workers"
WORKER_SIZE: Final = "worker_size"
OFFERINGS: Final = "offerings"
CHANGES: Final = (MAX_WORKERS, WORKER_SIZE, OFFERINGS)
"""Kinds of changes: of the most workers, of a worker's size, of what the cloud has and offers."""

Value = str | int | float | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A value that was read, and where."""

    resource: str
    """Kind and name of a declared resource, or the run's own file."""
    property: str
    value: Value

    def __str__(self) -> str:
        """In words, without the resource."""
        value = " and ".join(self.value) or "any" if isinstance(self.value, tuple) else self.value
        return f"{self.property} = {'none' if value is None else value}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that the provisioner's planner was asked about, by the settings in force."""

    change: str
    """One of `CHANGES`."""
    question: str
    answer: str
    served: bool
    """Whether every worker would have a node."""
    decides: bool = True
    """Whether the judgement follows from it; others are told beside it."""

    def __str__(self) -> str:
        """In words."""
        return f"{self.question}: {self.answer}"


@dataclass(frozen=True, slots=True)
class Pool:
    """A declared pool of inference nodes. One of its two numbers is there."""

    machine: Read
    fixed: Read | None = None
    """So many nodes, until somebody declares another number."""
    most: Read | None = None
    """As many as an autoscaler wants, up to so many."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read of one variant's stack, and asked of its provisioner."""

    pools: tuple[Pool, ...] = ()
    other_pools: tuple[str, ...] = ()
    """Names of declared pools that are not for inference."""
    workers: tuple[Read, ...] = ()
    """The most workers of each model."""
    settings: tuple[Read, ...] = ()
    """Of the provisioner, where there is one."""
    asked: tuple[Asked, ...] = ()
    unknown: str = ""
    """Why the provisioner's planner could not be asked."""


_FILE: Final = TypeAdapter(dict[str, Evidence])


def store(folder: Path, variant: str, one: Evidence) -> None:
    """Add what is known of a variant, or replace it."""
    known = {**load(folder), variant: one}
    text = json.dumps({"variants": {name: asdict(each) for name, each in known.items()}}, indent=2) + "\n"
    (folder / EVIDENCE_FILE).write_text(text, encoding="utf-8")


def load(folder: Path) -> Mapping[str, Evidence]:
    """What a run found, by variant; empty when nothing.

    Raises:
        Fault: the file is not what a run writes.
    """
    return read_kept(folder / EVIDENCE_FILE, "variants", _FILE.validate_python) or {}
