"""A decision as one document: everything that decided, so that it can be decided again anywhere.

The snapshot, the offerings, the policy, the time, and how many rounds of improvement the clock allowed. A
replay needs no clock, no cluster and no catalog file, and gives the same plan; where the planner itself has
changed since, the plan's fingerprint tells. The document's version follows from the fields of what is
recorded: a record of a provisioner that decides on other things is refused rather than half understood.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from provisioner.core.market import Catalog
from provisioner.core.plan import Plan
from provisioner.core.policy import Policy
from provisioner.core.snapshot import Snapshot

KIND: Final = "rightsize.io/decision"


class RecordFault(ValueError):
    """A record that cannot be written, or read again; the text is one line that names it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The arguments of `decide`."""

    snapshot: Snapshot
    catalog: Catalog
    policy: Policy
    now: datetime
    rounds: int
    """How often the budget said that there is time for another round."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision, as far as telling it from another goes."""

    price_per_hour: Decimal
    nodes: int
    fingerprint: str
    """Of everything that is carried out."""

    @classmethod
    def of(cls, plan: Plan) -> "Decided":
        """Without the lower bound, which is nobody's decision and takes its time."""
        acts = [
            plan.mode,
            [[str(each.spec), each.spec.digest, [pod.key for pod in each.pods]] for each in plan.nodes],
            [[each.node, [pod.key for pod in each.pods]] for each in plan.existing],
            [[each.pod.key, [reason.code for reason in each.reasons]] for each in plan.unplaced],
            [[step.node, step.action, step.pod.key if step.pod else ""] for step in plan.steps],
            [[pool.id, machine.id] for pool, machine in plan.overdue],
            [pool.id for pool in plan.disused],
            sorted(plan.repack.leaving) if plan.repack else [],
            plan.held,
        ]
        digest = hashlib.sha256(json.dumps(acts).encode()).hexdigest()
        return cls(plan.price_per_hour, len(plan.nodes), digest)


class Counted:
    """A budget that remembers how often it said yes."""

    def __init__(self, budget: Callable[[], bool]) -> None:
        self._budget = budget
        self.rounds = 0

    def __call__(self) -> bool:
        """Whether to go on."""
        more = self._budget()
        self.rounds += more
        return more


def budget_of(rounds: int) -> Callable[[], bool]:
    """A budget of so many rounds."""
    left = iter(range(rounds))
    return lambda: next(left, None) is not None


def budget_for(seconds: float, monotonic_s: Callable[[], float]) -> Callable[[], bool]:
    """A budget of so much time from now."""
    deadline_s = monotonic_s() + seconds
    return lambda: monotonic_s() < deadline_s


def dump(decision: Decision, plan: Plan) -> str:
    """The document, one line of JSON."""
    document = _Document(kind=KIND, version=version(), decided=Decided.of(plan), decision=decision)
    return document.model_dump_json()


def load(text: str | bytes, source: object) -> tuple[Decision, Decided]:
    """The decision of a document, and what came of it; raises RecordFault, which names `source`."""
    raw = _envelope(text, source)
    if raw.get("kind") != KIND:
        raise RecordFault(f"{source}: not a recorded decision: its kind is {raw.get('kind')!r}, not {KIND!r}")
    if raw.get("version") != version():
        raise RecordFault(
            f"{source}: recorded by another version of the provisioner ({raw.get('version')!r}, this one reads "
            f"{version()!r}): replay it with the version that recorded it"
        )
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RecordFault(
            f"{source}: damaged: {place}: {first['msg']} ({error.error_count()} faults)"
        ) from error
    return document.decision, document.decided


@cache
def version() -> str:
    """Follows from every field that is recorded, and its type."""
    schema = _without_words(TypeAdapter(Decision).json_schema())
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:12]


def write(decision: Decision, plan: Plan, path: Path) -> None:
    """Write the document to a file; raises RecordFault."""
    try:
        path.write_text(f"{dump(decision, plan)}\n", encoding="utf-8")
    except OSError as error:
        raise RecordFault(f"{path}: cannot be written: {error.strerror}") from error


def read(path: Path) -> tuple[Decision, Decided]:
    """Read the document of a file; raises RecordFault."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RecordFault(f"{path}: cannot be read: {error.strerror}") from error
    return load(text, path)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    version: str
    decided: Decided
    decision: Decision


def _without_words(schema: Any) -> Any:
    """A schema without what its docstrings say."""
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_words(value) for key, value in schema.items() if key != "description"}


def _envelope(text: str | bytes, source: object) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordFault(f"{source}: damaged: not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise RecordFault(f"{source}: not a recorded decision")
    return raw
