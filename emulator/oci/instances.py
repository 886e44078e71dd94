"""Instances of node pools: launched, booted, drained, terminated, metered."""

import ipaddress
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from emulator.cloud.errors import OperationFailed
from emulator.cloud.ids import unique_part
from emulator.cloud.kube import Kube
from emulator.cloud.meter import INSTANCE, Charge
from emulator.kube.drain import DrainRefused
from emulator.oci import account, capacity, state
from emulator.oci.nodes import Names, node_spec
from emulator.oci.shapes import CLOUD, Machine
from emulator.oci.state import Cluster, Instance, NodePool
from emulator.oci.wire import Placement
from emulator.oci.work_requests import WorkRequest
from emulator.oci.world import World, boot_volume_price

DEFAULT_BOOT_VOLUME_GIB: Final = 50
_RESERVED_ADDRESSES: Final = 2
"""The network address and the router's at the beginning of a subnet; its last one is reserved too."""
_DRAINS_AT_ONCE: Final = 8
_MILLICORES: Final = 1000
_REGISTRATION: Final = 10.0
"""How long a node pool waits for a machine to register, in boots; it takes the real one a quarter of an hour
and more."""


def reconcile(world: World, pool: NodePool, grace_s: float, request: WorkRequest, *, force: bool) -> None:
    """Bring a pool to its size: drain and terminate what is too much, launch and boot what is missing.

    What can be launched is launched and booted, even when the rest cannot.

    Raises:
        OperationFailed: naming what could not be launched or drained.
    """
    with world.lock:
        surplus = _surplus(pool)
        for instance in surplus:
            instance.state = state.DELETING
        launched, failure = _launch_missing(world, pool)
    remove(world, pool, surplus, grace_s, force=force)
    boot(world, pool, launched, request)
    if failure is not None:
        raise failure


def _launch_missing(world: World, pool: NodePool) -> tuple[list[Instance], OperationFailed | None]:
    launched: list[Instance] = []
    missing = pool.size - len(pool.staying())
    for _ in range(missing):
        try:
            launched.append(launch(world, pool))
        except OperationFailed as failure:
            text = f"{missing - len(launched)} node(s) launch failure: {failure.message}"
            return launched, OperationFailed(failure.code, text)
    return launched, None


def launch(world: World, pool: NodePool) -> Instance:
    """Start an instance in the least used place of the pool; the caller holds the lock.

    Raises:
        OperationFailed: there is no machine or no limit left, or the subnet has no address.
    """
    cluster = world.clusters[pool.cluster_id]
    placement = _placement(pool)
    capacity.check(world, pool.machine, placement.availability_domain)
    instance_id = world.ids.next("instance")
    display_name = (
        f"oke-c{unique_part(cluster.id)[:11]}-n{unique_part(pool.id)[:11]}"
        f"-s{unique_part(placement.subnet_id)[:11]}-{pool.slots}"
    )
    fault_domains = placement.fault_domains or account.FAULT_DOMAINS
    names = Names(
        instance_id,
        display_name,
        _free_address(world, placement.subnet_id),
        fault_domains[pool.slots % len(fault_domains)],
    )
    source = pool.details.node_source_details
    instance = Instance(
        id=instance_id,
        slot=pool.slots,
        display_name=display_name,
        private_ip=names.private_ip,
        availability_domain=placement.availability_domain,
        fault_domain=names.fault_domain,
        subnet_id=placement.subnet_id,
        kubernetes_version=pool.kubernetes_version,
        machine=pool.machine,
        node=node_spec(cluster, pool, placement, names),
        boot_volume_gib=source.boot_volume_size_in_gbs or DEFAULT_BOOT_VOLUME_GIB,
    )
    pool.slots += 1
    pool.instances[instance_id] = instance
    _charge(world, cluster, instance)
    return instance


def boot(world: World, pool: NodePool, launched: list[Instance], request: WorkRequest) -> None:
    """Wait until instances have booted and register them as nodes.

    Raises:
        OperationFailed: some never registered; they stay, and are charged for.
    """
    if not launched:
        return
    timing = world.clusters[pool.cluster_id].pace.timing
    world.clock.wait(world.faults.boot_s(timing.boot_delay_s, world.clock.now()))
    kube = _kube(world.clusters[pool.cluster_id])
    lost = []
    for instance in launched:
        if instance.id not in pool.instances:
            continue  # it has vanished while it booted
        if not world.faults.joins(world.clock.now()):
            lost.append(instance)
            continue
        kube.add_node(instance.node)
        with world.lock:
            instance.state = state.ACTIVE
        world.work.log(request, f"node {instance.display_name} ({instance.private_ip}) has joined")
    if lost:
        world.clock.wait(timing.boot_delay_s * _REGISTRATION)
        _give_up(world, lost)


