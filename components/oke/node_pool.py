"""What the management pool and the GPU pools have in common, as arguments of one `NodePool`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_oci as oci

from catalog import kubelet
from components.oke.cluster import CNI
from components.oke.network import Network
from components.oke.network_rules import PODS, WORKERS

_PATIENCE: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")
"""GPU machines can be slow to come, and nodes are drained before they go."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pools of a cluster stand."""

    compartment_id: str
    cluster_id: pulumi.Output[str]
    kubernetes_version: str
    network: Network
    accounting: str


@dataclass(frozen=True, slots=True)
class Hardware:
    """What one node of a pool is."""

    shape: str
    machine: kubelet.Machine
    flexible_ocpus: int | None
    """Only of flexible shapes; a fixed one has the size its name says."""
    image_id: str
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class PoolArgs:
    """What tells one pool from the next."""

    hardware: Hardware
    labels: Mapping[str, str]
    taints: tuple[str, ...]
    size: int
    availability_domains: Sequence[str]


def pool(name: str, site: Site, args: PoolArgs, opts: pulumi.ResourceOptions) -> Any:
    """Declare a node pool; its nodes have private addresses only."""
    hardware = args.hardware
    ce = oci.containerengine
    arguments = kubelet.extra_args(hardware.machine, site.accounting, args.taints)
    return ce.NodePool(
        name,
        name=name,
        compartment_id=site.compartment_id,
        cluster_id=site.cluster_id,
        kubernetes_version=site.kubernetes_version,
        node_shape=hardware.shape,
        node_shape_config=_shape_config(hardware),
        node_source_details=ce.NodePoolNodeSourceDetailsArgs(
            source_type="IMAGE",
            image_id=hardware.image_id,
            boot_volume_size_in_gbs=str(hardware.boot_volume_gib),
        ),
        node_config_details=_config_details(site, args),
        initial_node_labels=[
            ce.NodePoolInitialNodeLabelArgs(key=key, value=value)
            for key, value in sorted(args.labels.items())
        ],
        node_metadata=dict(kubelet.node_metadata(arguments, hardware.boot_volume_gib)),
        node_eviction_node_pool_settings=ce.NodePoolNodeEvictionNodePoolSettingsArgs(
            eviction_grace_duration="PT10M", is_force_delete_after_grace_duration=True
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_PATIENCE)),
    )


def _shape_config(hardware: Hardware) -> Any:
    if hardware.flexible_ocpus is None:
        return None
    return oci.containerengine.NodePoolNodeShapeConfigArgs(
        ocpus=float(hardware.flexible_ocpus), memory_in_gbs=float(hardware.machine.memory_gib)
    )


def _config_details(site: Site, args: PoolArgs) -> Any:
    ce = oci.containerengine
    workers = site.network.subnet_ids[WORKERS]
    return ce.NodePoolNodeConfigDetailsArgs(
        size=args.size,
        placement_configs=[
            ce.NodePoolNodeConfigDetailsPlacementConfigArgs(availability_domain=domain, subnet_id=workers)
            for domain in args.availability_domains
        ],
        nsg_ids=[site.network.group_ids[WORKERS]],
        node_pool_pod_network_option_details=ce.NodePoolNodeConfigDetailsNodePoolPodNetworkOptionDetailsArgs(
            cni_type=CNI,
            pod_subnet_ids=[site.network.subnet_ids[PODS]],
            pod_nsg_ids=[site.network.group_ids[PODS]],
            max_pods_per_node=args.hardware.machine.max_pods,
        ),
    )
