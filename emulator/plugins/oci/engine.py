"""Clusters, node pools and add-ons: made, changed and deleted in the background, by work requests."""

from typing import Any, Final

from emulator.plugins.oci.api import ENGINE
from emulator.plugins.oci.handler import OracleHandler
from emulator.plugins.oci.waiting import WORK_REQUEST, WorkRequest, in_use
from emulator.plugins.oci.wording import Words, to_api, to_pulumi
from emulator.plugins.provider import Change, Request
from emulator.plugins.rest.api import Api, ApiFault, Reply
from emulator.plugins.rest.handler import changes_of, unforgotten
from emulator.plugins.rest.waiting import patiently
from emulator.plugins.values import Properties

_WORDS: Final[Words] = {
    "state": "lifecycleState",
    "memoryInGbs": "memoryInGBs",
    "bootVolumeSizeInGbs": "bootVolumeSizeInGBs",
}
_GONE: Final = frozenset({"DELETED"})


class EngineHandler(OracleHandler):
    """Clusters and node pools."""

    named = True

    def __init__(
        self, path: str, entity: str, *replaced_by: str, split: frozenset[str] = frozenset()
    ) -> None:
        self._path = f"{ENGINE}/{path}"
        self._entity = entity
        self._split = split
        self.replaced_by = replaced_by
        self.words = _WORDS

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Order it and wait until it is there."""
        body = to_api(inputs, self.words)
        reply = patiently(request, lambda: api.call("POST", self._path, body))
        work = WorkRequest(api, reply)
        resource_id = work.identifier(self._entity)
        _finish(work, request, resource_id)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = api.get(f"{self._path}/{resource_id}")
        if live["lifecycleState"] in _GONE:
            raise ApiFault(404, "NotAuthorizedOrNotFound", f"{self._entity} {resource_id}")
        shown: Properties = to_pulumi(live, self.words)
        return shown

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed, and wait until it has."""
        body = to_api(changes_of(change, self._split), self.words)
        path = f"{self._path}/{request.id}"
        _finish(
            WorkRequest(api, patiently(request, lambda: api.call("PUT", path, body))), request, request.id
        )

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, and wait until it is gone."""
        del state
        self.read(api, request.id)
        path = f"{self._path}/{request.id}"
        _removed(api, request, patiently(request, lambda: api.call("DELETE", path), also=in_use))


class AddonHandler(OracleHandler):
    """Add-ons of a cluster, which have a name and no id of their own."""

    replaced_by = ("addonName", "clusterId")
    words: Words = {"state": "lifecycleState", "addonName": "name"}  # noqa: RUF012 -- a constant of the class

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Enable it and wait until it is active."""
        cluster, name = str(inputs["clusterId"]), str(inputs["addonName"])
        body = {
            "addonName": name,
            "version": inputs.get("version"),
            "configurations": inputs.get("configurations"),
            "isOverrideExisting": inputs.get("overrideExisting"),
        }
        told = to_api(body, {})
        reply = patiently(request, lambda: api.call("POST", f"{ENGINE}/clusters/{cluster}/addons", told))
        resource_id = f"clusters/{cluster}/addons/{name}"
        _finish(WorkRequest(api, reply), request, resource_id)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = api.get(f"{ENGINE}/{resource_id}")
        shown: Properties = to_pulumi({**live, "clusterId": resource_id.split("/")[1]}, self.words)
        return shown

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change version or configuration; the rest concerns Pulumi only."""
        new = changes_of(change)
        body = to_api({name: new[name] for name in ("version", "configurations") if name in new}, {})
        if not body:
            return
        path = f"{ENGINE}/{request.id}"
        _finish(
            WorkRequest(api, patiently(request, lambda: api.call("PUT", path, body))), request, request.id
        )

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Disable it."""
        query: dict[str, Any] = {
            "isRemoveExistingAddOn": str(bool(state.get("removeAddonResourcesOnDelete"))).lower()
        }
        path = f"{ENGINE}/{request.id}"
        _removed(api, request, patiently(request, lambda: api.call("DELETE", path, query=query), also=in_use))


def _finish(work: WorkRequest, request: Request, resource_id: str) -> None:
    """Wait; whatever ends the waiting, the resource is there and goes into the state."""
    with unforgotten(resource_id):
        work.wait(request)


def _removed(api: Api, request: Request, reply: Reply) -> None:
    if WORK_REQUEST in reply.headers:
        WorkRequest(api, reply).wait(request)
