"""GKE: one node pool in one zone for each machine type, zone, capacity type, labels and taints.

Growing sets an absolute size, computed from what was last seen, and a pool's name is its identity's, so
an order whose reply was lost can be made again; in trouble it is, at once. Shrinking never sets a size,
which would leave the choice of the node to the cloud: the machine is deleted from its instance group.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from provisioner.core.market import Catalog
from provisioner.core.pools import Pool, PoolSpec
from provisioner.drivers import gke_pool
from provisioner.drivers.again import Again
from provisioner.drivers.contract import Denied, DriverError, Failure, Gone, NoCapacity, Retry
from provisioner.drivers.gke_client import Clients, call, clients, is_about_capacity, listed, order
from provisioner.drivers.gke_operations import BUSY_S, Operation, Operations
from provisioner.drivers.gke_pool import GkeSite, Group
from provisioner.drivers.removal import Leftover, Patience, remove_all

_MEMORY_S: Final = 120.0
"""How long something is believed although the cloud's lists do not show it."""


@dataclass(slots=True)
class _Order:
    """A pool that was ordered and may not be listed yet."""

    spec: PoolSpec
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class _Machines:
    """What a pool's instance groups hold."""

    target: int
    managed: tuple[tuple[Group, Any], ...]

    @property
    def all(self) -> tuple[Any, ...]:
        return tuple(machine for _, machine in self.managed)

    @property
    def broken(self) -> tuple[tuple[Group, Any], ...]:
        return tuple(each for each in self.managed if gke_pool.is_broken(each[1]))


