"""Repositories of images, at the Artifact Registry API."""

from collections.abc import Mapping
from typing import Any

from emulator.plugins.gcp.api import REGISTRY
from emulator.plugins.gcp.handler import GoogleHandler
from emulator.plugins.gcp.rows import Rows, alike, to_api, to_pulumi
from emulator.plugins.model import id_of
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.provider import Change, Request
from emulator.plugins.rest.api import Api
from emulator.plugins.rest.waiting import Unfinished, patiently
from emulator.plugins.values import Properties


class RepositoryHandler(GoogleHandler):
    """Repositories."""

    replaced_by = ("format", "location", "mode", "project", "repositoryId")
    own = ("location", "repositoryId")
    owners = frozenset({"labels"})
    rows: Rows = alike("description", "format", "labels", "mode")

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make it."""
        resource_id = id_of(request.token, inputs, request.name)
        path, body = f"{REGISTRY}/{resource_id.rpartition('/')[0]}", to_api(inputs, self.rows)
        query = {"repositoryId": inputs["repositoryId"]}
        _succeeded(patiently(request, lambda: api.call("POST", path, body, query)).body)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        _, project, _, location, _, repository = resource_id.split("/")
        live = api.get(f"{REGISTRY}/{resource_id}")
        told = to_pulumi(live, {**self.rows, **alike("createTime", "registryUri", "updateTime")})
        place = {"project": project, "location": location, "repositoryId": repository}
        return {**told, **place, "name": last(resource_id)}

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what is said of it."""
        names = sorted({str(one.path[0]) for one in self.changes(change)} & set(self.rows))
        body = {name: change.inputs.get(name) or ({} if name in self.owners else "") for name in names}
        path, mask = f"{REGISTRY}/{request.id}", {"updateMask": ",".join(names)}
        patiently(request, lambda: api.call("PATCH", path, body, mask))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, with the images that are in it."""
        del state
        _succeeded(patiently(request, lambda: api.call("DELETE", f"{REGISTRY}/{request.id}")).body)


def _succeeded(operation: Mapping[str, Any]) -> None:
    """See to it that an operation has done what was asked; the emulated cloud does so at once."""
    if error := operation.get("error"):
        raise Unfinished(str(error["message"]))
    if not operation.get("done"):
        raise Unfinished(f"operation {operation['name']} goes on")
