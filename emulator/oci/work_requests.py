"""Work requests: the record of every operation that goes on after its call was answered.

One at a time per resource, as on the real container engine.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.cloud.background import Background, Fault
from emulator.cloud.clock import Clock, rfc3339
from emulator.cloud.ids import Ids
from emulator.oci.errors import incorrect_state

LOG: Final = logging.getLogger(__name__)

ACCEPTED: Final = "ACCEPTED"
IN_PROGRESS: Final = "IN_PROGRESS"
SUCCEEDED: Final = "SUCCEEDED"
FAILED: Final = "FAILED"
RELATED: Final = "RELATED"
FINISHED: Final = frozenset({SUCCEEDED, FAILED})


@dataclass(frozen=True, slots=True)
class Touched:
    """A resource of an operation."""

    entity: str
    """`cluster`, `nodepool` or `addon`, as the API spells it."""
    identifier: str
    uri: str
    outcome: str
    """The action type once the operation has succeeded; `RELATED` does not lock the resource."""


@dataclass(slots=True)
class WorkRequest:
    """One operation; changed only under the cloud's lock."""

    id: str
    operation: str
    compartment_id: str
    touched: tuple[Touched, ...]
    accepted_at: float
    status: str = ACCEPTED
    started_at: float | None = None
    finished_at: float | None = None
    errors: list[tuple[str, str, float]] = field(default_factory=list)
    logs: list[tuple[str, float]] = field(default_factory=list)

    def json_value(self) -> dict[str, Any]:
        """As the API shows it."""
        times = {"timeStarted": self.started_at, "timeFinished": self.finished_at}
        return {
            "id": self.id,
            "operationType": self.operation,
            "status": self.status,
            "compartmentId": self.compartment_id,
            "resources": [self._resource(touched) for touched in self.touched],
            "timeAccepted": rfc3339(self.accepted_at),
            **{name: rfc3339(at) for name, at in times.items() if at is not None},
        }

    def _resource(self, touched: Touched) -> dict[str, Any]:
        action = touched.outcome
        if action != RELATED and self.status != SUCCEEDED:
            action = FAILED if self.status == FAILED else IN_PROGRESS
        return {
            "actionType": action,
            "entityType": touched.entity,
            "identifier": touched.identifier,
            "entityUri": touched.uri,
        }


class WorkRequests:
    """Every work request of a cloud, and the threads that carry them out."""

    def __init__(self, ids: Ids, clock: Clock, lock: threading.RLock) -> None:
        self._ids = ids
        self._clock = clock
        self._lock = lock
        self._all: dict[str, WorkRequest] = {}
        self._background = Background("InternalError")

    def get(self, work_request_id: str) -> WorkRequest | None:
        """A work request by its id."""
        return self._all.get(work_request_id)

    def of(self, compartment_id: str) -> list[WorkRequest]:
        """Those of a compartment, oldest first."""
        return [request for request in self._all.values() if request.compartment_id == compartment_id]

    def check_free(self, *identifiers: str) -> None:
        """Refuse to touch what another operation is working on.

        Raises:
            ApiError: 409, naming the resource and the operation.
        """
        for request in self._all.values():
            if request.status in FINISHED:
                continue
            for touched in request.touched:
                if touched.outcome != RELATED and touched.identifier in identifiers:
                    raise incorrect_state(
                        f"{touched.entity} {touched.identifier} is in use by work request {request.id} "
                        f"({request.operation}); try again when it has finished"
                    )

    def submit(
        self,
        operation: str,
        compartment_id: str,
        touched: Iterable[Touched],
        carry_out: Callable[[WorkRequest], None],
    ) -> WorkRequest:
        """Record an operation and begin to carry it out in a thread of its own.

        `OperationFailed` from `carry_out` makes it FAILED; it is called without the cloud's lock.
        """
        with self._lock:
            request = WorkRequest(
                self._ids.next("clustersworkrequest"),
                operation,
                compartment_id,
                tuple(touched),
                self._clock.now(),
            )
            self._all[request.id] = request
        self._background.run(
            f"{operation} {request.id[-6:]}",
            lambda: self._carry_out(request, carry_out),
            lambda fault: self._finish(request, fault),
        )
        return request

    def log(self, request: WorkRequest, message: str) -> None:
        """Add a line to the record of an operation."""
        with self._lock:
            request.logs.append((message, self._clock.now()))
        LOG.info("%s %s: %s", request.operation, request.id[-6:], message)

    def join(self, timeout_s: float) -> None:
        """Wait for the running operations, for example at the end of a test or of the cloud."""
        self._background.join(timeout_s)

    def _carry_out(self, request: WorkRequest, carry_out: Callable[[WorkRequest], None]) -> None:
        with self._lock:
            request.status = IN_PROGRESS
            request.started_at = self._clock.now()
        carry_out(request)

    def _finish(self, request: WorkRequest, error: Fault | None) -> None:
        now = self._clock.now()
        with self._lock:
            if error is not None:
                request.errors.append((*error, now))
                LOG.warning("%s %s failed: %s: %s", request.operation, request.id[-6:], *error)
            request.status = SUCCEEDED if error is None else FAILED
            request.finished_at = now
