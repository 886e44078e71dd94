"""What the management pool and the GPU pools have in common, as arguments of one `NodePool`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from catalog.boot_disks import boot_disk_type
from components.gke.node_identity import SCOPES

_PATIENCE: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")
"""GPU machines can be slow to come, and nodes are drained before they go."""
_ARM: Final = "arm64"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pools of a cluster stand."""

    project: str
    location: str
    cluster_name: pulumi.Input[str]
    node_account: pulumi.Input[str]
    """E-mail address of the nodes' service account."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What one node of a pool is."""

    machine_type: str
    arch: str
    accelerator: str
    """Type of its GPUs; empty: it has none."""
    gpus: int
    boot_disk_gib: int
    streaming: bool = False
    """Whether containers start while their image is still pulled."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many nodes, enforced."""

    nodes: int


@dataclass(frozen=True, slots=True)
class UpTo:
    """As many nodes as the cloud's autoscaler wants, from none."""

    nodes: int


@dataclass(frozen=True, slots=True)
class PoolArgs:
    """What tells one pool from the next."""

    hardware: Hardware
    labels: Mapping[str, str]
    taints: Mapping[str, str]
    """Values by key; all of them keep pods away that do not tolerate them."""
    zones: Sequence[str]
    size: Fixed | UpTo
    """Of a fixed pool in each zone, of an autoscaled one in all together."""


def pool(name: str, site: Site, args: PoolArgs, opts: pulumi.ResourceOptions) -> Any:
    """Declare a node pool; its nodes have private addresses only."""
    ce = gcp.container
    return ce.NodePool(
        name,
        name=name,
        project=site.project,
        location=site.location,
        cluster=site.cluster_name,
        node_locations=list(args.zones),
        node_config=_config(site, args),
        management=ce.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
        upgrade_settings=_upgrades(args.hardware),
        **_size(args.size),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=_PATIENCE)),
    )


def fixed_pools(name: str, site: Site, args: PoolArgs, opts: pulumi.ResourceOptions) -> list[Any]:
    """Declare a fixed pool of so many nodes in all: one for each zone, since a pool's size counts in each."""
    return [
        pool(numbered(name, index), site, replace(args, zones=[zone], size=Fixed(nodes)), opts)
        for index, (zone, nodes) in enumerate(spread(args.size.nodes, args.zones).items())
    ]


def spread(nodes: int, zones: Sequence[str]) -> dict[str, int]:
    """So many nodes over the zones, as evenly as it goes, the first ones first; none where none falls."""
    share, more = divmod(nodes, len(zones))
    counts = {zone: share + (index < more) for index, zone in enumerate(zones)}
    return {zone: count for zone, count in counts.items() if count}


def numbered(name: str, index: int) -> str:
    """Name of a pool among its like, counted from 0; the first one has the name alone."""
    return f"{name}-{index + 1}" if index else name


def _size(size: Fixed | UpTo) -> dict[str, Any]:
    if isinstance(size, Fixed):
        return {"node_count": size.nodes}
    autoscaling = gcp.container.NodePoolAutoscalingArgs(
        total_min_node_count=0, total_max_node_count=size.nodes, location_policy="ANY"
    )
    return {"initial_node_count": 0, "autoscaling": autoscaling}


def _upgrades(hardware: Hardware) -> Any:
    """One node more while it lasts; where GPUs are scarce, one less."""
    surge = 0 if hardware.gpus else 1
    return gcp.container.NodePoolUpgradeSettingsArgs(
        strategy="SURGE", max_surge=surge, max_unavailable=1 - surge
    )


def _config(site: Site, args: PoolArgs) -> Any:
    ce = gcp.container
    hardware = args.hardware
    return ce.NodePoolNodeConfigArgs(
        machine_type=hardware.machine_type,
        image_type="COS_CONTAINERD",
        disk_type=boot_disk_type(hardware.machine_type),
        disk_size_gb=hardware.boot_disk_gib,
        labels=dict(args.labels),
        taints=[
            ce.NodePoolNodeConfigTaintArgs(key=key, value=value, effect="NO_SCHEDULE")
            for key, value in args.taints.items()
        ],
        taint_config=_architecture(hardware),
        guest_accelerators=_accelerators(hardware),
        service_account=site.node_account,
        oauth_scopes=list(SCOPES),
        metadata={"disable-legacy-endpoints": "true"},
        workload_metadata_config=ce.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
        gcfs_config=ce.NodePoolNodeConfigGcfsConfigArgs(enabled=True) if hardware.streaming else None,
        shielded_instance_config=ce.NodePoolNodeConfigShieldedInstanceConfigArgs(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
    )


def _architecture(hardware: Hardware) -> Any:
    """Arm nodes would keep the cloud's own pods away, where there are no others."""
    if hardware.arch != _ARM:
        return None
    return gcp.container.NodePoolNodeConfigTaintConfigArgs(architecture_taint_behavior="NONE")


def _accelerators(hardware: Hardware) -> list[Any] | None:
    """The GPUs, with the driver that the cloud installs."""
    if not hardware.gpus:
        return None
    ce = gcp.container
    driver = ce.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(
        gpu_driver_version="DEFAULT"
    )
    return [
        ce.NodePoolNodeConfigGuestAcceleratorArgs(
            type=hardware.accelerator, count=hardware.gpus, gpu_driver_installation_config=driver
        )
    ]
