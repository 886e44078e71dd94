"""Changes of a node pool, as `UpdateNodePoolRequest` tells them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from google.cloud import container_v1

from emulator.gcp import versions
from emulator.gcp.errors import invalid

_IN_CONFIG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "image_type": "image_type",
        "machine_type": "machine_type",
        "disk_type": "disk_type",
        "disk_size_gb": "disk_size_gb",
        "workload_metadata_config": "workload_metadata_config",
        "linux_node_config": "linux_node_config",
        "kubelet_config": "kubelet_config",
        "gcfs_config": "gcfs_config",
        "gvnic": "gvnic",
        "logging_config": "logging_config",
        "containerd_config": "containerd_config",
        "taint_config": "taint_config",
    }
)
"""Fields of the request that are the same of the configuration."""
_INNER: Final[Mapping[str, str]] = MappingProxyType({"tags": "tags", "taints": "taints", "labels": "labels"})
"""Fields of the request that hold the configuration's field of that name."""
_OF_POOL: Final = ("upgrade_settings", "locations")
_IDENTIFYING: Final = frozenset({"project_id", "zone", "cluster_id", "node_pool_id", "name", "etag"})


def apply(
    pool: container_v1.NodePool, request: container_v1.UpdateNodePoolRequest, master_version: str
) -> bool:
    """Change the pool; returns whether its nodes have to be replaced.

    Raises:
        ApiError: 400 for a change that is not emulated, or when there is none.
    """
    given = [name for name in type(request).meta.fields if name in request and name not in _IDENTIFYING]
    supported = {*_IN_CONFIG, *_INNER, *_OF_POOL, "resource_labels", "node_version"}
    if unknown := sorted(set(given) - supported):
        raise invalid("; ".join(f"{name}: the emulated cloud cannot change it" for name in unknown))
    if not given:
        raise invalid("Must specify a field to update.")
    before = (type(pool.config).serialize(pool.config), pool.version)
    for name in given:
        if name in _IN_CONFIG:
            setattr(pool.config, _IN_CONFIG[name], getattr(request, name))
        elif name in _INNER:
            setattr(pool.config, name, getattr(getattr(request, name), _INNER[name]))
        elif name in _OF_POOL:
            setattr(pool, name, getattr(request, name))
    if "node_version" in given:
        pool.version = versions.of_nodes(request.node_version, master_version)
    replaces = before != (type(pool.config).serialize(pool.config), pool.version)
    if "resource_labels" in given:
        pool.config.resource_labels = dict(request.resource_labels.labels)
    return replaces
