"""Changes of a cluster, as `ClusterUpdate` tells them: mostly `desired_x` for the cluster's `x`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from google.cloud import container_v1

from emulator.gcp import versions
from emulator.gcp.errors import invalid

_PREFIX: Final = "desired_"
_ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "desired_cluster_autoscaling": "autoscaling",
        "desired_datapath_provider": "network_config.datapath_provider",
        "desired_intra_node_visibility_config": "",
        "desired_default_enable_private_nodes": "network_config.default_enable_private_nodes",
        "desired_dns_config": "network_config.dns_config",
        "desired_enable_private_endpoint": "private_cluster_config.enable_private_endpoint",
        "desired_gateway_api_config": "network_config.gateway_api_config",
        "desired_l4ilb_subsetting_config": "",
        "desired_service_external_ips_config": "network_config.service_external_ips_config",
        "desired_shielded_nodes": "shielded_nodes",
    }
)
"""Fields that are the same as another one of the cluster; empty: taken, and nothing changes."""
_MASTER: Final = "desired_master_version"


def apply(cluster: container_v1.Cluster, update: container_v1.ClusterUpdate) -> None:
    """Change the cluster.

    Raises:
        ApiError: 400 for a change that is not emulated, or when there is none.
    """
    given = [name for name in type(update).meta.fields if name in update and name != "etag"]
    if not given:
        raise invalid("Must specify a field to update.")
    faults = [
        f"{name}: the emulated cloud cannot change it"
        for name in given
        if name != _MASTER and _target(cluster, name) is None
    ]
    if faults:
        raise invalid("; ".join(faults))
    for name in given:
        if name == _MASTER:
            _upgrade(cluster, update.desired_master_version)
            continue
        owner, field = _place(cluster, _target(cluster, name) or "")
        if field:
            setattr(owner, field, getattr(update, name))


def _target(cluster: container_v1.Cluster, name: str) -> str | None:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    plain = name.removeprefix(_PREFIX)
    return plain if plain in type(cluster).meta.fields else None


def _place(cluster: container_v1.Cluster, path: str) -> tuple[Any, str]:
    owner: Any = cluster
    *way, field = path.split(".")
    for step in way:
        owner = getattr(owner, step)
    return owner, field


def _upgrade(cluster: container_v1.Cluster, wanted: str) -> None:
    channel = container_v1.ReleaseChannel.Channel(cluster.release_channel.channel).name
    version = versions.resolve(wanted, channel)
    if versions.version_number(version) < versions.version_number(cluster.current_master_version):
        raise invalid(f"Master cannot be downgraded from {cluster.current_master_version} to {version}.")
    cluster.current_master_version = version