class GkeDriver:
    """Keeps the contract of `provisioner.drivers.contract` on the APIs of clusters and of instance groups."""

    def __init__(
        self,
        apis: Clients,
        site: GkeSite,
        catalog: Catalog,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        again: Again | None = None,
    ) -> None:
        self._apis = apis
        self._site = site
        self._catalog = catalog
        self._clock = clock
        self._again = again or Again(sleep)
        self._operations = Operations(
            partial(self._ask, apis.engine.get_operation), site.place, sleep, self._note_done
        )
        self._orders: dict[str, _Order] = {}
        self._leaving: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._errors: dict[str, str] = {}
        self._failures: dict[str, Failure] = {}

    def pools(self) -> tuple[Pool, ...]:
        """Every node pool of the cluster with our label, and what was ordered and is not listed yet."""
        self._forget_old()
        self._operations.look()
        found: dict[str, Pool] = {}
        for raw, spec in self._listed():
            machines = self._machines(raw)
            pool = self._as_of_now(raw, spec, machines)
            found[pool.id] = pool
            if not self._operations.on(pool.name):
                self._orders.pop(pool.name, None)
            self._note_failure(raw, pool, machines)
        unlisted = {
            name: Pool(name, name, order.spec, order.size)
            for name, order in self._orders.items()
            if name not in found
        }
        for name in unlisted.keys() & self._errors.keys():
            self._failures[name] = Failure(unlisted[name], _failure(self._errors[name]))
        there = found | unlisted
        self._failures = {name: each for name, each in self._failures.items() if name in there}
        return tuple(there.values())

    def launch(self, spec: PoolSpec, count: int, token: str) -> None:  # noqa: ARG002 (sizes are absolute, names unique)
        """Grow the pool of that identity, or order it."""
        wanted = gke_pool.creation(spec, count, self._site, self._catalog)
        name = wanted.name
        if name in self._orders:
            raise Retry(f"pool {name} is being made", BUSY_S)
        self._operations.wait()
        try:
            there = self._get(name)
        except Gone:
            self._create(wanted, spec, count)
        else:
            self._grow(there, spec, count)

    def terminate(self, pool: Pool, instance_id: str) -> None:
        """Delete one machine from its instance group; the pool shrinks by it."""
        if self._operations.on(pool.name):
            # A size that is being set was computed with this machine, and would bring another.
            self._operations.wait()
        machines = self._machines(self._get(pool.name))
        for group, machine in machines.managed if machines else ():
            if gke_pool.provider_id(machine) == instance_id and not _is_leaving(machine):
                self._delete_machines(group, [machine])
                break
        else:
            raise Gone(f"{instance_id} is not in {pool.name} any more")
        self._leaving[instance_id] = self._clock()
        if pool.name in self._seen:
            self._seen[pool.name] -= 1

    def delete(self, pool: Pool) -> None:
        """Delete a pool with its nodes."""
        self._operations.wait()
        if _is_going(self._get(pool.name)):
            raise Gone(f"{pool.name} is being deleted already")
        self._remember(
            order(self._engine.delete_node_pool, about_existing=True, name=self._site.path(pool.name)),
            pool.name,
        )

    def failures(self) -> tuple[Failure, ...]:
        """Pools that have asked for machines they do not get."""
        return tuple(self._failures.values())

    def withdraw(self, pool: Pool) -> None:
        """Shrink a pool to the machines that are there; one that was made of none at all is deleted."""
        was_ordered = self._orders.pop(pool.name, None) is not None
        self._errors.pop(pool.name, None)
        self._failures.pop(pool.name, None)
        try:
            raw = self._get(pool.name)
        except Gone:
            if was_ordered:
                return
            raise
        machines = self._machines(raw)
        broken = machines.broken if machines else ()
        for group, machine in broken:
            self._delete_machines(group, [machine])
        living = sum(not each.is_leaving for each in gke_pool.instances_of(machines.all)) if machines else 0
        if raw.status.name == "ERROR" and not living:
            self.delete(pool)
        elif machines and machines.target - len(broken) > living:
            self._operations.wait()
            self._resize(pool.name, living)

    @property
    def _engine(self) -> Any:
        return self._apis.engine

    def _get(self, name: str) -> Any:
        return self._ask(self._engine.get_node_pool, name=self._site.path(name))

    def _ask(self, method: Callable[..., Any], **named: Any) -> Any:
        """Ask about what is there, again while the cloud is in trouble."""
        return self._again(partial(call, method, about_existing=True, **named))

    def _listed(self) -> Iterator[tuple[Any, PoolSpec]]:
        """Our pools of this cluster that are not being deleted, with their identity."""
        for raw in self._again(partial(_ours, self._apis, self._site)):
            spec = gke_pool.spec_of(raw)
            if spec is not None and not _is_going(raw):
                yield raw, spec

    def _machines(self, raw: Any) -> _Machines | None:
        """What a pool's instance groups hold; None while there is no group yet."""
        groups = gke_pool.groups_of(raw)
        target = 0
        managed: list[tuple[Group, Any]] = []
        try:
            for group in groups:
                named = {
                    "project": self._site.project,
                    "zone": group.zone,
                    "instance_group_manager": group.name,
                }
                target += self._ask(self._apis.groups.get, **named).target_size
                machines = self._again(partial(listed, self._apis.groups.list_managed_instances, **named))
                managed += [(group, machine) for machine in machines]
        except Gone:
            return None
        return _Machines(target, tuple(managed)) if groups else None

    def _as_of_now(self, raw: Any, spec: PoolSpec, machines: _Machines | None) -> Pool:
        """A listed pool with what was ordered since."""
        if machines is None:
            return Pool(raw.name, raw.name, spec, raw.initial_node_count, version=raw.version)
        self._seen[raw.name] = machines.target
        shown = gke_pool.instances_of(machines.all)
        instances = tuple(
            replace(each, is_leaving=each.is_leaving or each.id in self._leaving) for each in shown
        )
        late = sum(
            now.is_leaving and not before.is_leaving for now, before in zip(instances, shown, strict=True)
        )
        growing = self._operations.on(raw.name)
        ordered = (growing.size if growing else None) or 0
        return Pool(
            raw.name,
            raw.name,
            spec,
            max(machines.target - late, ordered),
            instances,
            version=raw.version,
            is_outdated=gke_pool.is_outdated(raw, spec, self._site, self._catalog),
        )

    def _create(self, wanted: Any, spec: PoolSpec, count: int) -> None:
        answer = self._again(
            partial(
                order,
                self._engine.create_node_pool,
                about_existing=False,
                parent=self._site.parent,
                node_pool=wanted,
            )
        )
        self._remember(answer, wanted.name)
        self._orders[wanted.name] = _Order(spec, count, self._clock())

    def _grow(self, raw: Any, spec: PoolSpec, count: int) -> None:
        """Add machines to a pool that is as it was when their number was decided."""
        if gke_pool.spec_of(raw) != spec or not gke_pool.is_ours(raw, self._site.cluster):
            raise Denied(f"there is a node pool {raw.name} that is not ours; delete or rename it")
        machines = self._machines(raw)
        if machines is None or _is_going(raw):
            raise Retry(f"pool {raw.name} is {raw.status.name.lower()}", BUSY_S)
        if machines.target != self._seen.get(raw.name):
            seen = self._seen.get(raw.name, "nothing")
            raise Retry(f"{raw.name} has size {machines.target}, last seen was {seen}", 0.0)
        self._resize(raw.name, machines.target + count, grows=True)

    def _resize(self, name: str, size: int, *, grows: bool = False) -> None:
        path = self._site.path(name)
        request = {"name": path, "node_count": size}
        answer = self._again(
            partial(order, self._engine.set_node_pool_size, about_existing=True, request=request)
        )
        self._remember(answer, name, size if grows else None)

    def _delete_machines(self, group: Group, machines: Iterable[Any]) -> None:
        from google.cloud import compute_v1 as gce

        wanted = gce.InstanceGroupManagersDeleteInstancesRequest(
            instances=[each.instance for each in machines], skip_instances_on_validation_error=True
        )
        request = gce.DeleteInstancesInstanceGroupManagerRequest(
            project=self._site.project,
            zone=group.zone,
            instance_group_manager=group.name,
            instance_group_managers_delete_instances_request_resource=wanted,
        )
        order(self._apis.groups.delete_instances_unary, about_existing=True, request=request)

    def _remember(self, answer: Any, pool: str, size: int | None = None) -> None:
        self._errors.pop(pool, None)
        self._operations.remember(answer, pool, size)

    def _note_done(self, done: Operation, error: str) -> None:
        if error:
            self._errors[done.pool] = error
        elif done.size is not None:
            self._seen[done.pool] = done.size

    def _note_failure(self, raw: Any, pool: Pool, machines: _Machines | None) -> None:
        """Keep what a pool says about machines that do not come."""
        said = [
            text for _, each in (machines.broken if machines else ()) for text in gke_pool.errors_of(each)
        ]
        if pool.missing and not said:
            said = _complaints(raw) or ([self._errors[pool.name]] if pool.name in self._errors else [])
        if said:
            self._failures[pool.id] = Failure(pool, _failure("; ".join(dict.fromkeys(said))))
        else:
            self._failures.pop(pool.id, None)
            self._errors.pop(pool.id, None)

    def _forget_old(self) -> None:
        now = self._clock()
        self._leaving = {key: at for key, at in self._leaving.items() if now - at < _MEMORY_S}
        self._orders = {
            name: each
            for name, each in self._orders.items()
            if now - each.at < _MEMORY_S or self._operations.on(name)
        }


