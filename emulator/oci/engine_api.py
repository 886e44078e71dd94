"""The container engine API: every operation with its path and what a workload needs for it."""

from collections.abc import Iterator
from typing import Any, Final

from emulator.oci.addons import Addons
from emulator.oci.clusters import Clusters
from emulator.oci.http import Call, Endpoint
from emulator.oci.options import Options
from emulator.oci.pools import Pools
from emulator.oci.principal import Need, Verb
from emulator.oci.work_api import WorkApi
from emulator.oci.world import World

BASE: Final = "/20180222"
_INSPECT_CLUSTERS: Final = (Need(Verb.INSPECT, "clusters"),)
_READ_CLUSTERS: Final = (Need(Verb.READ, "clusters"),)
_USE_CLUSTERS: Final = (Need(Verb.USE, "clusters"),)
_MANAGE_CLUSTERS: Final = (Need(Verb.MANAGE, "clusters"),)
_INSPECT_POOLS: Final = (Need(Verb.INSPECT, "cluster-node-pools"),)
_READ_POOLS: Final = (Need(Verb.READ, "cluster-node-pools"),)
_MANAGE_POOLS: Final = (
    Need(Verb.MANAGE, "cluster-node-pools"),
    Need(Verb.MANAGE, "instance-family"),
    Need(Verb.USE, "subnets"),
    Need(Verb.USE, "vnics"),
)
"""Launching and terminating nodes is done with the caller's rights."""
_INSPECT_WORK: Final = (Need(Verb.INSPECT, "cluster-work-requests"),)
_READ_WORK: Final = (Need(Verb.READ, "cluster-work-requests"),)


class Engine:
    """The operations of the container engine."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        yield from self._clusters()
        yield from self._pools()
        yield from self._addons()
        yield from self._work()

    def _clusters(self) -> Iterator[Endpoint]:
        api, options = Clusters(self._world), Options(self._world)
        one = f"{BASE}/clusters/{{cluster_id}}"
        of = self._of_cluster
        yield Endpoint("POST", f"{BASE}/clusters", api.create, _MANAGE_CLUSTERS, _of_body)
        yield Endpoint("GET", f"{BASE}/clusters", api.list, _INSPECT_CLUSTERS, _of_query)
        yield Endpoint("GET", one, api.get, _READ_CLUSTERS, of)
        yield Endpoint("PUT", one, api.update, _USE_CLUSTERS, of)
        yield Endpoint("DELETE", one, api.delete, _MANAGE_CLUSTERS, of)
        yield Endpoint("POST", f"{one}/kubeconfig/content", api.kubeconfig, _USE_CLUSTERS, of)
        yield Endpoint(
            "GET",
            f"{BASE}/clusterOptions/{{cluster_option_id}}",
            options.cluster,
            _READ_CLUSTERS,
            self._of_option,
        )
        yield Endpoint(
            "GET",
            f"{BASE}/nodePoolOptions/{{node_pool_option_id}}",
            options.node_pool,
            _READ_CLUSTERS,
            self._of_option,
        )

    def _pools(self) -> Iterator[Endpoint]:
        api = Pools(self._world)
        one = f"{BASE}/nodePools/{{node_pool_id}}"
        of = self._of_pool
        yield Endpoint("POST", f"{BASE}/nodePools", api.create, _MANAGE_POOLS, _of_body, _network_needs)
        yield Endpoint("GET", f"{BASE}/nodePools", api.list, _INSPECT_POOLS, _of_query)
        yield Endpoint("GET", one, api.get, _READ_POOLS, of)
        yield Endpoint("PUT", one, api.update, _MANAGE_POOLS, of)
        yield Endpoint("DELETE", one, api.delete, _MANAGE_POOLS, of)
        yield Endpoint("DELETE", f"{one}/node/{{node_id}}", api.delete_node, _MANAGE_POOLS, of)

    def _addons(self) -> Iterator[Endpoint]:
        api = Addons(self._world)
        every = f"{BASE}/clusters/{{cluster_id}}/addons"
        one = f"{every}/{{addon_name}}"
        of = self._of_cluster
        yield Endpoint("GET", f"{BASE}/addonOptions", api.options, for_everyone=True)
        yield Endpoint("GET", every, api.list, _READ_CLUSTERS, of)
        yield Endpoint("POST", every, api.install, _MANAGE_CLUSTERS, of)
        yield Endpoint("GET", one, api.get, _READ_CLUSTERS, of)
        yield Endpoint("PUT", one, api.update, _MANAGE_CLUSTERS, of)
        yield Endpoint("DELETE", one, api.disable, _MANAGE_CLUSTERS, of)

    def _work(self) -> Iterator[Endpoint]:
        api = WorkApi(self._world)
        one = f"{BASE}/workRequests/{{work_request_id}}"
        of = self._of_work
        yield Endpoint("GET", f"{BASE}/workRequests", api.list, _INSPECT_WORK, _of_query)
        yield Endpoint("GET", one, api.get, _READ_WORK, of)
        yield Endpoint("GET", f"{one}/errors", api.errors, _READ_WORK, of)
        yield Endpoint("GET", f"{one}/logs", api.logs, _READ_WORK, of)

    def _of_cluster(self, call: Call) -> str | None:
        cluster = self._world.clusters.get(call.parameters["cluster_id"])
        return cluster.details.compartment_id if cluster is not None else None

    def _of_option(self, call: Call) -> str | None:
        cluster = self._world.clusters.get(next(iter(call.parameters.values())))
        return cluster.details.compartment_id if cluster is not None else _of_query(call)

    def _of_pool(self, call: Call) -> str | None:
        pool = self._world.pools.get(call.parameters["node_pool_id"])
        return pool.details.compartment_id if pool is not None else None

    def _of_work(self, call: Call) -> str | None:
        request = self._world.work.get(call.parameters["work_request_id"])
        return request.compartment_id if request is not None else None


def _of_query(call: Call) -> str | None:
    return call.one("compartmentId")


def _of_body(call: Call) -> str | None:
    body: Any = call.body
    return body.get("compartmentId") if isinstance(body, dict) else None


def _network_needs(call: Call) -> Iterator[Need]:
    """Attaching nodes to security groups and pods to addresses has to be granted, too."""
    body: Any = call.body if isinstance(call.body, dict) else {}
    config = body.get("nodeConfigDetails") or {}
    pods = config.get("nodePoolPodNetworkOptionDetails") or {}
    if config.get("nsgIds") or pods.get("podNsgIds"):
        yield Need(Verb.USE, "network-security-groups")
    if pods.get("podSubnetIds"):
        yield Need(Verb.USE, "private-ips")
