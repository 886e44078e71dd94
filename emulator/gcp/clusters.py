"""Clusters of GKE: create, show, change, delete."""

from collections.abc import Callable
from typing import Final

from google.cloud import container_v1

from emulator.cloud.errors import ApiError, OperationFailed
from emulator.cloud.http import Answer
from emulator.cloud.pace import pace_of
from emulator.gcp import (
    account,
    cluster_checks,
    cluster_updates,
    instances,
    pace,
    pool_checks,
    versions,
    wire,
)
from emulator.gcp.account import CLOUD, PROJECT
from emulator.gcp.cluster_json import cluster_json
from emulator.gcp.errors import already_exists, invalid, not_found, precondition
from emulator.gcp.hooks import Hooks
from emulator.gcp.http import Call
from emulator.gcp.operations import Operation
from emulator.gcp.pool_work import PoolWork, new_pool
from emulator.gcp.state import ERROR, GONE, RECONCILING, RUNNING, STOPPING, Cluster
from emulator.gcp.world import World
from emulator.kube.manifests import system_pods
from emulator.kube.spec import ClusterFailed, ClusterSpec

DEFAULT_POOL: Final = "default-pool"
_ANY: Final = "-"


class Clusters:
    """The operations on clusters."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pools = PoolWork(world)

    def create(self, call: Call) -> Answer:
        """Order a cluster."""
        world = self._world
        location = call.parameters["location"]
        zones = account.zones_of(location)
        if not zones:
            raise invalid(f'Location "{location}" does not exist.')
        message = wire.read(container_v1.CreateClusterRequest, call.object()).cluster
        cluster_id = f"projects/{PROJECT}/locations/{location}/clusters/{message.name}"
        if cluster_id in world.clusters:
            raise already_exists(cluster_id)
        cluster_checks.complete(world, message, location)
        cluster = self._new(message, location)
        for wanted in _first_pools(message):
            pool_checks.complete(cluster, wanted)
            machines = pool_checks.check(world, cluster, wanted)
            pool_checks.check_may_use(world, call.principal, wanted)
            cluster.pools[wanted.name] = new_pool(world, cluster, wanted, machines)
        cluster.context = world.computer.names.take(cluster.pace.stack)
        cluster.home = world.computer.clusters_home / cluster.context
        world.clusters[cluster.id] = cluster
        if cluster.identifies_workloads:
            world.identity_pools.add(cluster.message.workload_identity_config.workload_pool)
        return self._submit("CREATE_CLUSTER", cluster, lambda _: self._build(cluster))

    def get(self, call: Call) -> Answer:
        """Show a cluster."""
        return Answer(cluster_json(self._cluster(call)))

    def list(self, call: Call) -> Answer:
        """Show the clusters of a location, or of all."""
        location = call.parameters["location"]
        shown = [
            cluster_json(cluster)
            for cluster in self._world.clusters.values()
            if location in {_ANY, cluster.location}
        ]
        return Answer({"clusters": shown} if shown else {})

    def update(self, call: Call) -> Answer:
        """Change a cluster."""
        cluster = self._free(call)
        request = wire.read(container_v1.UpdateClusterRequest, call.object())
        draft = wire.copied(cluster.message)
        cluster_updates.apply(draft, request.update)
        cluster_checks.check_after_update(draft)
        cluster.message = draft
        if draft.locations:
            cluster.zones = tuple(draft.locations)
        if cluster.identifies_workloads:
            self._world.identity_pools.add(draft.workload_identity_config.workload_pool)
        return self._note(cluster, "UPDATE_CLUSTER")

    def set_resource_labels(self, call: Call) -> Answer:
        """Replace a cluster's resource labels."""
        cluster = self._free(call)
        request = wire.read(container_v1.SetLabelsRequest, call.object())
        shown = cluster_json(cluster)
        if request.label_fingerprint not in {"", shown["labelFingerprint"]}:
            raise precondition("Labels could not be set due to fingerprint mismatch.")
        labels = dict(request.resource_labels)
        if faults := [*pool_checks.label_faults(labels)]:
            raise invalid("; ".join(faults))
        cluster.message.resource_labels = labels
        return self._note(cluster, "SET_LABELS")

    def delete(self, call: Call) -> Answer:
        """Delete a cluster with its node pools."""
        cluster = self._free(call)
        cluster.status = STOPPING
        for pool in cluster.pools.values():
            pool.status = STOPPING
        return self._submit("DELETE_CLUSTER", cluster, lambda _: self._tear_down(cluster))

    def server_config(self, call: Call) -> Answer:
        """What versions can be had."""
        if not account.zones_of(call.parameters["location"]):
            raise invalid(f'Location "{call.parameters["location"]}" does not exist.')
        return Answer(versions.server_config())

    def operation(self, call: Call) -> Answer:
        """Show an operation."""
        name = call.parameters["operation"]
        found = self._world.operations.get(name)
        if found is None or found.location != call.parameters["location"]:
            raise not_found(f"projects/{PROJECT}/locations/{call.parameters['location']}/operations/{name}")
        return Answer(found.json_value())

    def operations(self, call: Call) -> Answer:
        """Show the operations of a location, or of all."""
        location = call.parameters["location"]
        shown = [
            operation.json_value()
            for operation in self._world.operations.all()
            if location in {_ANY, operation.location}
        ]
        return Answer({"operations": shown} if shown else {})

    def _new(self, message: container_v1.Cluster, location: str) -> Cluster:
        world = self._world
        return Cluster(
            message=message,
            location=location,
            zones=tuple(message.locations),
            number=world.ids.token(64),
            pace=pace_of(dict(message.resource_labels), message.name),
            home=world.computer.clusters_home,
            context="",
            created_at=world.clock.now(),
        )

    def _build(self, cluster: Cluster) -> None:
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        spec = ClusterSpec(
            name=f"rs-{cluster.number[:10]}",
            home=cluster.home,
            timing=cluster.pace.timing,
            cloud=CLOUD,
            accounting=cluster.pace.accounting,
            system_pods=system_pods(CLOUD, cluster.pace.accounting),
            tolerates_arm=True,
        )
        try:
            cluster.kube = world.computer.make_kube(spec)
            cluster.kube.start(Hooks(world, cluster))
            world.computer.on_context(cluster)
        except (ClusterFailed, ApiError, OSError) as fault:
            with world.lock:
                cluster.status, cluster.status_message = ERROR, str(fault)
            self._close(cluster)
            raise OperationFailed("INTERNAL", str(fault)) from fault
        with world.lock:
            world.charge_cluster(cluster)
        for pool in tuple(cluster.pools.values()):
            self._pools.provide(cluster, pool)
        with world.lock:
            cluster.status = RUNNING
            cluster.version += 1

    def _tear_down(self, cluster: Cluster) -> None:
        world = self._world
        world.clock.wait(pace.control_s(cluster.pace))
        self._close(cluster)
        with world.lock:
            for pool in cluster.pools.values():
                for group in pool.groups.values():
                    for instance in tuple(group.instances.values()):
                        instances.terminate(world, group, instance)
            world.meter.stop(world.charge_of(cluster), world.clock.now())
            cluster.status = GONE
            world.clusters.pop(cluster.id, None)
            world.charge_nats()
        world.computer.names.release(cluster.context)

    def _close(self, cluster: Cluster) -> None:
        self._world.computer.off_context(cluster)
        if cluster.kube is not None:
            cluster.kube.delete()
        for listener in cluster.listeners.values():
            listener.close()

    def _note(self, cluster: Cluster, kind: str) -> Answer:
        """A change of settings, which takes no machines."""
        cluster.status = RECONCILING
        cluster.version += 1

        def carry_out(_operation: Operation) -> None:
            self._world.clock.wait(pace.control_s(cluster.pace))
            with self._world.lock:
                cluster.status = RUNNING

        return self._submit(kind, cluster, carry_out)

    def _submit(self, kind: str, cluster: Cluster, carry_out: Callable[[Operation], None]) -> Answer:
        return Answer(self._world.operations.submit(kind, cluster, cluster.id, carry_out).json_value())

    def _cluster(self, call: Call) -> Cluster:
        return self._world.cluster(call.parameters["location"], call.parameters["cluster"])

    def _free(self, call: Call) -> Cluster:
        cluster = self._cluster(call)
        self._world.operations.check_free(cluster)
        return cluster


def _first_pools(message: container_v1.Cluster) -> list[container_v1.NodePool]:
    """The pools a cluster is born with; from then on they are no longer part of its own message."""
    pools = [wire.copied(pool) for pool in message.node_pools]
    if not pools:
        config = wire.copied(message.node_config)
        count = message.initial_node_count
        pools = [container_v1.NodePool(name=DEFAULT_POOL, config=config, initial_node_count=count)]
    names = [pool.name for pool in pools]
    if len(set(names)) != len(names):
        raise invalid(f"Cluster.node_pools: names must differ, got {', '.join(names)}")
    message.node_pools = []
    container_v1.Cluster.pb(message).ClearField("node_config")
    message.initial_node_count = 0
    return pools
