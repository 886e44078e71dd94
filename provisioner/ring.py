"""The controller's last decisions that did something, each a record of its own in one folder.

`kubectl cp` brings one out of the pod; `plan --replay` and `explain --replay` then say what was decided
and why.
"""

from pathlib import Path

from provisioner.core.plan import Plan
from provisioner.record import Decision, RecordFault, dump


class Ring:
    """A folder with so many records; the oldest goes when one more comes."""

    def __init__(self, folder: Path, last: int) -> None:
        """Makes the folder; raises RecordFault where that cannot be."""
        self._folder, self._last = folder, last
        self._kept: Plan | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordFault(f"{folder}: cannot be made: {error.strerror}") from error

    def keep(self, decision: Decision, plan: Plan) -> None:
        """Record a decision by which something is done, unless it is the last one again; raises RecordFault."""
        if not plan.acts or plan == self._kept:
            return
        name = f"decision-{decision.now:%Y%m%dT%H%M%S.%fZ}.json"
        part = self._folder / f".{name}"
        try:
            part.write_text(f"{dump(decision, plan)}\n", encoding="utf-8")
            part.replace(self._folder / name)
            for old in sorted(self._folder.glob("decision-*.json"))[: -self._last]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise RecordFault(f"{self._folder}: cannot be written: {error.strerror}") from error
        self._kept = plan
