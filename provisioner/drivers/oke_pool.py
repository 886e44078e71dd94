"""A pool's identity as OKE's node pool, and back.

Shape, size, zone, capacity type and taints stand in the pool's tags, labels in the pool's own
labels (a tag's value takes 256 characters). The name is for people; its last part is the hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from catalog.kubelet import Machine, extra_args, node_metadata
from catalog.names import CLUSTER_TAG
from catalog.offering import SPOT
from provisioner.core.market import Catalog, Size
from provisioner.core.model import Taint
from provisioner.core.opening import STARTING
from provisioner.core.pools import Instance, PoolSpec
from provisioner.drivers import made_by
from provisioner.drivers.contract import Denied

_SHAPE: Final = "rightsize-shape"
_OCPUS: Final = "rightsize-ocpus"
_MEMORY: Final = "rightsize-memory-gib"
_ZONE: Final = "rightsize-zone"
_CAPACITY_TYPE: Final = "rightsize-capacity-type"
_TAINTS: Final = "rightsize-taints"
_LONGEST_TAG: Final = 256

GRACE: Final = "PT0M"
"""No drain by the cloud: nodes are empty when they are given back."""


@dataclass(frozen=True, slots=True)
class OkeSite:
    """Where the nodes of one cluster are launched, and as what."""

    cluster_id: str
    compartment_id: str
    kubernetes_version: str
    node_images: Mapping[str, str]
    """Image ids by kind of node: arm64, amd64, amd64-gpu."""
    availability_domains: tuple[str, ...]
    worker_subnet_id: str
    worker_nsg_ids: tuple[str, ...] = ()
    pod_subnet_ids: tuple[str, ...] = ()
    """Empty: the cluster's pods do not use the VCN's own addresses."""
    pod_nsg_ids: tuple[str, ...] = ()
    boot_volume_gib: int = 50

    @property
    def zones(self) -> tuple[str, ...]:
        """Availability domains as nodes are labelled with them: without the tenancy's prefix."""
        return tuple(zone_of(domain) for domain in self.availability_domains)


def zone_of(domain: str) -> str:
    """`EMUL:US-ASHBURN-AD-1` is the zone `US-ASHBURN-AD-1`."""
    return domain.rpartition(":")[2]


def name_of(spec: PoolSpec, settings: str) -> str:
    """Readable, and unique by its hash: `rightsize-a1-1x4-ad-1-0a1b2c3d`."""
    shape = spec.shape.removeprefix("VM.").removeprefix("Standard.").removesuffix(".Flex")
    size = f"{spec.ocpus}x{spec.memory_gib:f}" if spec.ocpus else ""
    zone = "-".join(spec.zone.split("-")[-2:])
    spot = "spot" if spec.capacity_type == SPOT else ""
    parts = ("rightsize", shape, size, zone, spot, made_by.identity(spec, settings))
    return "-".join(part for part in parts if part).lower().replace(".", "-")


def tags_of(spec: PoolSpec, cluster_id: str, settings: str) -> dict[str, str]:
    """Free-form tags from which the identity can be read again; raises Denied if one is too long."""
    tags = {
        CLUSTER_TAG: cluster_id,
        _SHAPE: spec.shape,
        _OCPUS: str(spec.ocpus),
        _MEMORY: f"{spec.memory_gib:f}",
        _ZONE: spec.zone,
        _CAPACITY_TYPE: spec.capacity_type,
        _TAINTS: ",".join(map(str, spec.taints)),
        made_by.SETTINGS_TAG: settings,
    }
    for key, value in tags.items():
        if len(value) > _LONGEST_TAG:
            raise Denied(
                f"tag {key} would have {len(value)} characters, OCI takes {_LONGEST_TAG}: {value[:40]}…"
            )
    return tags


def spec_of(pool: Any) -> PoolSpec | None:
    """The identity of a node pool of ours; None when its tags do not tell one."""
    tags = pool.freeform_tags or {}
    try:
        return PoolSpec(
            shape=tags[_SHAPE],
            ocpus=int(tags[_OCPUS]),
            memory_gib=Decimal(tags[_MEMORY]),
            zone=tags[_ZONE],
            capacity_type=tags[_CAPACITY_TYPE],
            labels=tuple(sorted((each.key, each.value) for each in pool.initial_node_labels or ())),
            taints=tuple(Taint.parse(text) for text in tags[_TAINTS].split(",") if text),
        )
    except (KeyError, ValueError, InvalidOperation):
        return None


def creation(spec: PoolSpec, count: int, site: OkeSite, catalog: Catalog) -> Any:
    """The order of a new pool; raises Denied for what this site cannot launch."""
    order = _order(spec, site, catalog)
    settings = _settings(order)
    order.name, order.node_config_details.size = name_of(spec, settings), count
    order.freeform_tags = tags_of(spec, site.cluster_id, settings)
    return order


