"""The controller's last decisions that did something, each a record of its own in one folder.

`kubectl cp` brings one out of the pod; `plan --replay` and `explain --replay` then say what was decided
and why.
"""

from pathlib import Path

from provisioner.core.plan import Plan
from provisioner.record import Decision, RecordFault, dump


class Ring:
    """A folder with so many records, of so many bytes together; the oldest go when one more comes."""

    def __init__(self, folder: Path, last: int, most_bytes: int) -> None:
        """Makes the folder; raises RecordFault where that cannot be."""
        self._folder, self._last, self._most_bytes = folder, last, most_bytes
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
        text = f"{dump(decision, plan)}\n".encode()
        if len(text) > self._most_bytes:
            raise RecordFault(
                f"{self._folder}: a record of {len(text)} bytes is larger than {self._most_bytes}, which all may "
                "take: raise record_mib"
            )
        try:
            self._make_room(len(text))
            part.write_bytes(text)
            part.replace(self._folder / name)
        except OSError as error:
            raise RecordFault(f"{self._folder}: cannot be written: {error.strerror}") from error
        self._kept = plan

    def _make_room(self, size: int) -> None:
        """Remove the oldest before the new one is written: there is never more than may be."""
        left = self._most_bytes - size
        for at, old in enumerate(sorted(self._folder.glob("decision-*.json"), reverse=True), 1):
            left -= old.stat().st_size
            if at >= self._last or left < 0:
                old.unlink()
