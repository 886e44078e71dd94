"""Google's two APIs in memory, in the SDK's own types: for what the emulated cloud does not do on demand."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import compute_v1 as gce
from google.cloud import container_v1 as gke

from provisioner.drivers.gke_client import Clients
from provisioner.drivers.gke_pool import GkeSite

SITE: Final = GkeSite(
    project="emulated-project",
    location="us-central1-a",
    cluster="gke",
    zones=("us-central1-a", "us-central1-b"),
    node_service_account="nodes@emulated-project.iam.gserviceaccount.com",
    network_tags=("nodes",),
)
_COMPUTE: Final = "https://www.googleapis.com/compute/v1"


def refused(kind: Any, message: str, reason: str = "") -> Exception:
    """An error as the SDK raises it."""
    error: Exception = kind(message, errors=[{"reason": reason}] if reason else ())
    return error


def put(message: Any, **fields: Any) -> None:
    """Set fields of one of the SDK's messages, whose types do not say what may be set."""
    for name, value in fields.items():
        setattr(message, name, value)


BUSY: Final = refused(
    exceptions.BadRequest, "Cluster is running incompatible operation op-1.", "CLUSTER_ALREADY_HAS_OPERATION"
)


@dataclass(slots=True)
class Group:
    """An instance group manager with its machines."""

    zone: str
    name: str
    target: int = 0
    machines: dict[str, gce.ManagedInstance] = field(default_factory=dict)


