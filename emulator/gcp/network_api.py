"""The network part of the Compute Engine API, from the table of kinds."""

from collections.abc import Iterator
from typing import Any

from emulator.cloud.http import Answer
from emulator.gcp import account
from emulator.gcp.account import PROJECT
from emulator.gcp.errors import resource_not_found
from emulator.gcp.http import Call, Endpoint, page
from emulator.gcp.network_kinds import KINDS, SUBNETWORKS, Kind
from emulator.gcp.store import Record, path_of
from emulator.gcp.world import World


class NetworkApi:
    """Insert, show, change and delete resources of every kind."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        for kind in KINDS.values():
            yield from self._of(kind)
        base = _base(SUBNETWORKS)
        grow, access = "expandIpCidrRange", "setPrivateIpGoogleAccess"
        yield Endpoint("POST", f"{base}/{{name}}/{grow}", self._expand, f"compute.subnetworks.{grow}")
        yield Endpoint("POST", f"{base}/{{name}}/{access}", self._set_access, f"compute.subnetworks.{access}")

    def _of(self, kind: Kind) -> Iterator[Endpoint]:
        base, may = _base(kind), f"compute.{kind.service}"
        one = f"{base}/{{name}}"
        yield Endpoint("POST", base, lambda call: self._insert(kind, call), f"{may}.create")
        yield Endpoint("GET", base, lambda call: self._list(kind, call), f"{may}.list")
        yield Endpoint(
            "GET", one, lambda call: Answer(self._world.store.shown(self._record(kind, call))), f"{may}.get"
        )
        yield Endpoint("PATCH", one, lambda call: self._patch(kind, call), f"{may}.update")
        yield Endpoint("PUT", one, lambda call: self._patch(kind, call), f"{may}.update")
        yield Endpoint("DELETE", one, lambda call: self._delete(kind, call), f"{may}.delete")

    def _insert(self, kind: Kind, call: Call) -> Answer:
        region = _region(kind, call)
        record = self._world.store.insert(kind, region, call.object())
        return self._done("insert", kind, record.path, call)

    def _list(self, kind: Kind, call: Call) -> Answer:
        store, region = self._world.store, _region(kind, call)
        items = [store.shown(record) for record in store.all(kind, region)]
        return page(items, call, "items", kind=f"compute#{kind.model[0].lower()}{kind.model[1:]}List")

    def _patch(self, kind: Kind, call: Call) -> Answer:
        record = self._world.store.patch(self._record(kind, call), call.object())
        return self._done("patch", kind, record.path, call)

    def _delete(self, kind: Kind, call: Call) -> Answer:
        record = self._record(kind, call)
        self._world.store.delete(record)
        return self._done("delete", kind, record.path, call)

    def _expand(self, call: Call) -> Answer:
        record = self._record(SUBNETWORKS, call)
        self._world.store.expand(record, str(call.object().get("ipCidrRange")))
        return self._done("expandIpCidrRange", SUBNETWORKS, record.path, call)

    def _set_access(self, call: Call) -> Answer:
        wanted = {"privateIpGoogleAccess": bool(call.object().get("privateIpGoogleAccess"))}
        record = self._world.store.patch(self._record(SUBNETWORKS, call), wanted)
        return self._done("setPrivateIpGoogleAccess", SUBNETWORKS, record.path, call)

    def _record(self, kind: Kind, call: Call) -> Record:
        return self._world.store.get(path_of(kind, _region(kind, call), call.parameters["name"]))

    def _done(self, verb: str, kind: Kind, path: str, call: Call) -> Answer:
        self._world.charge_nats()
        region = _region(kind, call)
        scope = f"regions/{region}" if region else "global"
        operation: dict[str, Any] = self._world.compute.record(verb, scope, path, call.principal).json_value()
        return Answer(operation)


def _base(kind: Kind) -> str:
    place = "regions/{region}" if kind.regional else "global"
    return f"/compute/v1/projects/{{project}}/{place}/{kind.path}"


def _region(kind: Kind, call: Call) -> str | None:
    if not kind.regional:
        return None
    region = call.parameters["region"]
    if region not in account.regions():
        raise resource_not_found(f"projects/{PROJECT}/regions/{region}")
    return region