def settings_of(spec: PoolSpec, site: OkeSite, catalog: Catalog) -> str:
    """By which settings a pool is made today; raises Denied for what this site cannot launch."""
    return _settings(_order(spec, site, catalog))


def is_outdated(pool: Any, spec: PoolSpec, site: OkeSite, catalog: Catalog) -> bool:
    """Whether a pool was made by other settings than today's; one that does not say is not."""
    said = (pool.freeform_tags or {}).get(made_by.SETTINGS_TAG)
    return made_by.is_outdated(said, partial(settings_of, spec, site, catalog))


def _settings(order: Any) -> str:
    from oci.util import to_dict

    return made_by.digest(to_dict(order))


def _order(spec: PoolSpec, site: OkeSite, catalog: Catalog) -> Any:
    from oci.container_engine import models

    size = _size(spec, catalog)
    domain = next((each for each in site.availability_domains if zone_of(each) == spec.zone), None)
    if domain is None:
        raise Denied(f"zone {spec.zone} is none of {', '.join(site.zones)}: correct availability_domains")
    details: dict[str, Any] = {
        "compartment_id": site.compartment_id,
        "cluster_id": site.cluster_id,
        "kubernetes_version": site.kubernetes_version,
        "node_shape": size.offering.machine_type,
        "node_source_details": models.NodeSourceViaImageDetails(
            image_id=_image(size, site), boot_volume_size_in_gbs=site.boot_volume_gib
        ),
        "initial_node_labels": [models.KeyValue(key=key, value=value) for key, value in spec.labels],
        "node_config_details": _placement(spec, size, domain, site),
        "node_metadata": _metadata(spec, size, site, catalog.accounting),
        "node_eviction_node_pool_settings": models.NodeEvictionNodePoolSettings(
            eviction_grace_duration=GRACE, is_force_delete_after_grace_duration=True
        ),
    }
    if spec.ocpus:
        details["node_shape_config"] = models.CreateNodeShapeConfigDetails(
            ocpus=float(spec.ocpus), memory_in_gbs=float(spec.memory_gib)
        )
    return models.CreateNodePoolDetails(**details)


def instances_of(pool: Any) -> tuple[Instance, ...]:
    """Machines of a node pool that exist or are on their way; not those that could not be launched."""
    return tuple(
        Instance(node.id, node.private_ip or "", is_leaving=node.lifecycle_state == "DELETING")
        for node in pool.nodes or ()
        if node.id and node.lifecycle_state != "DELETED" and not is_broken(node)
    )


def is_broken(node: Any) -> bool:
    """Whether a machine of a pool will never be a node."""
    return bool(node.node_error) or node.lifecycle_state == "FAILING"


def _size(spec: PoolSpec, catalog: Catalog) -> Size:
    size = catalog.size_of(spec)
    if size is None:
        raise Denied(f"{spec.shape} ({spec.capacity_type}) is not in the catalog any more")
    return size


def _image(size: Size, site: OkeSite) -> str:
    kind = f"{size.offering.arch}-gpu" if size.offering.gpus else size.offering.arch
    if kind not in site.node_images:
        raise Denied(
            f"there is no node image for {kind}; node_images has {', '.join(sorted(site.node_images))}"
        )
    return site.node_images[kind]


def _placement(spec: PoolSpec, size: Size, domain: str, site: OkeSite) -> Any:
    from oci.container_engine import models

    placement: dict[str, Any] = {"availability_domain": domain, "subnet_id": site.worker_subnet_id}
    if spec.capacity_type == SPOT:
        placement["preemptible_node_config"] = models.PreemptibleNodeConfigDetails(
            preemption_action=models.TerminatePreemptionAction(
                type="TERMINATE", is_preserve_boot_volume=False
            )
        )
    config: dict[str, Any] = {
        "size": 0,
        "nsg_ids": list(site.worker_nsg_ids),
        "placement_configs": [models.NodePoolPlacementConfigDetails(**placement)],
    }
    if site.pod_subnet_ids:
        config["node_pool_pod_network_option_details"] = models.OciVcnIpNativeNodePoolPodNetworkOptionDetails(
            pod_subnet_ids=list(site.pod_subnet_ids),
            pod_nsg_ids=list(site.pod_nsg_ids),
            max_pods_per_node=size.max_pods,
        )
    return models.CreateNodePoolNodeConfigDetails(**config)


def _metadata(spec: PoolSpec, size: Size, site: OkeSite, accounting: str) -> dict[str, str]:
    machine = Machine(
        size.offering.arch, size.cpu_millicores // 1000, size.memory_gib, size.offering.gpus, size.max_pods
    )
    arguments = extra_args(machine, accounting, tuple(map(str, (*spec.taints, STARTING))))
    return dict(node_metadata(arguments, site.boot_volume_gib))