def _give_up(world: World, lost: list[Instance]) -> None:
    message = (
        f"{len(lost)} nodes(s) register timeout. First, confirm that network prerequisites have been met. "
        "If network prerequisites have been met, troubleshoot the problem by running the Node Doctor script "
        "on the node(s) experiencing the issue."
    )
    with world.lock:
        for instance in lost:
            instance.error = ("RegisterTimeOut", message)
    raise OperationFailed("RegisterTimeOut", message)


def remove(world: World, pool: NodePool, leaving: list[Instance], grace_s: float, *, force: bool) -> None:
    """Drain instances and terminate them, a few at a time.

    Raises:
        OperationFailed: not `force`, and a node could not be drained in time; it stays, cordoned.
    """
    kube = _kube(world.clusters[pool.cluster_id])

    def one(instance: Instance) -> str | None:
        try:
            kube.remove_node(instance.node.name, grace_s, force=force)
        except DrainRefused as refusal:
            with world.lock:
                instance.state = state.ACTIVE
                instance.error = ("PodEvictionFailureError", str(refusal))
            return f"{instance.display_name}: {refusal}"
        with world.lock:
            terminate(world, pool, instance)
        return None

    if not leaving:
        return
    with ThreadPoolExecutor(min(_DRAINS_AT_ONCE, len(leaving))) as workers:
        refusals = [text for text in workers.map(one, leaving) if text]
    if refusals:
        with world.lock:
            pool.state, pool.state_details = state.NEEDS_ATTENTION, "; ".join(refusals)
        raise OperationFailed("PodEvictionFailureError", "; ".join(refusals))


def terminate(world: World, pool: NodePool, instance: Instance) -> None:
    """End an instance and its charges; the caller holds the lock."""
    now = world.clock.now()
    world.meter.stop(instance.id, now)
    world.meter.stop(_volume_id(instance), now)
    pool.instances.pop(instance.id, None)


def _kube(cluster: Cluster) -> Kube:
    if cluster.kube is None:
        raise OperationFailed("IncorrectState", f"cluster {cluster.id} has no control plane")
    return cluster.kube


def _surplus(pool: NodePool) -> list[Instance]:
    """Which instances go when a pool shrinks: the newest of the domain that has most."""
    staying = pool.staying()
    chosen: list[Instance] = []
    while len(staying) > pool.size:
        counts = Counter(instance.availability_domain for instance in staying)
        victim = max(staying, key=lambda instance: (counts[instance.availability_domain], instance.slot))
        staying.remove(victim)
        chosen.append(victim)
    return chosen


def _placement(pool: NodePool) -> Placement:
    counts = Counter(instance.availability_domain for instance in pool.staying())
    return min(
        pool.details.node_config_details.placement_configs,
        key=lambda placement: counts[placement.availability_domain],
    )


def _free_address(world: World, subnet_id: str) -> str:
    network: ipaddress.IPv4Network = world.store.subnet_network(subnet_id)
    taken = {
        instance.private_ip
        for pool in world.pools.values()
        for instance in pool.instances.values()
        if instance.subnet_id == subnet_id
    }
    first = int(network.network_address) + _RESERVED_ADDRESSES
    for number in range(first, int(network.broadcast_address)):
        address = str(ipaddress.IPv4Address(number))
        if address not in taken:
            return address
    raise OperationFailed("LimitExceeded", f"subnet {subnet_id} ({network}) has no private address left")


def _charge(world: World, cluster: Cluster, instance: Instance) -> None:
    machine: Machine = instance.machine
    now = world.clock.now()
    world.meter.start(
        Charge(
            id=instance.id,
            kind=INSTANCE,
            cloud=CLOUD,
            cluster=cluster.context,
            price_per_hour=machine.price_per_hour,
            shape=machine.shape,
            cpu_millicores=machine.vcpus * _MILLICORES,
            memory_bytes=machine.memory_bytes,
        ),
        now,
    )
    price = boot_volume_price(instance.boot_volume_gib)
    world.meter.start(Charge(_volume_id(instance), "boot-volume", CLOUD, cluster.context, price), now)


def _volume_id(instance: Instance) -> str:
    return instance.id.replace("ocid1.instance.", "ocid1.bootvolume.")
