"""Node pools of GKE: create, show, change, delete, resize, autoscale."""

from collections.abc import Callable

from google.cloud import container_v1

from emulator.cloud.http import Answer
from emulator.gcp import pace, pool_checks, pool_updates, wire
from emulator.gcp.autoscaling import configure
from emulator.gcp.errors import already_exists, invalid
from emulator.gcp.http import Call
from emulator.gcp.operations import Operation
from emulator.gcp.pool_json import pool_json
from emulator.gcp.pool_work import PoolWork, new_pool
from emulator.gcp.state import RECONCILING, STOPPING, Cluster, NodePool
from emulator.gcp.world import World


class Pools:
    """The operations on node pools."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._work = PoolWork(world)

    def create(self, call: Call) -> Answer:
        """Order a node pool."""
        world = self._world
        cluster = self._cluster(call)
        wanted = wire.read(container_v1.CreateNodePoolRequest, call.object()).node_pool
        if wanted.name in cluster.pools:
            raise already_exists(f"{cluster.id}/nodePools/{wanted.name}")
        pool_checks.complete(cluster, wanted)
        machines = pool_checks.check(world, cluster, wanted)
        pool_checks.check_may_use(world, call.principal, wanted)
        world.operations.check_free(cluster)
        pool = new_pool(world, cluster, wanted, machines)
        cluster.pools[pool.name] = pool
        cluster.version += 1
        return self._submit("CREATE_NODE_POOL", cluster, pool.id, lambda _: self._work.provide(cluster, pool))

    def get(self, call: Call) -> Answer:
        """Show a node pool."""
        cluster, pool = self._pool(call)
        return Answer(pool_json(cluster, pool))

    def list(self, call: Call) -> Answer:
        """Show the node pools of a cluster."""
        cluster = self._cluster(call)
        shown = [pool_json(cluster, pool) for pool in cluster.pools.values()]
        return Answer({"nodePools": shown} if shown else {})

    def update(self, call: Call) -> Answer:
        """Change a node pool; what nodes are made of is changed by replacing them."""
        cluster, pool = self._free(call)
        request = wire.read(container_v1.UpdateNodePoolRequest, call.object())
        before, draft = pool.message, wire.copied(pool.message)
        replaces = pool_updates.apply(draft, request, cluster.message.current_master_version)
        machines = pool_checks.check(self._world, cluster, draft)
        pool.message, pool.machine = draft, next(iter(machines.values()))
        pool.status = RECONCILING
        pool.version += 1
        kind = "UPGRADE_NODES" if replaces else "UPDATE_CLUSTER"
        moved = tuple(before.locations) != tuple(draft.locations)
        return self._submit(
            kind, cluster, pool.id, lambda _: self._work.change(cluster, pool, replaces=replaces, moved=moved)
        )

    def delete(self, call: Call) -> Answer:
        """Delete a node pool with its nodes."""
        cluster, pool = self._free(call)
        pool.status = STOPPING
        pool.version += 1
        return self._submit("DELETE_NODE_POOL", cluster, pool.id, lambda _: self._work.remove(cluster, pool))

    def set_size(self, call: Call) -> Answer:
        """Bring each zone of a pool to a size; which nodes go is the cloud's choice."""
        cluster, pool = self._free(call)
        size = wire.read(container_v1.SetNodePoolSizeRequest, call.object()).node_count
        if fault := pool_checks.count_fault(size):
            raise invalid(fault)
        pool.message.initial_node_count = size
        pool.status = RECONCILING
        pool.version += 1
        return self._submit(
            "SET_NODE_POOL_SIZE", cluster, pool.id, lambda _: self._work.resize(cluster, pool, size)
        )

    def set_autoscaling(self, call: Call) -> Answer:
        """Change the limits within which the cloud's autoscaler keeps a pool, or end it."""
        cluster, pool = self._free(call)
        wanted = wire.read(container_v1.SetNodePoolAutoscalingRequest, call.object()).autoscaling
        if faults := [*pool_checks.autoscaling_faults(wanted)]:
            raise invalid("; ".join(faults))
        pool.message.autoscaling = wanted
        return self._note(cluster, pool, "UPDATE_CLUSTER")

    def set_management(self, call: Call) -> Answer:
        """Change who repairs and upgrades a pool."""
        cluster, pool = self._free(call)
        request = wire.read(container_v1.SetNodePoolManagementRequest, call.object())
        pool.message.management = request.management
        return self._note(cluster, pool, "SET_NODE_POOL_MANAGEMENT")

    def _note(self, cluster: Cluster, pool: NodePool, kind: str) -> Answer:
        """A change of settings, which takes no machines."""
        pool.version += 1

        def carry_out(_operation: Operation) -> None:
            self._world.clock.wait(pace.control_s(cluster.pace))
            configure(self._world, cluster)

        return self._submit(kind, cluster, pool.id, carry_out)

    def _submit(
        self, kind: str, cluster: Cluster, target: str, carry_out: Callable[[Operation], None]
    ) -> Answer:
        operation = self._world.operations.submit(kind, cluster, target, carry_out)
        return Answer(operation.json_value())

    def _cluster(self, call: Call) -> Cluster:
        return self._world.cluster(call.parameters["location"], call.parameters["cluster"])

    def _pool(self, call: Call) -> tuple[Cluster, NodePool]:
        cluster = self._cluster(call)
        return cluster, self._world.pool(cluster, call.parameters["pool"])

    def _free(self, call: Call) -> tuple[Cluster, NodePool]:
        cluster, pool = self._pool(call)
        self._world.operations.check_free(cluster)
        return cluster, pool
