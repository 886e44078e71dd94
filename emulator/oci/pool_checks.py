"""What the container engine refuses in a node pool, before anything is launched."""

from collections.abc import Iterator
from typing import Final

from emulator.cloud.errors import ApiError
from emulator.cloud.fault import Discontinue
from emulator.oci import account, images, nodes
from emulator.oci.durations import seconds_of
from emulator.oci.errors import invalid
from emulator.oci.network_kinds import SECURITY_GROUPS, SUBNETS
from emulator.oci.shapes import Machine
from emulator.oci.state import Cluster
from emulator.oci.wire import CreatePool, NodeConfig
from emulator.oci.world import World

MAX_SIZE: Final = 1000
_OWN_DOMAINS: Final = ("kubernetes.io", "k8s.io")
_KUBELET_MAY_SET: Final = ("node.kubernetes.io", "kubelet.kubernetes.io")


def check(world: World, cluster: Cluster, details: CreatePool, version: str) -> Machine:
    """The machine of the pool's nodes, when the pool can be as described.

    Raises:
        ApiError: 400 with every fault; 404 for references to nothing.
    """
    config = details.node_config_details
    preemptible = any(placement.preemptible_node_config for placement in config.placement_configs)
    images.check_version(version)
    machine = _machine(world, details, preemptible=preemptible)
    images.check_image(details.node_source_details.image_id, version, machine)
    _check_references(world, cluster, config)
    faults = [
        *_place_faults(config, machine),
        *_pod_network_faults(cluster, config, machine),
        *_label_faults(details),
    ]
    if faults:
        raise invalid("; ".join(faults))
    if details.node_eviction_node_pool_settings is not None:
        seconds_of("evictionGraceDuration", details.node_eviction_node_pool_settings.eviction_grace_duration)
    try:
        nodes.registered_taints(details.node_metadata or {})
    except (nodes.TaintFault, ValueError) as fault:
        raise invalid(str(fault)) from None
    return machine


def _machine(world: World, details: CreatePool, *, preemptible: bool) -> Machine:
    try:
        return world.shapes.machine(details.node_shape, details.node_shape_config, preemptible=preemptible)
    except ApiError:
        world.faults.note(Discontinue, details.node_shape, world.clock.now())
        raise


def check_size(size: int) -> None:
    """Refuse a pool with too many nodes."""
    if size > MAX_SIZE:
        raise ApiError(400, "LimitExceeded", f"nodeConfigDetails.size: {size} is more than {MAX_SIZE}")


def check_same_kind(before: Machine, after: Machine) -> None:
    """Refuse what cannot be changed in a pool: its architecture, and whether it has GPUs."""
    if before.arch != after.arch:
        raise invalid(
            f"nodeShape: a node pool cannot change from {before.arch} to {after.arch}; make a new one"
        )
    if (before.gpus > 0) != (after.gpus > 0):
        raise invalid("nodeShape: a node pool cannot change between GPU and non-GPU shapes; make a new one")


def _check_references(world: World, cluster: Cluster, config: NodeConfig) -> None:
    pods = config.node_pool_pod_network_option_details
    subnets = [placement.subnet_id for placement in config.placement_configs]
    groups = list(config.nsg_ids or ())
    if pods is not None:
        subnets += pods.pod_subnet_ids or ()
        groups += pods.pod_nsg_ids or ()
    for kind, ids in ((SUBNETS, subnets), (SECURITY_GROUPS, groups)):
        for resource_id in ids:
            vcn = world.store.get(kind, resource_id).value["vcnId"]
            if vcn != cluster.details.vcn_id:
                raise invalid(
                    f"{kind.path}: {resource_id} is not in the cluster's VCN {cluster.details.vcn_id}"
                )


def _place_faults(config: NodeConfig, machine: Machine) -> Iterator[str]:
    kinds = {placement.preemptible_node_config is not None for placement in config.placement_configs}
    if len(kinds) > 1:
        yield "placementConfigs: all or none must have preemptibleNodeConfig"
    for placement in config.placement_configs:
        domain = placement.availability_domain
        if domain not in account.AVAILABILITY_DOMAINS:
            yield f"availabilityDomain: '{domain}' must be one of {', '.join(account.AVAILABILITY_DOMAINS)}"
        elif machine.zones and not {domain, account.zone_of(domain)} & set(machine.zones):
            yield f"nodeShape: '{machine.shape}' is not available in {domain}"
        for fault_domain in placement.fault_domains or ():
            if fault_domain not in account.FAULT_DOMAINS:
                yield f"faultDomains: '{fault_domain}' must be one of {', '.join(account.FAULT_DOMAINS)}"


def _pod_network_faults(cluster: Cluster, config: NodeConfig, machine: Machine) -> Iterator[str]:
    pods = config.node_pool_pod_network_option_details
    native = pods is not None and pods.cni_type == "OCI_VCN_IP_NATIVE"
    if native != cluster.vcn_native:
        wanted = "OCI_VCN_IP_NATIVE" if cluster.vcn_native else "FLANNEL_OVERLAY"
        yield f"nodePoolPodNetworkOptionDetails.cniType: must be {wanted}, as the cluster's"
    if pods is None or not native:
        return
    if not pods.pod_subnet_ids:
        yield "nodePoolPodNetworkOptionDetails.podSubnetIds: required for OCI_VCN_IP_NATIVE"
    if pods.max_pods_per_node is not None and cluster.pace.accounting == "documented":
        most = machine.max_pods("documented", None)
        if pods.max_pods_per_node > most:
            yield (
                f"nodePoolPodNetworkOptionDetails.maxPodsPerNode: {pods.max_pods_per_node} is more than the "
                f"{most} that {machine.ocpus} OCPU of {machine.shape} take"
            )


def _label_faults(details: CreatePool) -> Iterator[str]:
    for label in details.initial_node_labels or ():
        domain = label.key.split("/", 1)[0] if "/" in label.key else ""
        reserved = domain.endswith(_OWN_DOMAINS) and not domain.endswith(_KUBELET_MAY_SET)
        if reserved:
            yield f"initialNodeLabels: '{label.key}' is in a domain that a kubelet may not set"
