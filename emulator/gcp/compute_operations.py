"""Operations of the Compute Engine API, of a zone, a region, or the whole project.

What they change has changed when the call is answered; what follows from it takes its time.
"""

import threading
from dataclasses import dataclass
from typing import Any, Final

from emulator.cloud.background import Background, Fault
from emulator.cloud.clock import Clock, rfc3339
from emulator.cloud.ids import Ids
from emulator.gcp.account import COMPUTE_URL, PROJECT
from emulator.gcp.principal import Principal
from emulator.gcp.state import number_of

TAKES_S: Final = 0.3
"""How long one takes; those of the real API take seconds."""
GLOBAL: Final = "global"


@dataclass(slots=True)
class ComputeOperation:
    """One operation; changed only under the cloud's lock."""

    name: str
    kind: str
    """`insert`, `compute.instanceGroupManagers.deleteInstances`, …"""
    scope: str
    """`global`, `regions/R` or `zones/Z`."""
    target: str
    """Path of what it changes."""
    user: str
    started_at: float
    done: bool = False
    ended_at: float | None = None

    def json_value(self) -> dict[str, Any]:
        """As the API shows it."""
        place, _, where = self.scope.partition("/")
        url = f"{COMPUTE_URL}/projects/{PROJECT}/{self.scope}"
        shown: dict[str, Any] = {
            "kind": "compute#operation",
            "id": number_of(self.name),
            "name": self.name,
            "operationType": self.kind,
            "targetLink": f"{COMPUTE_URL}/{self.target}",
            "targetId": number_of(self.target),
            "status": "DONE" if self.done else "RUNNING",
            "user": self.user,
            "progress": 100 if self.done else 0,
            "insertTime": rfc3339(self.started_at),
            "startTime": rfc3339(self.started_at),
            "selfLink": f"{url}/operations/{self.name}",
        }
        if where:
            shown[place.removesuffix("s")] = url
        if self.ended_at is not None:
            shown["endTime"] = rfc3339(self.ended_at)
        return shown


class ComputeOperations:
    """Every operation of the project."""

    def __init__(self, ids: Ids, clock: Clock, lock: threading.RLock) -> None:
        self._ids = ids
        self._clock = clock
        self._lock = lock
        self._changed = threading.Condition(lock)
        self._background = Background("INTERNAL")
        self._all: dict[str, ComputeOperation] = {}

    def get(self, scope: str, name: str) -> ComputeOperation | None:
        """An operation of a scope by its name."""
        found = self._all.get(name)
        return found if found is not None and found.scope == scope else None

    def of(self, scope: str) -> list[ComputeOperation]:
        """Those of a scope, oldest first."""
        return [operation for operation in self._all.values() if operation.scope == scope]

    def record(self, kind: str, scope: str, target: str, caller: Principal) -> ComputeOperation:
        """Note a change that was made; the operation is done a moment later."""
        with self._lock:
            now = self._clock.now()
            name = f"operation-{int(now * 1000)}-{self._ids.token(8)}"
            operation = ComputeOperation(name, kind, scope, target, caller.email, now)
            self._all[name] = operation
        self._background.run(
            f"{kind} {name[-8:]}",
            lambda: self._clock.wait(TAKES_S),
            lambda fault: self._finish(operation, fault),
        )
        return operation

    def wait(self, operation: ComputeOperation, timeout_s: float) -> None:
        """Return when it is done, or the time is over; the caller holds the lock, which is free meanwhile."""
        self._changed.wait_for(lambda: operation.done, timeout_s)

    def join(self, timeout_s: float) -> None:
        """Wait for the running operations."""
        self._background.join(timeout_s)

    def _finish(self, operation: ComputeOperation, _fault: Fault | None) -> None:
        with self._lock:
            operation.done = True
            operation.ended_at = self._clock.now()
            self._changed.notify_all()