@dataclass(slots=True)
class Google:
    """Both APIs; orders are carried out when `polls` looks at their operation were taken, or on `settle`.

    `errors` are raised by the next calls that change something, one each (None: that one succeeds);
    with `loses_reply` such a call does its work first. Machines whose pool's machine type is in
    `sold_out` are tried and not had; with `makes_nothing` the operation fails instead.
    """

    polls: int = 1
    errors: deque[Exception | None] = field(default_factory=deque)
    loses_reply: bool = False
    sold_out: dict[str, tuple[str, str]] = field(default_factory=dict)
    makes_nothing: str = ""
    pools: dict[str, gke.NodePool] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    sizes: list[tuple[str, int]] = field(default_factory=list)
    operations: dict[str, gke.Operation] = field(default_factory=dict)
    _left: dict[str, int] = field(default_factory=dict)
    _acts: dict[str, Any] = field(default_factory=dict)
    _number: int = 0

    @property
    def clients(self) -> Clients:
        """As the driver takes them."""
        return Clients(self, _Groups(self))

    def settle(self) -> None:
        """Carry out what was ordered."""
        for name in list(self._left):
            self._finish(name)

    # The container API, as far as the driver calls it.

    def list_node_pools(self, parent: str, **_: Any) -> gke.ListNodePoolsResponse:
        assert parent == SITE.parent
        return gke.ListNodePoolsResponse(node_pools=list(self.pools.values()))

    def get_node_pool(self, name: str, **_: Any) -> gke.NodePool:
        return self._pool(name)

    def create_node_pool(self, parent: str, node_pool: gke.NodePool, **_: Any) -> gke.Operation:
        assert parent == SITE.parent
        if node_pool.name in self.pools:
            raise refused(exceptions.Conflict, f"Already exists: {node_pool.name}")

        def start() -> None:
            made = gke.NodePool.deserialize(gke.NodePool.serialize(node_pool))
            put(made, status="PROVISIONING")
            self.pools[made.name] = made

        return self._order(lambda: self._provide(node_pool.name), start)

    def set_node_pool_size(self, request: dict[str, Any], **_: Any) -> gke.Operation:
        name, size = self._pool(request["name"]).name, request["node_count"]
        self.sizes.append((name, size))
        return self._order(lambda: self._scale(name, size))

    def delete_node_pool(self, name: str, **_: Any) -> gke.Operation:
        pool = self._pool(name)

        def start() -> None:
            put(pool, status="STOPPING")

        return self._order(lambda: self._remove(pool.name), start)

    def get_operation(self, name: str, **_: Any) -> gke.Operation:
        key = name.removeprefix(f"{SITE.place}/operations/")
        if key not in self.operations:
            raise refused(exceptions.NotFound, f"Not found: {name}")
        if key in self._left:
            self._left[key] -= 1
            if self._left[key] < 0:
                self._finish(key)
        return self.operations[key]

    def _order(self, act: Any, start: Any = lambda: None) -> gke.Operation:
        error = self.errors.popleft() if self.errors else None
        if error and not self.loses_reply:
            raise error
        if self._left:
            raise BUSY
        self._number += 1
        key = f"op-{self._number}"
        self.operations[key] = gke.Operation(name=key, status="RUNNING")
        self._left[key] = self.polls
        self._acts[key] = act
        start()
        if error:
            raise error
        return self.operations[key]

    def _finish(self, key: str) -> None:
        del self._left[key]
        put(self.operations[key], status="DONE")
        if self.makes_nothing:
            put(self.operations[key], error={"code": 8, "message": self.makes_nothing})
            self.pools = {
                name: pool for name, pool in self.pools.items() if pool.status.name != "PROVISIONING"
            }
        else:
            self._acts.pop(key)()

    def _pool(self, path: str) -> gke.NodePool:
        prefix, _, name = path.rpartition("/")
        assert prefix == f"{SITE.parent}/nodePools"
        if name not in self.pools:
            raise refused(exceptions.NotFound, f"Not found: {path}")
        return self.pools[name]

    # What becomes of orders.

    def _provide(self, name: str) -> None:
        pool = self.pools[name]
        put(pool, status="RUNNING")
        zone = pool.locations[0]
        group = self.groups[name] = Group(zone, f"gke-gke-{name}-grp")
        url = f"{_COMPUTE}/projects/{SITE.project}/zones/{zone}/instanceGroupManagers/{group.name}"
        pool.instance_group_urls = [url]
        self._scale(name, pool.initial_node_count)

    def _scale(self, name: str, size: int) -> None:
        group, kind = self.groups[name], self.pools[name].config.machine_type
        group.target = size
        while len(group.machines) < size:
            self._number += 1
            machine = f"{group.name}-{self._number}"
            url = f"{_COMPUTE}/projects/{SITE.project}/zones/{group.zone}/instances/{machine}"
            made = gce.ManagedInstance(instance=url, name=machine, current_action="NONE")
            if kind in self.sold_out:
                code, message = self.sold_out[kind]
                made.current_action = "CREATING"
                errors = [{"code": code, "message": message}]
                made.last_attempt = gce.ManagedInstanceLastAttempt({"errors": {"errors": errors}})
            group.machines[machine] = made
        if len(group.machines) > size:
            message = f"{name}: the driver let the cloud choose which machines go"
            raise AssertionError(message)

    def _remove(self, name: str) -> None:
        self.groups.pop(name, None)
        del self.pools[name]


@dataclass(slots=True)
class _Groups:
    """The compute API, as far as the driver calls it."""

    google: Google

    def get(self, project: str, zone: str, instance_group_manager: str, **_: Any) -> gce.InstanceGroupManager:
        group = self._group(project, zone, instance_group_manager)
        return gce.InstanceGroupManager(name=group.name, target_size=group.target)

    def list_managed_instances(
        self, project: str, zone: str, instance_group_manager: str, **_: Any
    ) -> Iterator[gce.ManagedInstance]:
        return iter(list(self._group(project, zone, instance_group_manager).machines.values()))

    def delete_instances_unary(
        self, request: gce.DeleteInstancesInstanceGroupManagerRequest, **_: Any
    ) -> gce.Operation:
        group = self._group(request.project, request.zone, request.instance_group_manager)
        wanted = request.instance_group_managers_delete_instances_request_resource
        assert wanted.skip_instances_on_validation_error
        for url in wanted.instances:
            name = url.rpartition("/")[2]
            if group.machines.pop(name, None):
                group.target -= 1
                self.google.deleted.append(name)
        return gce.Operation(name="operation")

    def _group(self, project: str, zone: str, name: str) -> Group:
        assert project == SITE.project
        for group in self.google.groups.values():
            if (group.zone, group.name) == (zone, name):
                return group
        raise refused(exceptions.NotFound, f"The resource {name} was not found")
