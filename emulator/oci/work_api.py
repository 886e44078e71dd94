"""Work requests as the container engine API shows them."""

from emulator.cloud.clock import rfc3339
from emulator.cloud.http import Answer
from emulator.oci.errors import not_found
from emulator.oci.http import Call, page
from emulator.oci.work_requests import WorkRequest
from emulator.oci.world import World


class WorkApi:
    """The operations on work requests."""

    def __init__(self, world: World) -> None:
        self._work = world.work

    def get(self, call: Call) -> Answer:
        """Show a work request."""
        return Answer(self._request(call).json_value())

    def list(self, call: Call) -> Answer:
        """Show those of a compartment, newest first, or those that concern one resource or cluster."""
        wanted = {value for name in ("resourceId", "clusterId") if (value := call.one(name)) is not None}
        statuses = set(call.query.get("status") or ())
        chosen = [
            request.json_value()
            for request in reversed(self._work.of(call.required("compartmentId")))
            if (not statuses or request.status in statuses)
            and wanted <= {touched.identifier for touched in request.touched}
        ]
        return page(chosen, call)

    def errors(self, call: Call) -> Answer:
        """Why a work request failed."""
        entries = self._request(call).errors
        return page(
            [{"code": code, "message": message, "timestamp": rfc3339(at)} for code, message, at in entries],
            call,
        )

    def logs(self, call: Call) -> Answer:
        """What a work request did."""
        entries = self._request(call).logs
        return page([{"message": message, "timestamp": rfc3339(at)} for message, at in entries], call)

    def _request(self, call: Call) -> WorkRequest:
        request = self._work.get(call.parameters["work_request_id"])
        if request is None:
            raise not_found(f"workrequest {call.parameters['work_request_id']}")
        return request
