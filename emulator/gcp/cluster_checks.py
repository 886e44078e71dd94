"""What a cluster has to be, and what the cloud fills in."""

import re
from collections.abc import Iterator
from typing import Final

from google.cloud import container_v1

from emulator.gcp import account, pool_checks, versions
from emulator.gcp.account import PROJECT, WORKLOAD_POOL
from emulator.gcp.errors import invalid
from emulator.gcp.network_kinds import NETWORKS, SUBNETWORKS
from emulator.gcp.store import Record
from emulator.gcp.world import World

_NAME: Final = re.compile(r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$")
_REGIONAL_ZONES: Final = 3
"""Zones of a regional cluster that names none."""
_PODS_RANGE: Final = "10.4.0.0/14"
_SERVICES_RANGE: Final = "34.118.224.0/20"
"""What the cloud gives when no secondary ranges are named."""


def complete(world: World, message: container_v1.Cluster, location: str) -> None:
    """Check a new cluster and fill in what was not given.

    Raises:
        ApiError: 400 with every fault, 404 for a network that does not exist.
    """
    if faults := [*_faults(message, location)]:
        raise invalid("; ".join(faults))
    region = account.region_of(location)
    network = world.store.reference(NETWORKS, message.network or "default")
    subnetwork = world.store.reference(SUBNETWORKS, message.subnetwork or "default", region)
    if subnetwork.value["network"] != network.url:
        raise invalid(f"Subnetwork {subnetwork.path} is not in network {network.path}.")
    if not subnetwork.path.startswith(f"projects/{PROJECT}/regions/{region}/"):
        raise invalid(f"Subnetwork {subnetwork.path} is not in the cluster's region {region}.")
    message.network, message.subnetwork = network.value["name"], subnetwork.value["name"]
    message.network_config.network = network.path
    message.network_config.subnetwork = subnetwork.path
    _allocate(message, subnetwork)
    channels = container_v1.ReleaseChannel.Channel
    if "release_channel" not in message:
        message.release_channel = container_v1.ReleaseChannel(channel=channels.REGULAR)
    channel = channels(message.release_channel.channel).name
    version = versions.resolve(message.initial_cluster_version, channel)
    message.initial_cluster_version = message.current_master_version = version
    if not message.locations:
        every = account.zones_of(location)
        message.locations = list(every if account.is_zone(location) else every[:_REGIONAL_ZONES])
    if not message.default_max_pods_constraint.max_pods_per_node:
        message.default_max_pods_constraint.max_pods_per_node = 110
    if "shielded_nodes" not in message:
        message.shielded_nodes = container_v1.ShieldedNodes(enabled=True)


def check_after_update(message: container_v1.Cluster) -> None:
    """Hold a changed cluster against what holds for all.

    Raises:
        ApiError: 400 with every fault.
    """
    if faults := [*_settings_faults(message)]:
        raise invalid("; ".join(faults))


def _faults(message: container_v1.Cluster, location: str) -> Iterator[str]:
    if not _NAME.match(message.name):
        yield (
            f"Cluster.name: '{message.name}' must have at most 40 lowercase letters, digits and dashes, "
            "begin with a letter and not end with a dash"
        )
    if message.autopilot.enabled:
        yield "Cluster.autopilot: the emulated cloud has Standard clusters only"
    if not message.node_pools and message.initial_node_count < 1:
        yield "Cluster.initial_node_count must be greater than zero."
    if message.node_pools and (message.initial_node_count or "node_config" in message):
        yield "Cluster.node_pools: cannot be given together with initial_node_count and node_config"
    region = account.region_of(location)
    for zone in message.locations:
        if zone not in account.zones_of(region):
            yield f"Cluster.locations: '{zone}' is not a zone of {region}"
    if message.locations and account.is_zone(location) and location not in message.locations:
        yield f"Cluster.locations: must contain the cluster's own zone '{location}'"
    yield from pool_checks.label_faults(dict(message.resource_labels))
    yield from _settings_faults(message)


def _settings_faults(message: container_v1.Cluster) -> Iterator[str]:
    pool = message.workload_identity_config.workload_pool
    if pool not in {"", WORKLOAD_POOL}:
        yield f"Cluster.workload_identity_config.workload_pool: '{pool}' must be '{WORKLOAD_POOL}'"
    if message.private_cluster_config.enable_private_endpoint and not (
        message.master_authorized_networks_config.enabled
        or message.control_plane_endpoints_config.ip_endpoints_config.authorized_networks_config.enabled
    ):
        yield "Cluster.private_cluster_config.enable_private_endpoint: needs master authorized networks"


def _allocate(message: container_v1.Cluster, subnetwork: Record) -> None:
    """Ranges of pods and Services, by the names of secondary ranges or made by the cloud."""
    policy = message.ip_allocation_policy
    policy.use_ip_aliases = True
    secondary = {
        entry["rangeName"]: entry["ipCidrRange"] for entry in subnetwork.value.get("secondaryIpRanges") or ()
    }
    for name in (policy.cluster_secondary_range_name, policy.services_secondary_range_name):
        if name and name not in secondary:
            raise invalid(f'Secondary range "{name}" does not exist in network {subnetwork.path}.')
    pods = secondary.get(policy.cluster_secondary_range_name) or policy.cluster_ipv4_cidr_block or _PODS_RANGE
    services = (
        secondary.get(policy.services_secondary_range_name)
        or policy.services_ipv4_cidr_block
        or _SERVICES_RANGE
    )
    policy.cluster_ipv4_cidr_block = policy.cluster_ipv4_cidr = pods
    policy.services_ipv4_cidr_block = policy.services_ipv4_cidr = services
    message.cluster_ipv4_cidr, message.services_ipv4_cidr = pods, services
