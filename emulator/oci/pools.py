"""Node pools of the container engine: create, show, change, delete, remove one node."""

from typing import Any, Final

from emulator.cloud.errors import OperationFailed
from emulator.cloud.http import Answer
from emulator.oci import instances, pool_checks, state, touched
from emulator.oci.durations import seconds_of
from emulator.oci.errors import incorrect_state, not_found
from emulator.oci.http import Call, accepted, check_etag, page, versioned
from emulator.oci.pool_json import pool_json, pool_summary
from emulator.oci.state import Instance, NodePool
from emulator.oci.wire import CreatePool, Eviction, UpdatePool
from emulator.oci.work_requests import RELATED, WorkRequest
from emulator.oci.world import World

_GRACE: Final = "overrideEvictionGraceDuration"
_FORCE: Final = "isForceDeletionAfterOverrideGraceDuration"


class Pools:
    """The operations on node pools."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, call: Call) -> Answer:
        """Order a node pool."""
        details = call.details(CreatePool)
        world = self._world
        cluster = world.cluster(details.cluster_id)
        if cluster.state != state.ACTIVE:
            raise incorrect_state(f"cluster {cluster.id} is {cluster.state}, not ACTIVE")
        version = details.kubernetes_version or cluster.details.kubernetes_version
        machine = pool_checks.check(world, cluster, details, version)
        pool = NodePool(world.ids.next("nodepool"), cluster.id, details, version, machine, world.clock.now())
        world.pools[pool.id] = pool
        request = world.work.submit(
            "NODEPOOL_CREATE",
            details.compartment_id,
            (touched.pool(pool, "CREATED"), touched.cluster(cluster, RELATED)),
            lambda request: self._reconcile(pool, request, *_eviction(pool, call)),
        )
        return accepted(request.id)

    def get(self, call: Call) -> Answer:
        """Show a node pool with its nodes."""
        pool = self._pool(call)
        return versioned(pool_json(pool), pool.etag)

    def list(self, call: Call) -> Answer:
        """Show the node pools of a compartment, or of one cluster in it, without their nodes."""
        compartment = call.required("compartmentId")
        cluster_id, name = call.one("clusterId"), call.one("name")
        states = set(call.query.get("lifecycleState") or ())
        chosen = [
            pool_summary(pool)
            for pool in self._world.pools.values()
            if pool.details.compartment_id == compartment
            and pool.state != state.DELETED
            and cluster_id in {None, pool.cluster_id}
            and name in {None, pool.details.name}
            and (not states or pool.state in states)
        ]
        return page(chosen, call)

    def update(self, call: Call) -> Answer:
        """Change a node pool; all but its size concerns new nodes only."""
        pool = self._free(call)
        changes = call.details(UpdatePool)
        details = _merged(pool.details, changes)
        version = changes.kubernetes_version or pool.kubernetes_version
        machine = pool_checks.check(self._world, self._world.cluster(pool.cluster_id), details, version)
        pool_checks.check_same_kind(pool.machine, machine)
        pool.details, pool.kubernetes_version, pool.machine = details, version, machine
        pool.state = state.UPDATING
        pool.version += 1
        grace, force = _eviction(pool, call)
        return self._submit(
            "NODEPOOL_UPDATE", pool, "UPDATED", lambda r: self._reconcile(pool, r, grace, force)
        )

    def delete(self, call: Call) -> Answer:
        """Delete a node pool with its nodes."""
        pool = self._free(call)
        grace, force = _eviction(pool, call)
        pool.state = state.DELETING
        pool.version += 1
        return self._submit("NODEPOOL_DELETE", pool, "DELETED", lambda r: self._delete(pool, r, grace, force))

    def delete_node(self, call: Call) -> Answer:
        """Terminate one node; the pool shrinks with it unless a replacement is asked for."""
        pool = self._free(call)
        instance = pool.instances.get(call.parameters["node_id"])
        if instance is None:
            raise not_found(f"node {call.parameters['node_id']} of nodepool {pool.id}")
        grace, force = _eviction(pool, call)
        if call.flag("isDecrementSize", default=True):
            config = pool.details.node_config_details
            smaller = config.model_copy(update={"size": max(0, config.size - 1)})
            pool.details = pool.details.model_copy(update={"node_config_details": smaller})
        instance.state = state.DELETING
        pool.state = state.UPDATING
        pool.version += 1
        return self._submit(
            "NODEPOOL_RECONCILE", pool, "UPDATED", lambda r: self._replace(pool, instance, r, (grace, force))
        )

    def resize(self, pool: NodePool, by: int) -> None:
        """Grow a pool as the autoscaler add-on does; the caller holds the lock.

        Raises:
            ApiError: when the pool is busy or would become too large.
        """
        self._world.work.check_free(pool.id)
        size = pool.size + by
        pool_checks.check_size(size)
        config = pool.details.node_config_details.model_copy(update={"size": size})
        pool.details = pool.details.model_copy(update={"node_config_details": config})
        pool.state = state.UPDATING
        pool.version += 1
        grace, force = _settings(pool)
        self._submit("NODEPOOL_UPDATE", pool, "UPDATED", lambda r: self._reconcile(pool, r, grace, force))

    def release(self, pool: NodePool, instance: Instance) -> None:
        """Remove an emptied node as the autoscaler add-on does: at once, and the pool shrinks."""
        self._world.work.check_free(pool.id)
        config = pool.details.node_config_details
        smaller = config.model_copy(update={"size": max(0, config.size - 1)})
        pool.details = pool.details.model_copy(update={"node_config_details": smaller})
        instance.state = state.DELETING
        pool.state = state.UPDATING
        pool.version += 1
        self._submit(
            "NODEPOOL_RECONCILE", pool, "UPDATED", lambda r: self._replace(pool, instance, r, (0, True))
        )

    def reconcile(self, pool: NodePool) -> None:
        """Bring a pool that has lost instances to its size; the caller holds the lock.

        Raises:
            ApiError: when the pool is busy.
        """
        self._world.work.check_free(pool.id)
        pool.state = state.UPDATING
        pool.version += 1
        grace, force = _settings(pool)
        self._submit("NODEPOOL_RECONCILE", pool, "UPDATED", lambda r: self._reconcile(pool, r, grace, force))

    def _submit(self, operation: str, pool: NodePool, outcome: str, carry_out: Any) -> Answer:
        request = self._world.work.submit(
            operation, pool.details.compartment_id, (touched.pool(pool, outcome),), carry_out
        )
        return accepted(request.id)

    def _pool(self, call: Call) -> NodePool:
        pool = self._world.pool(call.parameters["node_pool_id"])
        if pool.state == state.DELETED:
            raise not_found(f"nodepool {pool.id}")
        return pool

    def _free(self, call: Call) -> NodePool:
        pool = self._pool(call)
        check_etag(call, pool.etag)
        self._world.work.check_free(pool.id)
        cluster = self._world.cluster(pool.cluster_id)
        if cluster.state in {state.DELETING, state.DELETED}:
            raise incorrect_state(f"cluster {cluster.id} is {cluster.state}")
        return pool

    def _reconcile(self, pool: NodePool, request: WorkRequest, grace_s: int, force: bool) -> None:  # noqa: FBT001
        try:
            instances.reconcile(self._world, pool, grace_s, request, force=force)
        except OperationFailed as failure:
            with self._world.lock:
                pool.state, pool.state_details = state.NEEDS_ATTENTION, failure.message
            raise
        self._settle(pool)

    def _replace(
        self, pool: NodePool, instance: Instance, request: WorkRequest, how: tuple[int, bool]
    ) -> None:
        instances.remove(self._world, pool, [instance], how[0], force=how[1])
        self._reconcile(pool, request, *how)

    def _delete(self, pool: NodePool, request: WorkRequest, grace_s: int, force: bool) -> None:  # noqa: FBT001
        with self._world.lock:
            leaving = list(pool.instances.values())
            for instance in leaving:
                instance.state = state.DELETING
        instances.remove(self._world, pool, leaving, grace_s, force=force)
        with self._world.lock:
            pool.state = state.DELETED
            pool.version += 1
        self._world.work.log(request, f"node pool {pool.details.name} is deleted")

    def _settle(self, pool: NodePool) -> None:
        with self._world.lock:
            pool.state, pool.state_details = state.ACTIVE, ""
            pool.version += 1


def _merged(details: CreatePool, changes: UpdatePool) -> CreatePool:
    given = {
        name: value
        for name in changes.model_fields_set - {"node_config_details"}
        if (value := getattr(changes, name)) is not None
    }
    if changes.node_config_details is not None:
        change = changes.node_config_details
        inner = {
            name: value for name in change.model_fields_set if (value := getattr(change, name)) is not None
        }
        given["node_config_details"] = details.node_config_details.model_copy(update=inner)
    if changes.node_shape is not None and changes.node_shape_config is None:
        given["node_shape_config"] = None
    return details.model_copy(update=given)


def _settings(pool: NodePool) -> tuple[int, bool]:
    settings = pool.details.node_eviction_node_pool_settings or Eviction()
    grace = seconds_of("evictionGraceDuration", settings.eviction_grace_duration)
    return grace, settings.is_force_delete_after_grace_duration


def _eviction(pool: NodePool, call: Call) -> tuple[int, bool]:
    grace, force = _settings(pool)
    override = call.one(_GRACE)
    if override is not None:
        grace = seconds_of(_GRACE, override)
    return grace, call.flag(_FORCE, default=force)
