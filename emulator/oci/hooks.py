"""What a cluster asks of its cloud: its autoscaler's pools, and its pods' identity."""

from collections.abc import Mapping, Sequence
from typing import Final

from emulator.cloud.errors import ApiError
from emulator.kube.spec import CloudBusy, CloudRefused, NodeSpec, ScalablePool
from emulator.oci import account, addons, state
from emulator.oci.nodes import Names, node_spec
from emulator.oci.pools import Pools
from emulator.oci.principal import Need, Verb, Workload
from emulator.oci.state import Cluster, NodePool
from emulator.oci.world import World

_AUTOSCALER_NEEDS: Final = (Need(Verb.MANAGE, "cluster-node-pools"),)
_TEMPLATE_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - stands for an address that is not known yet


class Hooks:
    """`CloudHooks` of one cluster."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self._world = world
        self._cluster = cluster
        self._pools = Pools(world)

    def scalable_pools(self) -> Sequence[ScalablePool]:
        """The node pools of the cluster that are not on their way out."""
        with self._world.lock:
            return tuple(
                ScalablePool(
                    id=pool.id,
                    size=pool.size,
                    node_names=tuple(instance.node.name for instance in pool.staying()),
                    template=self._template(pool),
                )
                for pool in self._world.pools_of(self._cluster.id)
                if pool.state != state.DELETING
            )

    def grow_pool(self, pool_id: str, by: int) -> None:
        """Resize a pool, as the add-on does through the API."""
        with self._world.lock:
            self._check_authorized()
            try:
                self._pools.resize(self._world.pool(pool_id), by)
            except ApiError as refusal:
                raise _refused(refusal) from refusal

    def delete_node(self, pool_id: str, node_name: str) -> None:
        """Delete a node, as the add-on does through the API; gone is fine."""
        with self._world.lock:
            self._check_authorized()
            pool = self._world.pools.get(pool_id)
            instances = pool.staying() if pool is not None else []
            instance = next((entry for entry in instances if entry.node.name == node_name), None)
            if pool is None or instance is None:
                return
            try:
                self._pools.release(pool, instance)
            except ApiError as refusal:
                raise _refused(refusal) from refusal

    def process_environment(self, namespace: str, service_account: str) -> Mapping[str, str]:  # noqa: ARG002 - every ServiceAccount gets the same
        """The way to the cluster's identity listener; a basic cluster has none."""
        identity = self._cluster.identity
        if identity is None:
            return {}
        return {
            "KUBERNETES_SERVICE_HOST": identity.host,
            "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
            "OCI_RESOURCE_PRINCIPAL_REGION": account.REGION,
            "OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH": str(self._world.edges.identity_ca),
        }

    def _template(self, pool: NodePool) -> NodeSpec:
        names = Names("", "", _TEMPLATE_ADDRESS, account.FAULT_DOMAINS[0])
        return node_spec(self._cluster, pool, pool.details.node_config_details.placement_configs[0], names)

    def _check_authorized(self) -> None:
        addon = self._cluster.addons.get(addons.AUTOSCALER)
        if addon is None or dict(addon.configurations).get("authType") != "workload":
            return
        workload = Workload(self._cluster.id, "kube-system", "cluster-autoscaler")
        compartment = self._cluster.details.compartment_id
        for need in _AUTOSCALER_NEEDS:
            if not self._world.grants(workload, need, compartment):
                raise CloudRefused(f"no policy statement lets {workload} {need} in compartment {compartment}")


def _refused(refusal: ApiError) -> CloudRefused:
    kind = CloudBusy if refusal.code == "IncorrectState" else CloudRefused
    return kind(refusal.message)