def remove_pools_of_cluster(
    cluster_id: str,
    credentials: Any,
    endpoint: str = "",
    *,
    wait_s: float = 1800.0,
    pause_s: float = 1.0,
) -> tuple[str, ...]:
    """Delete every pool that was bought for a cluster, and wait until they are gone.

    Works when the provisioner is down and remembers nothing: pools are found by their label. Returns
    the names of the pools it deleted. Raises Denied when the cloud refuses, or when they are not gone
    after `wait_s` seconds; then it says why.
    """
    apis = clients(credentials, endpoint)

    def left() -> list[Leftover]:
        try:
            return [Leftover(pool.name, _is_going(pool)) for pool in _ours(apis, site_of(cluster_id))]
        except Gone:
            return []

    return remove_all(
        cluster_id, left, partial(_delete_pool, apis, site_of(cluster_id)), Patience(wait_s, pause_s)
    )


def site_of(cluster_id: str) -> GkeSite:
    """The site of a cluster as far as its id says it: `projects/P/locations/L/clusters/C`."""
    parts = cluster_id.split("/")
    if len(parts) != 6 or parts[::2] != ["projects", "locations", "clusters"]:  # noqa: PLR2004 (the form's parts)
        raise Denied(f"{cluster_id!r} is no cluster's id; expected projects/P/locations/L/clusters/C")
    _, project, _, location, _, cluster = parts
    return GkeSite(project, location, cluster, zones=(), node_service_account="")


def _delete_pool(apis: Clients, site: GkeSite, name: str) -> str:
    """Order a pool's deletion; returns why that was not possible now, or nothing."""
    try:
        order(apis.engine.delete_node_pool, about_existing=True, name=site.path(name))
    except Gone:
        return ""
    except Retry as busy:
        return str(busy)
    return ""


def _ours(apis: Clients, site: GkeSite) -> list[Any]:
    """Node pools of a cluster that carry our label."""
    answer = call(apis.engine.list_node_pools, about_existing=True, parent=site.parent)
    return [pool for pool in answer.node_pools if gke_pool.is_ours(pool, site.cluster)]


def _is_going(raw: Any) -> bool:
    return bool(raw.status.name == "STOPPING")


def _is_leaving(machine: Any) -> bool:
    return any(each.is_leaving for each in gke_pool.instances_of([machine]))


def _complaints(raw: Any) -> list[str]:
    """What a pool says of itself when it is not as it should be."""
    if raw.status.name not in {"ERROR", "RUNNING_WITH_ERROR"}:
        return []
    said = [f"{each.code.name}: {each.message}" for each in raw.conditions]
    return said or [raw.status_message or f"the node pool is in status {raw.status.name}"]


def _failure(message: str) -> DriverError:
    return NoCapacity(message) if is_about_capacity(message) else Denied(message)
