"""What was observed at one moment: everything a decision depends on but time and policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from catalog.allocatable import NOMINAL
from catalog.names import (
    DRAINING_KEY,
    REMOVABLE_SINCE_KEY,
    RESERVED_KEY,
    ROLE_KEY,
    ROLE_MANAGEMENT,
    STARTING_KEY,
)
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.market import Catalog, Stockout
from provisioner.core.model import HOSTNAME, Budget, Node, Pod, Scaler
from provisioner.core.policy import Policy
from provisioner.core.pools import Pool, PoolSpec
from provisioner.core.resources import Resources
from provisioner.core.storage import Storage
from provisioner.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Intent:
    """What one machine was bought for, or has room for."""

    spec: PoolSpec
    pods: tuple[str, ...]
    """By uid."""
    node: str = ""
    """The name of its node; empty while it has not registered, since it may not be known until then."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that was bought, whether or not it is a node yet."""

    name: str
    """Of its node, or of the room it will be."""
    spec: PoolSpec
    is_registered: bool = False
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Pods and nodes from Kubernetes, pools from the cloud, and what was out of stock lately."""

    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    """Registered ones; machines that are on their way are in `pools`."""
    pools: tuple[Pool, ...] = ()
    stockouts: tuple[Stockout, ...] = ()
    budgets: tuple[Budget, ...] = ()
    intents: tuple[Intent, ...] = ()
    """Of the decision before, for machines and pods that may still be there."""
    scalers: tuple[Scaler, ...] = ()
    usage: tuple[Usage, ...] = ()
    """Of pods; empty where it is not measured, or nobody asks."""
    node_usage: tuple[Usage, ...] = ()
    storage: Storage | None = None
    """Where volumes are; None where nobody has looked."""
    shortfalls: Mapping[str, Resources] = field(default_factory=dict)
    """What nodes of a shape turned out to leave less than was to be expected, as far as that was seen before."""
    daemon_sets: tuple[DaemonSet, ...] | None = None
    """None where nobody has looked."""

    @property
    def pool_of(self) -> Mapping[str, Pool]:
        """Our pool of each registered node of ours, by the node's name."""
        by_instance = {instance.id: pool for pool in self.pools for instance in pool.instances}
        return {
            node.name: by_instance[node.provider_id] for node in self.nodes if node.provider_id in by_instance
        }

    @property
    def machines(self) -> Iterator[Machine]:
        """Every machine of ours, registered, on its way, or only ordered."""
        registered = {node.provider_id: node.name for node in self.nodes if node.provider_id}
        for pool in self.pools:
            for instance in pool.instances:
                there = instance.id in registered
                name = registered.get(instance.id, instance.node_name)
                yield Machine(name, pool.spec, is_registered=there, is_leaving=instance.is_leaving)
            for name in pool.unlisted:
                yield Machine(name, pool.spec)

    @property
    def leaving(self) -> frozenset[str]:
        """Provider ids of machines that are being given back."""
        return frozenset(
            instance.id for pool in self.pools for instance in pool.instances if instance.is_leaving
        )

    def closed(self, policy: Policy, now: datetime) -> frozenset[str]:
        """Nodes that new pods must not be counted on going to.

        A node that has just registered and is not ready yet is open: to buy in its place would be to
        buy twice at each boot. One that we cordoned to remove it is open too: it is taken
        back, unless its pods are being moved away. Nobody opens a shut one that is not ours.
        """
        ours, leaving = self.pool_of, self.leaving
        machines = {machine.name for machine in self.machines}
        return frozenset(
            node.name
            for node in self.nodes
            if node.is_deleting
            or node.provider_id in leaving
            or DRAINING_KEY in node.annotations
            or not (node.is_ready or is_young(node, policy, now))
            or (node.is_cordoned and not (node.name in ours and _is_our_cordon(node)))
            or (is_shut(node) and node.name not in machines)
        )


_OUR_CORDONS: Final = (REMOVABLE_SINCE_KEY, RESERVED_KEY)
"""Marks of cordons that we take back when a pod needs the node."""


def _is_our_cordon(node: Node) -> bool:
    return not node.annotations.keys().isdisjoint(_OUR_CORDONS)


def is_shut(node: Node) -> bool:
    """Whether a bought node has not been opened to all yet."""
    return any(taint.key == STARTING_KEY for taint in node.taints)


def is_young(node: Node, policy: Policy, now: datetime) -> bool:
    """Whether it registered no longer ago than a machine may take to register."""
    return node.created is not None and now - node.created < timedelta(seconds=policy.registration_s)


def why_held(snapshot: Snapshot, accounting: str) -> str:
    """Why nothing may be bought at all; empty when buying is allowed.

    Under nominal accounting a node is taken to leave everything to pods. A management node that
    leaves less shows that this cloud reserves: then what was bought would not hold its pod, and
    another one would be bought, for ever.
    """
    if accounting != NOMINAL:
        return ""
    for node in snapshot.nodes:
        if node.labels.get(ROLE_KEY) != ROLE_MANAGEMENT or not node.is_ready:
            continue
        if node.allocatable.cpu_millicores < node.capacity.cpu_millicores or (
            node.allocatable.memory_bytes < node.capacity.memory_bytes
        ):
            return (
                f"accounting is nominal, but node {node.name} leaves {node.allocatable.cpu_millicores}m and "
                f"{node.allocatable.memory_bytes} bytes of its {node.capacity.cpu_millicores}m and "
                f"{node.capacity.memory_bytes} bytes to pods: this cloud reserves; "
                "set accounting to documented"
            )
    return ""


def booting_nodes(snapshot: Snapshot, catalog: Catalog) -> tuple[Node, ...]:
    """Machines that are bought and not registered, as the nodes they will be.

    Also those that the cloud has been asked for and does not list yet: its lists lag behind.
    """
    coming = (each for each in snapshot.machines if not (each.is_registered or each.is_leaving))
    found = (_booting(each.name, each.spec, catalog) for each in coming)
    return tuple(node for node in found if node.allocatable.pods)


def _booting(name: str, spec: PoolSpec, catalog: Catalog) -> Node:
    size = catalog.size_of(spec)
    if size is None:
        return Node(name, is_booting=True, allocatable=Resources())
    return Node(
        name,
        labels={**catalog.labels_at(size.offering, spec.place), HOSTNAME: name},
        taints=catalog.taints(size.offering) + spec.taints,
        allocatable=size.usable,
        host_ports=catalog.own(size.offering, spec.place).host_ports,
        is_ready=False,
        is_booting=True,
    )
