"""The Artifact Registry API, as far as repositories go: they are kept, and stay empty."""

import re
from collections.abc import Iterator
from typing import Any, Final

from emulator.cloud.clock import rfc3339
from emulator.cloud.http import Answer
from emulator.gcp import account
from emulator.gcp.account import PROJECT
from emulator.gcp.errors import already_exists, invalid, not_found
from emulator.gcp.http import Call, Endpoint, page
from emulator.gcp.state import digest
from emulator.gcp.world import World

_SERVICE: Final = "artifactregistry.repositories"
_ID: Final = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_FORMATS: Final = ("DOCKER",)
_ACCEPTED: Final = frozenset({"name", "format", "description", "labels", "mode"})
_MUTABLE: Final = frozenset({"description", "labels"})
_TYPE: Final = "type.googleapis.com/google.devtools.artifactregistry.v1.Repository"


class RegistryApi:
    """Create, show, change and delete repositories; what takes a while there is done at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        base = "/v1/projects/{project}/locations/{location}/repositories"
        one = f"{base}/{{name}}"
        yield Endpoint("POST", base, self._create, f"{_SERVICE}.create")
        yield Endpoint("GET", base, self._list, f"{_SERVICE}.list")
        yield Endpoint("GET", one, lambda call: Answer(self._repository(call)), f"{_SERVICE}.get")
        yield Endpoint("PATCH", one, self._update, f"{_SERVICE}.update")
        yield Endpoint("DELETE", one, self._delete, f"{_SERVICE}.delete")

    def _create(self, call: Call) -> Answer:
        location, wanted = call.parameters["location"], call.object()
        name = call.one("repositoryId") or ""
        _check(location, name, wanted)
        path = f"projects/{PROJECT}/locations/{location}/repositories/{name}"
        if path in self._world.repositories:
            raise already_exists(path)
        now = rfc3339(self._world.clock.now())
        repository = {
            "mode": "STANDARD_REPOSITORY",
            **wanted,
            "name": path,
            "createTime": now,
            "updateTime": now,
            "registryUri": f"{location}-docker.pkg.dev/{PROJECT}/{name}",
        }
        self._world.repositories[path] = repository
        return _done(path, {"@type": _TYPE, **repository})

    def _list(self, call: Call) -> Answer:
        parent = f"projects/{PROJECT}/locations/{call.parameters['location']}/"
        found = [one for path, one in self._world.repositories.items() if path.startswith(parent)]
        return page(found, call, "repositories")

    def _update(self, call: Call) -> Answer:
        repository, wanted = self._repository(call), call.object()
        fixed = sorted(set(wanted) - _MUTABLE - {"name"})
        if fixed:
            raise invalid("; ".join(f"{name}: cannot be changed" for name in fixed))
        repository |= {**wanted, "updateTime": rfc3339(self._world.clock.now())}
        return Answer(repository)

    def _delete(self, call: Call) -> Answer:
        path = str(self._repository(call)["name"])
        del self._world.repositories[path]
        return _done(path, {"@type": "type.googleapis.com/google.protobuf.Empty"})

    def _repository(self, call: Call) -> dict[str, Any]:
        location, name = call.parameters["location"], call.parameters["name"]
        path = f"projects/{PROJECT}/locations/{location}/repositories/{name}"
        repository = self._world.repositories.get(path)
        if repository is None:
            raise not_found(path)
        return repository


def _check(location: str, name: str, wanted: dict[str, Any]) -> None:
    faults = [f"{key}: not a field of a repository" for key in sorted(set(wanted) - _ACCEPTED)]
    if location not in account.regions():
        faults.append(f"location: '{location}' is not a region")
    if not _ID.fullmatch(name):
        faults.append(
            f"repositoryId: '{name}' must have 1 to 63 lowercase letters, digits and dashes, "
            "and begin with a letter"
        )
    if wanted.get("format") not in _FORMATS:
        faults.append(f"format: '{wanted.get('format')}' must be {' or '.join(_FORMATS)} here")
    if faults:
        raise invalid("; ".join(faults))


def _done(path: str, response: dict[str, Any]) -> Answer:
    """A finished operation of the kind that all newer APIs have."""
    parent = path.rpartition("/repositories/")[0]
    return Answer({"name": f"{parent}/operations/{digest(path, 32)}", "done": True, "response": response})
