"""Bought nodes register shut. Pods are let in to the node they are meant for, and then it is opened to all.

The scheduler deals pods by its own scores: were all nodes open as they come, a small pod would like the
room that was bought for a large one, and a node bought for three pods would stay empty because they fit
in between on others. So a node keeps the taint it registers with. Its value becomes the node's own uid,
and the pods that it was bought for get a toleration of that value: the scheduler places them, by all of
its rules, there or on nodes that are open, and nobody else comes. When they are in, and no pod whose own
node is still on its way would take what is left, the taint goes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from catalog.names import STARTING_KEY
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod, Taint, Toleration
from provisioner.core.plan import Plan
from provisioner.core.policy import Policy
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.site import why_not_there
from provisioner.core.snapshot import Snapshot, is_young

_EFFECT: Final = "NoSchedule"
STARTING: Final = Taint(STARTING_KEY, "true", _EFFECT)
"""What nodes of bought machines register with."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be done to a node that is ready and shut: pods are let in, or it is opened to all."""

    node: Node
    pods: tuple[Pod, ...] = ()
    """To be let in; of those that are not yet."""
    is_to_all: bool = False


def is_shut(node: Node) -> bool:
    """Whether it has not been opened to all."""
    return any(taint.key == STARTING_KEY for taint in node.taints)


def own_taint(node: Node) -> Taint:
    """The taint that keeps everybody off the node but those who are let in."""
    return replace(STARTING, value=node.uid)


def ticket(node: Node) -> Toleration:
    """Lets a pod in to this node, and to no other that is shut."""
    return Toleration(STARTING_KEY, "Equal", node.uid, _EFFECT)


def is_awaited(snapshot: Snapshot) -> bool:
    """Whether machines are on their way, or nodes are there and still shut."""
    ours = snapshot.pool_of
    shut = any(node.name in ours and is_shut(node) for node in snapshot.nodes)
    return shut or any(not (each.is_registered or each.is_leaving) for each in snapshot.machines)


def openings(plan: Plan, snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[Opening]:
    """What can be done now to nodes of ours that are shut.

    One that lacks a device which its pods ask for (a GPU's driver starts after the node) is waited for, and
    so is, before it is opened to all, whoever has a node of his own on its way; but not for longer than a
    machine may take to register.
    """
    meant = {each.node: each.pods for each in plan.existing}
    ours = snapshot.pool_of
    shut = [node for node in snapshot.nodes if node.name in ours and is_shut(node)]
    there = {node.name for node in snapshot.nodes} - {node.name for node in shut}
    elsewhere = [(name, pod) for name, pods in meant.items() if name not in there for pod in pods]
    for node in shut:
        pods, is_patient = meant.get(node.name, ()), is_young(node, policy, now)
        if not node.is_ready or (is_patient and not _has_devices_for(node, pods)):
            continue
        tempted = (pod for name, pod in elsewhere if name != node.name)
        if not is_patient or not (pods or _has_room_for_any(node, snapshot, tempted)):
            yield Opening(node, is_to_all=True)
            continue
        waiting = tuple(pod for pod in pods if ticket(node) not in pod.tolerations)
        if waiting:
            yield Opening(node, waiting)


def with_devices(snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Snapshot:
    """Young nodes with the devices that their machines have, and that they do not report yet.

    To take them as they are would be to buy another one for a pod that waits for this one's GPU.
    """
    nodes = (_with_devices(node, snapshot, catalog, policy, now) for node in snapshot.nodes)
    return replace(snapshot, nodes=tuple(nodes))


def _with_devices(node: Node, snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Node:
    pool = snapshot.pool_of.get(node.name)
    size = catalog.size_of(pool.spec) if pool is not None and is_young(node, policy, now) else None
    if size is None:
        return node
    devices = Resources(gpus=size.usable.gpus, extended=size.usable.extended)
    return replace(node, allocatable=node.allocatable.largest(devices))


def _has_devices_for(node: Node, pods: Iterable[Pod]) -> bool:
    """Whether it reports every device that its pods ask for."""
    there = node.allocatable
    return all(
        pod.requests.gpus <= there.gpus
        and all(amount <= there.extended.get(name, 0) for name, amount in pod.requests.extended.items())
        for pod in pods
    )


def _has_room_for_any(node: Node, snapshot: Snapshot, pods: Iterable[Pod]) -> bool:
    """Whether one of the pods could come here, were the node open; rules between pods are left aside."""
    inside = (pod for pod in snapshot.pods if pod.node_name == node.name and not pod.is_finished)
    free = node.allocatable - sum((pod.requests for pod in inside), NOTHING)
    lasting = [taint for taint in node.taints if taint.key != STARTING_KEY]
    return any(
        pod.requests.fits(free) and why_not_there(pod, node.name, node.labels, lasting) is None
        for pod in pods
    )
