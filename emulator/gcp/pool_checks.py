"""What a node pool has to be, and what the cloud fills in."""

import re
from collections.abc import Iterator
from typing import Final

from google.cloud import container_v1

from emulator.cloud.errors import ApiError
from emulator.cloud.fault import Discontinue
from emulator.gcp import account
from emulator.gcp.errors import denied, invalid
from emulator.gcp.machines import Machine
from emulator.gcp.principal import Principal
from emulator.gcp.state import Cluster
from emulator.gcp.versions import of_nodes, version_number
from emulator.gcp.world import World

IMAGES: Final = ("COS_CONTAINERD", "UBUNTU_CONTAINERD")
DEFAULT_MACHINE: Final = "e2-medium"
DEFAULT_DISK_GIB: Final = 100
LEAST_DISK_GIB: Final = 10
MOST_NODES: Final = 1000
"""In each zone of a pool."""
_MOST_PODS: Final = range(8, 257)
_NAME: Final = re.compile(r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$")
_LABEL_KEY: Final = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")
_LABEL_VALUE: Final = re.compile(r"^[a-z0-9_-]{0,63}$")
_SCOPES: Final = (
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
)


def complete(cluster: Cluster, pool: container_v1.NodePool) -> None:
    """Fill in what was not given, all but what depends on the machine."""
    config = pool.config
    config.machine_type = config.machine_type or DEFAULT_MACHINE
    config.disk_size_gb = config.disk_size_gb or DEFAULT_DISK_GIB
    config.image_type = (config.image_type or IMAGES[0]).upper()
    config.service_account = config.service_account or "default"
    if not config.oauth_scopes:
        config.oauth_scopes = list(_SCOPES)
    if "disable-legacy-endpoints" not in config.metadata:
        config.metadata["disable-legacy-endpoints"] = "true"
    if "shielded_instance_config" not in config:
        config.shielded_instance_config = container_v1.ShieldedInstanceConfig(
            enable_integrity_monitoring=True
        )
    if cluster.identifies_workloads and "workload_metadata_config" not in config:
        config.workload_metadata_config = container_v1.WorkloadMetadataConfig(
            mode=container_v1.WorkloadMetadataConfig.Mode.GKE_METADATA
        )
    pool.config = config
    if not pool.locations:
        pool.locations = list(cluster.zones)
    if "management" not in pool:
        pool.management = container_v1.NodeManagement(auto_upgrade=True, auto_repair=True)
    if "upgrade_settings" not in pool:
        surge = container_v1.NodePoolUpdateStrategy.SURGE
        pool.upgrade_settings = container_v1.NodePool.UpgradeSettings(max_surge=1, strategy=surge)
    if not pool.max_pods_constraint.max_pods_per_node:
        pool.max_pods_constraint = cluster.message.default_max_pods_constraint
    pool.version = of_nodes(pool.version, cluster.message.current_master_version)


def check(world: World, cluster: Cluster, pool: container_v1.NodePool) -> dict[str, Machine]:
    """The machine of each zone.

    Raises:
        ApiError: 400 with every fault.
    """
    faults = [*_faults(cluster, pool)]
    if faults:
        raise invalid("; ".join(faults))
    try:
        machines = {zone: world.machines.machine(pool.config, zone) for zone in pool.locations}
    except ApiError:
        world.faults.note(Discontinue, pool.config.machine_type, world.clock.now())
        raise
    machine = next(iter(machines.values()))
    kind = pool.config.disk_type or machine.disk_types[0]
    if kind not in machine.disk_types:
        raise invalid(
            f"[{kind}] features are not compatible for creating instance of machine type "
            f"{machine.machine_type}; disk types: {', '.join(machine.disk_types)}."
        )
    config = pool.config
    config.disk_type = kind
    if config.accelerators or not machine.gpus:
        return machines
    config.accelerators = [
        container_v1.AcceleratorConfig(accelerator_count=machine.gpus, accelerator_type=machine.accelerator)
    ]
    return machines


def check_may_use(world: World, caller: Principal, pool: container_v1.NodePool) -> None:
    """Nodes act as their service account, so whoever makes them has to be allowed to.

    Raises:
        ApiError: 400 when there is no such account, 403.
    """
    email = pool.config.service_account
    email = account.DEFAULT_NODES if email == "default" else email
    found = world.accounts.find(email)
    if found is None:
        raise invalid(f'Service account "{email}" does not exist.')
    resources = (found.name, f"projects/{account.PROJECT}")
    if not caller.owns_everything and not world.policies.allow(
        caller.member, "iam.serviceAccounts.actAs", *resources
    ):
        raise denied(
            f'The user does not have access to service account "{email}". Ask a project owner to grant you '
            "the iam.serviceAccountUser role on the service account."
        )


def label_faults(labels: dict[str, str]) -> Iterator[str]:
    """Resource labels that Google does not take."""
    for key, value in labels.items():
        if not _LABEL_KEY.match(key) or not _LABEL_VALUE.match(value):
            yield (
                f"resource label {key}={value}: keys and values may have only lowercase letters, digits, "
                "underscores and dashes, at most 63; keys begin with a letter"
            )


def count_fault(count: int) -> str | None:
    """What is wrong with a number of nodes in each zone."""
    return None if 0 <= count <= MOST_NODES else f"node count {count} must be between 0 and {MOST_NODES}"


def autoscaling_faults(wanted: container_v1.NodePoolAutoscaling) -> Iterator[str]:
    """What is wrong with a pool's limits."""
    if not wanted.enabled:
        return
    per_zone = bool(wanted.min_node_count or wanted.max_node_count)
    total = bool(wanted.total_min_node_count or wanted.total_max_node_count)
    if per_zone and total:
        yield "autoscaling: limits per zone and total limits cannot be given together"
    elif not wanted.max_node_count and not wanted.total_max_node_count:
        yield "autoscaling: max_node_count or total_max_node_count must be greater than zero"
    for least, most in (
        (wanted.min_node_count, wanted.max_node_count),
        (wanted.total_min_node_count, wanted.total_max_node_count),
    ):
        if least > most:
            yield f"autoscaling: the least size {least} is greater than the most {most}"


def _faults(cluster: Cluster, pool: container_v1.NodePool) -> Iterator[str]:
    config = pool.config
    if not _NAME.match(pool.name):
        yield (
            f"NodePool.name: '{pool.name}' must have at most 40 lowercase letters, digits and dashes, begin "
            "with a letter and not end with a dash"
        )
    zones = account.zones_of(account.region_of(cluster.location))
    for zone in pool.locations:
        if zone not in zones:
            yield f"NodePool.locations: '{zone}' is not a zone of the cluster's region: {', '.join(zones)}"
    if config.image_type not in IMAGES:
        yield f"NodeConfig.image_type: '{config.image_type}' must be one of {', '.join(IMAGES)}"
    if config.disk_size_gb < LEAST_DISK_GIB:
        yield f"NodeConfig.disk_size_gb: {config.disk_size_gb} must be at least {LEAST_DISK_GIB}"
    if int(pool.max_pods_constraint.max_pods_per_node) not in _MOST_PODS:
        yield f"NodePool.max_pods_constraint: must be from {_MOST_PODS.start} to {_MOST_PODS.stop - 1}"
    if fault := count_fault(pool.initial_node_count):
        yield f"NodePool.initial_node_count: {fault}"
    for taint in config.taints:
        if not taint.key or not taint.effect:
            yield f"NodeConfig.taints: '{taint.key}' needs a key and an effect"
    yield from label_faults(dict(config.resource_labels))
    yield from autoscaling_faults(pool.autoscaling)
    yield from _version_faults(cluster, pool.version)


def _version_faults(cluster: Cluster, version: str) -> Iterator[str]:
    if version not in account.KUBERNETES_VERSIONS:
        yield f"NodePool.version: '{version}' must be one of {', '.join(account.KUBERNETES_VERSIONS)}"
        return
    master = cluster.message.current_master_version
    if version_number(version) > version_number(master):
        yield f"NodePool.version: '{version}' is newer than the control plane's {master}"
