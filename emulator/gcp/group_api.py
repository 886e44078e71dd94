"""The Compute Engine API of instance groups, of their instances, and of operations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from emulator.cloud.http import Answer
from emulator.gcp import account
from emulator.gcp.account import PROJECT
from emulator.gcp.compute_operations import GLOBAL, ComputeOperation
from emulator.gcp.errors import invalid, resource_not_found
from emulator.gcp.group_json import group_json, instance_json, managed_json, trouble_json
from emulator.gcp.groups import MOST_PER_CALL, Groups
from emulator.gcp.http import Call, Endpoint, page
from emulator.gcp.state import Cluster, Group, Instance, NodePool
from emulator.gcp.world import World

BASE: Final = "/compute/v1/projects/{project}"
_WAIT_S: Final = 120.0
_GROUPS: Final = "compute.instanceGroupManagers"
_Found = tuple[Cluster, NodePool, Group]


class GroupApi:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._groups = Groups(world)

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        zone = f"{BASE}/zones/{{zone}}"
        groups, one = f"{zone}/instanceGroupManagers", f"{zone}/instanceGroupManagers/{{group}}"
        yield Endpoint("GET", groups, self._list_groups, f"{_GROUPS}.list")
        yield Endpoint("GET", one, self._get_group, f"{_GROUPS}.get")
        yield Endpoint("POST", f"{one}/deleteInstances", self._delete_instances, f"{_GROUPS}.update")
        yield Endpoint("POST", f"{one}/listManagedInstances", self._list_managed, f"{_GROUPS}.get")
        yield Endpoint("GET", f"{one}/listErrors", self._list_errors, f"{_GROUPS}.get")
        yield Endpoint("POST", f"{one}/resize", self._resize, f"{_GROUPS}.update")
        instances = f"{zone}/instances"
        yield Endpoint("GET", instances, self._list_instances, "compute.instances.list")
        yield Endpoint("GET", f"{instances}/{{instance}}", self._get_instance, "compute.instances.get")
        yield Endpoint(
            "DELETE", f"{instances}/{{instance}}", self._delete_instance, "compute.instances.delete"
        )
        every = f"{BASE}/aggregated"
        yield Endpoint("GET", f"{every}/instanceGroupManagers", self._all_groups, f"{_GROUPS}.list")
        yield Endpoint("GET", f"{every}/instances", self._all_instances, "compute.instances.list")
        for place, kind in (("zones/{zone}", "zone"), ("regions/{region}", "region"), (GLOBAL, "global")):
            base, may = f"{BASE}/{place}/operations", f"compute.{kind}Operations"
            yield Endpoint("GET", base, self._list_operations, f"{may}.list")
            yield Endpoint("GET", f"{base}/{{operation}}", self._get_operation, f"{may}.get")
            yield Endpoint("POST", f"{base}/{{operation}}/wait", self._wait, f"{may}.get")

    def _list_groups(self, call: Call) -> Answer:
        zone = _zone(call)
        shown = [group_json(pool, group) for _, pool, group in self._world.groups() if group.zone == zone]
        return page(shown, call, "items", kind="compute#instanceGroupManagerList")

    def _get_group(self, call: Call) -> Answer:
        _, pool, group = self._group(call)
        return Answer(group_json(pool, group))

    def _delete_instances(self, call: Call) -> Answer:
        cluster, _, group = self._group(call)
        wanted = call.object()
        names = [_name_of(group, str(url)) for url in wanted.get("instances") or ()]
        if not names:
            raise invalid("Required field 'instances' not specified")
        skip = bool(wanted.get("skipInstancesOnValidationError"))
        self._groups.delete(cluster, group, names, skip_unknown=skip)
        return self._done("compute.instanceGroupManagers.deleteInstances", group, call)

    def _list_managed(self, call: Call) -> Answer:
        _, _, group = self._group(call)
        shown = [managed_json(group, instance) for instance in group.instances.values()]
        answer = page(shown, call, "managedInstances")
        return answer if shown else Answer({})

    def _list_errors(self, call: Call) -> Answer:
        _, _, group = self._group(call)
        return page([trouble_json(group, *trouble) for trouble in group.troubles], call, "items")

    def _resize(self, call: Call) -> Answer:
        cluster, pool, group = self._group(call)
        size = call.one("size") or ""
        if not size.isdigit() or int(size) > MOST_PER_CALL:
            raise invalid(f"Invalid value for field 'size': '{size}'. Must be from 0 to {MOST_PER_CALL}.")
        self._groups.resize(cluster, pool, group, int(size))
        return self._done("compute.instanceGroupManagers.resize", group, call)

    def _list_instances(self, call: Call) -> Answer:
        zone = _zone(call)
        shown = [instance_json(*found) for found in self._instances() if found[2].zone == zone]
        return page(shown, call, "items", kind="compute#instanceList")

    def _get_instance(self, call: Call) -> Answer:
        return Answer(instance_json(*self._instance(call)))

    def _delete_instance(self, call: Call) -> Answer:
        cluster, pool, group, instance = self._instance(call)
        self._groups.replace(cluster, pool, group, instance)
        path = f"projects/{PROJECT}/zones/{group.zone}/instances/{instance.name}"
        operation = self._world.compute.record("delete", f"zones/{group.zone}", path, call.principal)
        return Answer(operation.json_value())

    def _all_groups(self, call: Call) -> Answer:
        pairs = [(group.zone, group_json(pool, group)) for _, pool, group in self._world.groups()]
        return aggregated(pairs, "instanceGroupManagers", call)

    def _all_instances(self, call: Call) -> Answer:
        pairs = [(found[2].zone, instance_json(*found)) for found in self._instances()]
        return aggregated(pairs, "instances", call)

    def _list_operations(self, call: Call) -> Answer:
        shown = [operation.json_value() for operation in self._world.compute.of(_scope(call))]
        return page(shown, call, "items", kind="compute#operationList")

    def _get_operation(self, call: Call) -> Answer:
        return Answer(self._operation(call).json_value())

    def _wait(self, call: Call) -> Answer:
        operation = self._operation(call)
        self._world.compute.wait(operation, _WAIT_S)
        return Answer(operation.json_value())

    def _done(self, kind: str, group: Group, call: Call) -> Answer:
        scope = f"zones/{group.zone}"
        return Answer(self._world.compute.record(kind, scope, group.path, call.principal).json_value())

    def _operation(self, call: Call) -> ComputeOperation:
        scope, name = _scope(call), call.parameters["operation"]
        found = self._world.compute.get(scope, name)
        if found is None:
            raise resource_not_found(f"projects/{PROJECT}/{scope}/operations/{name}")
        return found

    def _group(self, call: Call) -> _Found:
        zone, name = _zone(call), call.parameters["group"]
        for found in self._world.groups():
            if (found[2].zone, found[2].name) == (zone, name):
                return found
        raise resource_not_found(f"projects/{PROJECT}/zones/{zone}/instanceGroupManagers/{name}")

    def _instances(self) -> Iterator[tuple[Cluster, NodePool, Group, Instance]]:
        for cluster, pool, group in self._world.groups():
            for instance in group.instances.values():
                if instance.exists:
                    yield cluster, pool, group, instance

    def _instance(self, call: Call) -> tuple[Cluster, NodePool, Group, Instance]:
        zone, name = _zone(call), call.parameters["instance"]
        for found in self._instances():
            if name in {found[3].name, found[3].number} and found[2].zone == zone:
                return found
        raise resource_not_found(f"projects/{PROJECT}/zones/{zone}/instances/{name}")


def aggregated(pairs: Sequence[tuple[str, Mapping[str, Any]]], key: str, call: Call) -> Answer:
    """A list by zones."""
    items: dict[str, dict[str, list[Any]]] = {}
    for zone, value in pairs:
        items.setdefault(f"zones/{zone}", {key: []})[key].append(value)
    return Answer({"id": call.path, "items": items})


def check_zone(zone: str) -> str:
    """A zone that exists.

    Raises:
        ApiError: 404.
    """
    if not account.is_zone(zone) or not account.zones_of(zone):
        raise resource_not_found(f"projects/{PROJECT}/zones/{zone}")
    return zone


def _zone(call: Call) -> str:
    return check_zone(call.parameters["zone"])


def _scope(call: Call) -> str:
    for place in ("zone", "region"):
        if place in call.parameters:
            return f"{place}s/{call.parameters[place]}"
    return GLOBAL


def _name_of(group: Group, url: str) -> str:
    """An instance's own name; one of another zone is none of the group's."""
    place, _, name = url.rpartition("/instances/")
    return name if place.endswith(f"zones/{group.zone}") else url
