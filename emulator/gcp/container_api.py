"""The container API: every operation with its path and permission."""

from collections.abc import Iterator
from typing import Final

from emulator.gcp.clusters import Clusters
from emulator.gcp.http import Endpoint
from emulator.gcp.pools import Pools
from emulator.gcp.world import World

_CLUSTERS: Final = "container.clusters"
_OPERATIONS: Final = "container.operations"


def endpoints(world: World) -> Iterator[Endpoint]:
    """Every operation. Changes of node pools are changes of their cluster."""
    clusters, pools = Clusters(world), Pools(world)
    place = "/v1/projects/{project}/locations/{location}"
    every, one = f"{place}/clusters", f"{place}/clusters/{{cluster}}"
    yield Endpoint("GET", f"{place}/serverConfig", clusters.server_config, f"{_CLUSTERS}.list")
    yield Endpoint("GET", f"{place}/operations", clusters.operations, f"{_OPERATIONS}.list")
    yield Endpoint("GET", f"{place}/operations/{{operation}}", clusters.operation, f"{_OPERATIONS}.get")
    # Before those without a verb, whose last parameter would take it.
    change = f"{_CLUSTERS}.update"
    yield Endpoint("POST", f"{one}:setResourceLabels", clusters.set_resource_labels, change)
    yield Endpoint("POST", every, clusters.create, f"{_CLUSTERS}.create")
    yield Endpoint("GET", every, clusters.list, f"{_CLUSTERS}.list")
    yield Endpoint("GET", one, clusters.get, f"{_CLUSTERS}.get")
    yield Endpoint("PUT", one, clusters.update, change)
    yield Endpoint("DELETE", one, clusters.delete, f"{_CLUSTERS}.delete")
    pool = f"{one}/nodePools/{{pool}}"
    yield Endpoint("POST", f"{pool}:setSize", pools.set_size, change)
    yield Endpoint("POST", f"{pool}:setAutoscaling", pools.set_autoscaling, change)
    yield Endpoint("POST", f"{pool}:setManagement", pools.set_management, change)
    yield Endpoint("POST", f"{one}/nodePools", pools.create, change)
    yield Endpoint("GET", f"{one}/nodePools", pools.list, f"{_CLUSTERS}.get")
    yield Endpoint("GET", pool, pools.get, f"{_CLUSTERS}.get")
    yield Endpoint("PUT", pool, pools.update, change)
    yield Endpoint("DELETE", pool, pools.delete, change)
