"""The artifacts API, as far as container repositories go: they are kept, and stay empty."""

from collections.abc import Iterator
from typing import Any, Final

from emulator.cloud.http import Answer
from emulator.oci import account
from emulator.oci.core_api import BASE
from emulator.oci.errors import conflict
from emulator.oci.http import Call, Endpoint, check_compartment, check_etag, versioned
from emulator.oci.network_kinds import Kind
from emulator.oci.store import Record
from emulator.oci.world import World

REPOSITORIES: Final = Kind(
    path="container/repositories",
    model="ContainerRepository",
    ocid="containerrepo",
    required=("compartmentId", "displayName"),
    optional=("isImmutable", "isPublic", "readme", "freeformTags", "definedTags"),
    mutable=("isImmutable", "isPublic", "readme", "freeformTags", "definedTags"),
    defaults={"isImmutable": False, "isPublic": False},
    service="artifacts",
)
_EMPTY: Final[dict[str, Any]] = {
    "billableSizeInGBs": 0,
    "imageCount": 0,
    "layerCount": 0,
    "layersSizeInBytes": 0,
    "systemTags": {},
}
_NOT_IN_LISTS: Final = frozenset({"createdBy", "isImmutable", "readme"})


class Artifacts:
    """Create, show, change and delete container repositories."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        base = f"{BASE}/{REPOSITORIES.path}"
        yield Endpoint("POST", base, self._create)
        yield Endpoint("GET", base, self._list)
        yield Endpoint("GET", f"{base}/{{id}}", self._get)
        yield Endpoint("PUT", f"{base}/{{id}}", self._update)
        yield Endpoint("DELETE", f"{base}/{{id}}", self._delete)

    def _create(self, call: Call) -> Answer:
        details = call.object()
        check_compartment(details.get("compartmentId"))
        name = details.get("displayName")
        if any(record.value["displayName"] == name for record in self._world.store.all(REPOSITORIES)):
            raise conflict(f"the tenancy has a container repository '{name}' already")
        record = self._world.store.create(REPOSITORIES, details)
        record.value |= {**_EMPTY, "namespace": account.NAMESPACE, "createdBy": account.USER}
        return versioned(record.value, record.etag)

    def _get(self, call: Call) -> Answer:
        record = self._record(call)
        return versioned(record.value, record.etag)

    def _list(self, call: Call) -> Answer:
        compartment, name = call.required("compartmentId"), call.one("displayName")
        found = [
            {key: value for key, value in record.value.items() if key not in _NOT_IN_LISTS}
            for record in self._world.store.all(REPOSITORIES)
            if record.value["compartmentId"] == compartment and name in {None, record.value["displayName"]}
        ]
        totals = {"imageCount": 0, "layerCount": 0, "layersSizeInBytes": 0, "remainingItemsCount": 0}
        return Answer({**totals, "items": found, "repositoryCount": len(found)})

    def _update(self, call: Call) -> Answer:
        record = self._record(call)
        check_etag(call, record.etag)
        self._world.store.update(record, call.object())
        return versioned(record.value, record.etag)

    def _delete(self, call: Call) -> Answer:
        record = self._record(call)
        check_etag(call, record.etag)
        self._world.store.delete(record)
        return Answer(status=204)

    def _record(self, call: Call) -> Record:
        return self._world.store.get(REPOSITORIES, call.parameters["id"])
