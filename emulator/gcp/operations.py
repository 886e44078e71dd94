"""Operations of the container API: one at a time for each cluster, carried out after the call was answered."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from emulator.cloud.background import Background, Fault
from emulator.cloud.clock import Clock, rfc3339
from emulator.cloud.ids import Ids
from emulator.gcp.account import CONTAINER_URL, PROJECT, PROJECT_NUMBER
from emulator.gcp.errors import precondition
from emulator.gcp.state import Cluster

PENDING: Final = "PENDING"
RUNNING: Final = "RUNNING"
DONE: Final = "DONE"
BUSY: Final = "CLUSTER_ALREADY_HAS_OPERATION"
_CODES: Final[Mapping[str, int]] = MappingProxyType(
    {"INVALID_ARGUMENT": 3, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "INTERNAL": 13}
)
"""Canonical codes by name."""


@dataclass(slots=True)
class Operation:
    """One operation; changed only under the cloud's lock."""

    name: str
    kind: str
    """`CREATE_CLUSTER`, …"""
    location: str
    cluster: str
    """Id of the cluster that it occupies."""
    target: str
    """Id of what it changes."""
    started_at: float
    status: str = PENDING
    ended_at: float | None = None
    detail: str = ""
    fault: Fault | None = None

    def json_value(self) -> dict[str, Any]:
        """As the API shows it."""
        project = f"projects/{PROJECT_NUMBER}/locations/{self.location}"
        shown: dict[str, Any] = {
            "name": self.name,
            "operationType": self.kind,
            "status": self.status,
            "selfLink": f"{CONTAINER_URL}/{project}/operations/{self.name}",
            "targetLink": f"{CONTAINER_URL}/{self.target}".replace(PROJECT, PROJECT_NUMBER, 1),
            "startTime": rfc3339(self.started_at),
            "zone": self.location,
            "location": self.location,
        }
        if self.detail:
            shown["detail"] = self.detail
        if self.ended_at is not None:
            shown["endTime"] = rfc3339(self.ended_at)
        if self.fault is not None:
            code, message = self.fault
            shown["statusMessage"] = message
            shown["error"] = {"code": _CODES[code], "message": message}
        return shown


class Operations:
    """Every operation of a cloud, and the threads that carry them out."""

    def __init__(self, ids: Ids, clock: Clock, lock: threading.RLock) -> None:
        self._ids = ids
        self._clock = clock
        self._lock = lock
        self._background = Background("INTERNAL")
        self._all: dict[str, Operation] = {}

    def get(self, name: str) -> Operation | None:
        """An operation by its name."""
        return self._all.get(name)

    def all(self) -> tuple[Operation, ...]:
        """Every operation, oldest first."""
        return tuple(self._all.values())

    def check_free(self, cluster: Cluster) -> None:
        """Refuse to touch a cluster on which another operation runs.

        Raises:
            ApiError: 400 with the reason that clients wait for.
        """
        for operation in self._all.values():
            if operation.cluster == cluster.id and operation.status != DONE:
                message = (
                    f"Cluster is running incompatible operation {operation.name} ({operation.kind}). "
                    "Please wait and try again once it is done."
                )
                raise precondition(message, BUSY)

    def submit(
        self, kind: str, cluster: Cluster, target: str, carry_out: Callable[[Operation], None]
    ) -> Operation:
        """Record an operation and begin to carry it out in a thread of its own.

        `OperationFailed` from `carry_out` becomes its error; it is called without the cloud's lock.
        """
        with self._lock:
            now = self._clock.now()
            name = f"operation-{int(now * 1000)}-{self._ids.token(8)}"
            operation = Operation(name, kind, cluster.location, cluster.id, target, now)
            self._all[name] = operation
        self._background.run(
            f"{kind} {name[-8:]}",
            lambda: self._carry_out(operation, carry_out),
            lambda fault: self._finish(operation, fault),
        )
        return operation

    def join(self, timeout_s: float) -> None:
        """Wait for the running operations, for example at the end of a test or of the cloud."""
        self._background.join(timeout_s)

    def _carry_out(self, operation: Operation, carry_out: Callable[[Operation], None]) -> None:
        with self._lock:
            operation.status = RUNNING
        carry_out(operation)

    def _finish(self, operation: Operation, fault: Fault | None) -> None:
        with self._lock:
            operation.fault = fault
            operation.status = DONE
            operation.ended_at = self._clock.now()
