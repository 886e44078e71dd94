"""Clusters of the container engine: create, show, change, delete."""

from typing import Any, Final

from emulator.cloud.clock import rfc3339
from emulator.cloud.errors import ApiError, OperationFailed
from emulator.cloud.http import Answer
from emulator.cloud.ids import unique_part
from emulator.cloud.pace import pace_of
from emulator.kube.manifests import system_pods
from emulator.kube.spec import ClusterFailed, ClusterSpec
from emulator.oci import account, addons, images, instances, kubeconfig, state, touched
from emulator.oci.errors import incorrect_state, invalid, not_found
from emulator.oci.hooks import Hooks
from emulator.oci.http import Call, accepted, check_compartment, check_etag, page, versioned
from emulator.oci.network_kinds import SECURITY_GROUPS, SUBNETS, VCNS
from emulator.oci.shapes import CLOUD
from emulator.oci.state import Cluster
from emulator.oci.wire import ClusterOptions, CreateCluster, KubeconfigContent, UpdateCluster
from emulator.oci.work_requests import WorkRequest
from emulator.oci.world import World

_STATES: Final = frozenset(
    {state.CREATING, state.ACTIVE, state.FAILED, state.DELETING, state.DELETED, state.UPDATING}
)


class Clusters:
    """The operations on clusters."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, call: Call) -> Answer:
        """Order a cluster."""
        details = call.details(CreateCluster)
        self._check(details)
        world = self._world
        cluster_id = world.ids.next("cluster")
        pace = pace_of(details.freeform_tags or {}, details.name)
        context = world.edges.machine.names.take(pace.stack)
        home = world.edges.machine.clusters_home / context
        cluster = Cluster(cluster_id, details, pace, home, world.clock.now(), context)
        world.clusters[cluster_id] = cluster
        request = world.work.submit(
            "CLUSTER_CREATE",
            details.compartment_id,
            (touched.cluster(cluster, "CREATED"),),
            lambda request: self._build(cluster, request),
        )
        cluster.created_by = request.id
        return accepted(request.id)

    def get(self, call: Call) -> Answer:
        """Show a cluster."""
        cluster = self._world.cluster(call.parameters["cluster_id"])
        return versioned(_json(cluster), cluster.etag)

    def list(self, call: Call) -> Answer:
        """Show the clusters of a compartment."""
        compartment = call.required("compartmentId")
        states = set(call.query.get("lifecycleState") or ())
        if unknown := states - _STATES:
            raise invalid(f"lifecycleState: '{min(unknown)}' must be one of {', '.join(sorted(_STATES))}")
        name = call.one("name")
        chosen = [
            _summary(cluster)
            for cluster in self._world.clusters.values()
            if cluster.details.compartment_id == compartment
            and (not states or cluster.state in states)
            and name in {None, cluster.details.name}
        ]
        return page(chosen, call)

    def update(self, call: Call) -> Answer:
        """Change a cluster."""
        cluster = self._ready(call)
        changes = call.details(UpdateCluster)
        if cluster.enhanced and changes.type == "BASIC_CLUSTER":
            raise invalid("type: ENHANCED_CLUSTER cannot be changed to BASIC_CLUSTER")
        if changes.kubernetes_version is not None:
            images.check_version(changes.kubernetes_version)
        cluster.state = state.UPDATING
        given = {name: getattr(changes, name) for name in changes.model_fields_set}
        request = self._world.work.submit(
            "CLUSTER_UPDATE",
            cluster.details.compartment_id,
            (touched.cluster(cluster, "UPDATED"),),
            lambda request: self._change(cluster, given, request),
        )
        return accepted(request.id)

    def delete(self, call: Call) -> Answer:
        """Delete a cluster with its node pools, as the real API does."""
        cluster = self._world.cluster(call.parameters["cluster_id"])
        check_etag(call, cluster.etag)
        if cluster.state == state.DELETED:
            raise not_found(f"cluster {cluster.id}")
        pools = self._world.pools_of(cluster.id)
        self._world.work.check_free(cluster.id, *(pool.id for pool in pools))
        cluster.state = state.DELETING
        for pool in pools:
            pool.state = state.DELETING
        request = self._world.work.submit(
            "CLUSTER_DELETE",
            cluster.details.compartment_id,
            (touched.cluster(cluster, "DELETED"), *(touched.pool(pool, "DELETED") for pool in pools)),
            lambda request: self._tear_down(cluster, request),
        )
        return accepted(request.id)

    def kubeconfig(self, call: Call) -> Answer:
        """The kubeconfig with an exec user, as `oci ce cluster create-kubeconfig` writes it."""
        cluster = self._world.cluster(call.parameters["cluster_id"])
        wanted = call.details(KubeconfigContent)
        if cluster.kube is None or cluster.state in {state.DELETING, state.DELETED}:
            raise incorrect_state(f"cluster {cluster.id} is {cluster.state}")
        if wanted.token_version not in {"1.0.0", "2.0.0"}:
            raise invalid(f"tokenVersion: '{wanted.token_version}' must be 2.0.0")
        return Answer(kubeconfig.with_exec(cluster.id, cluster.kube.server, cluster.kube.ca_pem))

    def _ready(self, call: Call) -> Cluster:
        cluster = self._world.cluster(call.parameters["cluster_id"])
        check_etag(call, cluster.etag)
        self._world.work.check_free(cluster.id)
        if cluster.state != state.ACTIVE:
            raise incorrect_state(f"cluster {cluster.id} is {cluster.state}, not ACTIVE")
        return cluster

    def _check(self, details: CreateCluster) -> None:
        check_compartment(details.compartment_id)
        images.check_version(details.kubernetes_version)
        self._world.store.get(VCNS, details.vcn_id)
        endpoint = details.endpoint_config
        if endpoint is None:
            return
        subnet = self._world.store.get(SUBNETS, endpoint.subnet_id).value
        if subnet["vcnId"] != details.vcn_id:
            raise invalid(f"endpointConfig.subnetId: {endpoint.subnet_id} is not in VCN {details.vcn_id}")
        if endpoint.is_public_ip_enabled and subnet["prohibitPublicIpOnVnic"]:
            raise invalid("endpointConfig.isPublicIpEnabled: the subnet prohibits public addresses")
        for group in endpoint.nsg_ids or ():
            self._world.store.get(SECURITY_GROUPS, group)

    def _build(self, cluster: Cluster, request: WorkRequest) -> None:
        world = self._world
        spec = ClusterSpec(
            name=f"rs-{unique_part(cluster.id)[:10]}",
            home=cluster.home,
            timing=cluster.pace.timing,
            cloud=CLOUD,
            accounting=cluster.pace.accounting,
            system_pods=system_pods(CLOUD, cluster.pace.accounting),
        )
        try:
            cluster.kube = world.edges.machine.make_kube(spec)
            if cluster.enhanced:
                cluster.identity = world.edges.open_identity(cluster.id)
            cluster.kube.start(Hooks(world, cluster))
            world.edges.machine.on_context(cluster)
        except (ClusterFailed, ApiError, OSError) as fault:
            with world.lock:
                cluster.state, cluster.state_details = state.FAILED, str(fault)
            self._close(cluster)
            raise OperationFailed("InternalError", str(fault)) from fault
        with world.lock:
            world.charge_cluster(cluster)
            if cluster.enhanced:
                addons.install_essential(cluster, world.clock.now())
            cluster.state = state.ACTIVE
            cluster.version += 1
        world.work.log(request, f"cluster {cluster.details.name} is ready at {cluster.kube.server}")

    def _change(self, cluster: Cluster, given: dict[str, Any], request: WorkRequest) -> None:
        with self._world.lock:
            changes = {name: value for name, value in given.items() if value is not None}
            if "options" in changes:
                options = cluster.details.options or ClusterOptions()
                changes["options"] = options.model_copy(
                    update=changes["options"].model_dump(exclude_none=True)
                )
            cluster.details = cluster.details.model_copy(update=changes)
            cluster.updated = (self._world.clock.now(), request.id)
            cluster.state = state.ACTIVE
            cluster.version += 1

    def _tear_down(self, cluster: Cluster, request: WorkRequest) -> None:
        world = self._world
        self._close(cluster)
        with world.lock:
            now = world.clock.now()
            for pool in world.pools_of(cluster.id):
                for instance in tuple(pool.instances.values()):
                    instances.terminate(world, pool, instance)
                pool.state = state.DELETED
            world.meter.stop(cluster.id, now)
            cluster.state = state.DELETED
            cluster.deleted = (now, request.id)
            cluster.version += 1
        world.edges.machine.names.release(cluster.context)

    def _close(self, cluster: Cluster) -> None:
        self._world.edges.machine.off_context(cluster)
        if cluster.kube is not None:
            cluster.kube.delete()
        if cluster.identity is not None:
            cluster.identity.close()


def _json(cluster: Cluster) -> dict[str, Any]:
    return {**_summary(cluster), **({"kmsKeyId": key} if (key := cluster.details.kms_key_id) else {})}


def _summary(cluster: Cluster) -> dict[str, Any]:
    given = cluster.details.json_value()
    given.pop("kmsKeyId", None)
    offered = images.KUBERNETES_VERSIONS
    later = offered[offered.index(cluster.details.kubernetes_version) + 1 :]
    return {
        "freeformTags": {},
        "definedTags": {},
        **given,
        "id": cluster.id,
        "lifecycleState": cluster.state,
        "lifecycleDetails": cluster.state_details,
        "metadata": _metadata(cluster),
        "endpoints": _endpoints(cluster),
        "availableKubernetesUpgrades": list(later),
    }


def _metadata(cluster: Cluster) -> dict[str, str]:
    metadata = {
        "timeCreated": rfc3339(cluster.created_at),
        "createdByUserId": account.USER,
        "createdByWorkRequestId": cluster.created_by,
    }
    for verb, change in (("updated", cluster.updated), ("deleted", cluster.deleted)):
        if change is not None:
            metadata[f"time{verb.capitalize()}"] = rfc3339(change[0])
            metadata[f"{verb}ByWorkRequestId"] = change[1]
    return metadata


def _endpoints(cluster: Cluster) -> dict[str, str]:
    if cluster.kube is None:
        return {}
    address = cluster.kube.server.split("://", 1)[-1]
    endpoints = {"kubernetes": address, "privateEndpoint": address}
    config = cluster.details.endpoint_config
    if config is None or config.is_public_ip_enabled:
        endpoints["publicEndpoint"] = address
    return endpoints
