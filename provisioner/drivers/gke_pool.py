"""A pool's identity as GKE's node pool, and back.

Machine type, zone, capacity type, labels and taints are the node pool's own; shape and memory stand
in its resource labels, whose values take lower-case letters, digits and dashes only. The name is for
people; its last part is the hash.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from catalog.accelerators import ACCELERATORS
from catalog.allocatable import GIB, MAX_PODS
from catalog.boot_disks import boot_disk_type
from catalog.names import CLUSTER_TAG
from catalog.offering import ON_DEMAND, SPOT, Offering
from provisioner.core.market import Catalog
from provisioner.core.model import Taint
from provisioner.core.opening import STARTING
from provisioner.core.pools import Instance, PoolSpec
from provisioner.drivers import made_by
from provisioner.drivers.contract import Denied

_SHAPE: Final = "rightsize-shape"
_MEMORY: Final = "rightsize-memory-mib"
_DIGEST: Final = "rightsize-identity"
_ATTACHED: Final = ("+", "--")
"""What stands between machine type and GPU in a shape's name, and in a resource label instead."""
_LONGEST_NAME: Final = 40
_GOOGLES: Final = "cloud.google.com/"
"""Labels that begin so are put there by the cloud."""
_GPU: Final = Taint("nvidia.com/gpu", "present", "NoSchedule")
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_EFFECTS: Final[Mapping[str, str]] = MappingProxyType(
    {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
)
_GOING: Final = ("DELETING", "ABANDONING")
_COMING: Final = ("CREATING", "CREATING_WITHOUT_RETRIES", "RECREATING")
_INSTANCE: Final = re.compile(r"projects/(?P<project>[^/]+)/zones/(?P<zone>[^/]+)/instances/(?P<name>[^/]+)$")
_GROUP: Final = re.compile(r"zones/(?P<zone>[^/]+)/instanceGroup(?:Manager)?s/(?P<name>[^/]+)$")


@dataclass(frozen=True, slots=True)
class GkeSite:
    """Where the nodes of one cluster are launched, and as what."""

    project: str
    location: str
    """The cluster's zone, or its region."""
    cluster: str
    """The cluster's name."""
    zones: tuple[str, ...]
    node_service_account: str
    boot_disk_gib: int = 50
    boot_disk_type: str = ""
    """Empty: what the machine's series takes."""
    network_tags: tuple[str, ...] = ()
    image_streaming: bool = False
    """Whether containers start while their image is still pulled."""

    @property
    def place(self) -> str:
        """Parent of the cluster and of its operations."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def parent(self) -> str:
        """Parent of the node pools."""
        return f"{self.place}/clusters/{self.cluster}"

    def path(self, pool: str) -> str:
        """A node pool's full name."""
        return f"{self.parent}/nodePools/{pool}"


@dataclass(frozen=True, slots=True)
class Group:
    """An instance group, as a node pool refers to it."""

    zone: str
    name: str


def ephemeral_storage_bytes(disk_gib: int) -> int:
    """What a boot disk leaves to pods: less 10 % for eviction, and less the system's part.

    That is the least of 50 %, 35 % and 6 GiB, and 100 GiB, by Google's page on planning node sizes.
    """
    system = min(disk_gib * 0.5, disk_gib * 0.35 + 6, 100)
    return int((disk_gib * 0.9 - system) * GIB)


def name_of(spec: PoolSpec, settings: str) -> str:
    """Readable, and unique by its hash: `rs-t2a-standard-1-f-0a1b2c3d`."""
    zone, last = spec.zone.rpartition("-")[2], made_by.identity(spec, settings)
    parts = ("rs", spec.shape.replace("+", "-"), zone, "spot" if spec.capacity_type == SPOT else "")
    readable = "-".join(part for part in parts if part)[: _LONGEST_NAME - 1 - len(last)]
    return f"{readable.rstrip('-')}-{last}"


def resource_labels(spec: PoolSpec, cluster: str, settings: str) -> dict[str, str]:
    """What tells that a node pool is ours, and what of its identity and its settings it does not state itself."""
    return {
        CLUSTER_TAG: cluster,
        _SHAPE: spec.shape.replace(*_ATTACHED),
        _MEMORY: str(int(spec.memory_gib * 1024)),
        _DIGEST: spec.digest,
        made_by.SETTINGS_TAG: settings,
    }


def is_ours(pool: Any, cluster: str) -> bool:
    """Whether a node pool was bought for that cluster."""
    return bool(pool.config.resource_labels.get(CLUSTER_TAG) == cluster)


def spec_of(pool: Any) -> PoolSpec | None:
    """The identity of a node pool of ours; None when it does not tell one.

    The cloud adds a taint to GPU pools, which is part of an identity only where we put it ourselves:
    the hash says which.
    """
    tags, config = pool.config.resource_labels, pool.config
    stated = tuple(
        Taint(each.key, each.value, _effect(each.effect.name))
        for each in config.taints
        if each.key != STARTING.key
    )
    try:
        found = [
            PoolSpec(
                shape=tags[_SHAPE].replace(*reversed(_ATTACHED)),
                ocpus=0,
                memory_gib=Decimal(tags[_MEMORY]) / 1024,
                zone=pool.locations[0],
                capacity_type=SPOT if config.spot else ON_DEMAND,
                labels=tuple(
                    sorted(each for each in config.labels.items() if not each[0].startswith(_GOOGLES))
                ),
                taints=taints,
            )
            for taints in (tuple(each for each in stated if each.key != _GPU.key), stated)
        ]
    except (KeyError, IndexError, ValueError, InvalidOperation):
        return None
    return next((spec for spec in found if spec.digest == tags.get(_DIGEST)), found[0])


def creation(spec: PoolSpec, count: int, site: GkeSite, catalog: Catalog) -> Any:
    """The order of a new pool; raises Denied for what this site cannot launch."""
    order = _order(spec, site, catalog)
    settings = _settings(order)
    order.name, order.initial_node_count = name_of(spec, settings), count
    order.config.resource_labels = resource_labels(spec, site.cluster, settings)
    return order


def settings_of(spec: PoolSpec, site: GkeSite, catalog: Catalog) -> str:
    """By which settings a pool is made today; raises Denied for what this site cannot launch.

    The version of Kubernetes is not one of them: it is the cluster's, and the cloud upgrades its pools itself.
    """
    return _settings(_order(spec, site, catalog))


def is_outdated(pool: Any, spec: PoolSpec, site: GkeSite, catalog: Catalog) -> bool:
    """Whether a pool was made by other settings than today's; one that does not say is not."""
    said = pool.config.resource_labels.get(made_by.SETTINGS_TAG)
    return made_by.is_outdated(said, partial(settings_of, spec, site, catalog))


def _settings(order: Any) -> str:
    return made_by.digest(type(order).to_dict(order))


def _order(spec: PoolSpec, site: GkeSite, catalog: Catalog) -> Any:
    from google.cloud import container_v1 as gke

    offering = catalog.find(spec.shape, spec.capacity_type)
    if offering is None:
        raise Denied(f"{spec.shape} ({spec.capacity_type}) is not in the catalog any more")
    if spec.zone not in site.zones:
        raise Denied(f"zone {spec.zone or '(none)'} is none of {', '.join(site.zones)}: correct zones")
    most = catalog.size(offering).max_pods
    return gke.NodePool(
        locations=[spec.zone],
        config=_config(spec, offering, site),
        # A cluster in a release channel accepts neither without the other.
        management=gke.NodeManagement(auto_upgrade=True, auto_repair=True),
        max_pods_constraint=gke.MaxPodsConstraint(max_pods_per_node=most) if most != MAX_PODS else None,
    )


def groups_of(pool: Any) -> tuple[Group, ...]:
    """The instance groups of a node pool; none while it is being made."""
    matches = (_GROUP.search(url) for url in pool.instance_group_urls)
    return tuple(Group(match["zone"], match["name"]) for match in matches if match)


def provider_id(machine: Any) -> str:
    """What `spec.providerID` of a managed instance's node is or will be; empty before it has a name."""
    match = _INSTANCE.search(machine.instance)
    return f"gce://{match['project']}/{match['zone']}/{match['name']}" if match else ""


def instances_of(machines: Iterable[Any]) -> tuple[Instance, ...]:
    """Machines that exist or are on their way; not those that could not be launched."""
    return tuple(
        Instance(
            provider_id(each), provider_id(each).rpartition("/")[2], is_leaving=each.current_action in _GOING
        )
        for each in machines
        if provider_id(each) and not is_broken(each)
    )


def is_broken(machine: Any) -> bool:
    """Whether a machine was tried and could not be had; the group tries it again for ever."""
    return machine.current_action in _COMING and bool(errors_of(machine))


def errors_of(machine: Any) -> tuple[str, ...]:
    """What went wrong with the last attempt on a machine."""
    return tuple(f"{each.code}: {each.message}" for each in machine.last_attempt.errors.errors)


def _config(spec: PoolSpec, offering: Offering, site: GkeSite) -> Any:
    from google.cloud import container_v1 as gke

    taints = dict.fromkeys((*spec.taints, *([_GPU] if offering.gpus else []), STARTING))
    return gke.NodeConfig(
        machine_type=offering.machine_type,
        image_type="COS_CONTAINERD",
        disk_size_gb=site.boot_disk_gib,
        disk_type=site.boot_disk_type or boot_disk_type(offering.machine_type),
        labels=dict(spec.labels),
        taints=[
            gke.NodeTaint(key=each.key, value=each.value, effect=_EFFECTS[each.effect]) for each in taints
        ],
        # Pods say by selector what they need; a taint by architecture would only be in their way.
        taint_config=gke.TaintConfig(
            architecture_taint_behavior=gke.TaintConfig.ArchitectureTaintBehavior.NONE
        ),
        gcfs_config=gke.GcfsConfig(enabled=True) if site.image_streaming else None,
        accelerators=_accelerators(offering),
        spot=spec.capacity_type == SPOT,
        service_account=site.node_service_account,
        oauth_scopes=list(_SCOPES),
        tags=list(site.network_tags),
        metadata={"disable-legacy-endpoints": "true"},
        workload_metadata_config=gke.WorkloadMetadataConfig(
            mode=gke.WorkloadMetadataConfig.Mode.GKE_METADATA
        ),
        shielded_instance_config=gke.ShieldedInstanceConfig(
            enable_secure_boot=True, enable_integrity_monitoring=True
        ),
    )


def _accelerators(offering: Offering) -> list[Any]:
    from google.cloud import container_v1 as gke

    if not offering.gpus:
        return []
    if offering.gpu_model not in ACCELERATORS:
        known = ", ".join(ACCELERATORS)
        raise Denied(f"{offering.shape} has a GPU of model {offering.gpu_model!r}; known are {known}")
    driver = gke.GPUDriverInstallationConfig(
        gpu_driver_version=gke.GPUDriverInstallationConfig.GPUDriverVersion.DEFAULT
    )
    return [
        gke.AcceleratorConfig(
            accelerator_count=offering.gpus,
            accelerator_type=ACCELERATORS[offering.gpu_model],
            gpu_driver_installation_config=driver,
        )
    ]


def _effect(googles: str) -> str:
    return next((ours for ours, theirs in _EFFECTS.items() if theirs == googles), "")
