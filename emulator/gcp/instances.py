"""Instances of instance groups: launched, booted, taken out, metered.

A group keeps up its size by itself: what could not be launched waits in it and is tried again.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from emulator.cloud.errors import OperationFailed
from emulator.cloud.fault import Quota
from emulator.cloud.kube import Kube
from emulator.cloud.meter import INSTANCE, Charge
from emulator.gcp import prices
from emulator.gcp.account import CLOUD
from emulator.gcp.machines import Machine
from emulator.gcp.nodes import node_spec, provider_id
from emulator.gcp.state import (
    PROVISIONING,
    RUNNING,
    STOPPING,
    Cluster,
    Group,
    Instance,
    NodePool,
    Shortage,
    digest,
    number_of,
)
from emulator.gcp.world import World

_RESERVED_ADDRESSES: Final = 2
"""The network address and the gateway's; the last two of a range are reserved too."""
_AT_ONCE: Final = 8
_MILLICORES: Final = 1000
_SUFFIX: Final = 4
_MOST_TROUBLES: Final = 100


def fill(world: World, cluster: Cluster, pool: NodePool, group: Group) -> list[Instance]:
    """Launch what the group lacks, as far as it can be had; the caller holds the lock and boots it."""
    while len(group.staying()) < group.target:
        _add(world, cluster, pool, group)
    launched = []
    for instance in group.staying():
        if instance.exists:
            continue
        instance.shortage = _shortage(world, cluster, instance.machine)
        if instance.shortage is None:
            _launch(world, cluster, pool, instance)
            launched.append(instance)
        else:
            entry = (world.clock.now(), instance.name, instance.shortage)
            group.troubles = [*group.troubles, entry][-_MOST_TROUBLES:]
    if launched:
        world.charge_nats()
    return launched


def boot(world: World, cluster: Cluster, launched: Sequence[Instance]) -> None:
    """Wait until instances have booted and register them as nodes; the caller does not hold the lock."""
    if not launched:
        return
    world.clock.wait(world.faults.boot_s(cluster.pace.timing.boot_delay_s, world.clock.now()))
    kube = kube_of(cluster)
    for instance in launched:
        with world.lock:
            if instance.state != PROVISIONING or instance.node is None:
                continue
            instance.state = RUNNING
            instance.joined = world.faults.joins(world.clock.now())
            node = instance.node
        if not instance.joined:
            continue
        kube.add_node(node)
        with world.lock:
            stays = instance.state == RUNNING
        if not stays:  # it was taken out while its kubelet registered it
            kube.remove_node(node.name)


def mark(group: Group, leaving: Iterable[Instance]) -> list[Instance]:
    """Put instances on their way out, those without a machine at once; the caller holds the lock."""
    machines = []
    for instance in leaving:
        if instance.exists:
            instance.state = STOPPING
            machines.append(instance)
        else:
            group.instances.pop(instance.name, None)
    return machines


def take_out(
    world: World, cluster: Cluster, group: Group, leaving: Sequence[Instance], grace_s: float = 0
) -> None:
    """Drain marked instances for at most that time and end them; the caller does not hold the lock."""
    if not leaving:
        return
    kube = kube_of(cluster)

    def one(instance: Instance) -> None:
        kube.remove_node(instance.name, grace_s, force=True)
        with world.lock:
            terminate(world, group, instance)

    with ThreadPoolExecutor(min(_AT_ONCE, len(leaving))) as workers:
        list(workers.map(one, leaving))


def terminate(world: World, group: Group, instance: Instance) -> None:
    """End an instance and its charges; the caller holds the lock."""
    now = world.clock.now()
    charge_id = provider_id(group.zone, instance.name)
    world.meter.stop(charge_id, now)
    world.meter.stop(_disk_id(charge_id), now)
    group.instances.pop(instance.name, None)
    world.charge_nats()


def victims(group: Group, count: int) -> list[Instance]:
    """Which instances go when nobody chose: first those that are no machine yet, then any."""
    order = sorted(group.staying(), key=lambda instance: (instance.exists, digest(instance.name, 8)))
    return order[: max(0, count)]


def kube_of(cluster: Cluster) -> Kube:
    """The cluster's Kubernetes side.

    Raises:
        OperationFailed: there is none.
    """
    if cluster.kube is None:
        raise OperationFailed("FAILED_PRECONDITION", f"cluster {cluster.id} has no control plane")
    return cluster.kube


def base_name(group: Group) -> str:
    """What the names of a group's instances begin with."""
    return group.name.removesuffix("-grp")


def _add(world: World, cluster: Cluster, pool: NodePool, group: Group) -> None:
    name = f"{base_name(group)}-{world.ids.token(_SUFFIX)}"
    while name in group.instances:
        name = f"{base_name(group)}-{world.ids.token(_SUFFIX)}"
    machine = world.machines.machine(pool.message.config, group.zone)
    number = number_of(f"{cluster.number}/{name}/{world.ids.token()}")
    group.instances[name] = Instance(name, number, machine, world.clock.now())


def _shortage(world: World, cluster: Cluster, machine: Machine) -> Shortage | None:
    now = world.clock.now()
    if world.faults.is_sold_out(machine.shape, machine.zone, now):
        message = (
            f"The zone 'projects/{cluster.id.split('/')[1]}/zones/{machine.zone}' does not have enough "
            "resources available to fulfill the request. Try a different zone, or try again later."
        )
        return Shortage("ZONE_RESOURCE_POOL_EXHAUSTED", message, "GCE_STOCKOUT")
    if (shortage := world.limits().shortage(machine, world.running())) is not None:
        world.faults.note(Quota, machine.shape, now)
        return shortage
    if _free_address(world, cluster) is None:
        message = f"IP space of '{cluster.message.network_config.subnetwork}' is exhausted."
        return Shortage("IP_SPACE_EXHAUSTED", message, "UNKNOWN")
    return None


def _launch(world: World, cluster: Cluster, pool: NodePool, instance: Instance) -> None:
    instance.private_ip = _free_address(world, cluster) or ""
    instance.created_at = world.clock.now()
    instance.node = node_spec(cluster, pool, instance)
    instance.state = PROVISIONING
    machine, config = instance.machine, pool.message.config
    charge_id = provider_id(machine.zone, instance.name)
    world.meter.start(
        Charge(
            id=charge_id,
            kind=INSTANCE,
            cloud=CLOUD,
            cluster=cluster.context,
            price_per_hour=machine.price_per_hour,
            shape=machine.shape,
            cpu_millicores=machine.vcpus * _MILLICORES,
            memory_bytes=machine.memory_bytes,
        ),
        instance.created_at,
    )
    price = prices.disk(config.disk_type, config.disk_size_gb)
    disk = Charge(_disk_id(charge_id), "boot-disk", CLOUD, cluster.context, price)
    world.meter.start(disk, instance.created_at)


def _disk_id(charge_id: str) -> str:
    return f"{charge_id}/disk"


def _free_address(world: World, cluster: Cluster) -> str | None:
    subnetwork = cluster.message.network_config.subnetwork
    record = world.store.get(subnetwork)
    taken = {
        instance.private_ip
        for other, _, group in world.groups()
        if other.message.network_config.subnetwork == subnetwork
        for instance in group.instances.values()
    }
    network = ipaddress.IPv4Network(record.value["ipCidrRange"])
    first = int(network.network_address) + _RESERVED_ADDRESSES
    for number in range(first, int(network.broadcast_address) - 1):
        address = str(ipaddress.IPv4Address(number))
        if address not in taken:
            return address
    return None
