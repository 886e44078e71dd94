"""Bought nodes register shut. Pods are let in to the node they are meant for, and then it is opened to all.

The scheduler deals pods by its own scores: were all nodes open as they come, a small pod would like the
room that was bought for a large one, and a node bought for three pods would stay empty because they fit
in between on others. So a node keeps the taint it registers with. Its value becomes the node's own uid,
and the pods that it was bought for get a toleration of that value: the scheduler places them, by all of
its rules, there or on nodes that are open, and nobody else comes. When they are in, and no pod whose own
node is still on its way would take what is left, the taint goes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from catalog.names import STARTING_KEY
from provisioner.core.model import Node, Pod, Taint, Toleration
from provisioner.core.plan import Plan
from provisioner.core.policy import Policy
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.site import why_not_there
from provisioner.core.snapshot import Snapshot, is_shut, is_young

_EFFECT: Final = "NoSchedule"
STARTING: Final = Taint(STARTING_KEY, "true", _EFFECT)
"""What nodes of bought machines register with."""
PLACED_WITHIN: Final = timedelta(seconds=60)
"""How long the scheduler is given for the pods that were let in to a node."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """Pods that may come to a node which others are kept off."""

    node: Node
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A node that everybody may come to."""

    node: Node


def own_taint(node: Node) -> Taint:
    """The taint that keeps everybody off the node but those who are let in."""
    return replace(STARTING, value=node.uid)


def ticket(node: Node) -> Toleration:
    """Lets a pod in to this node, and to no other that is shut."""
    return Toleration(STARTING_KEY, "Equal", node.uid, _EFFECT)


def shut_nodes(snapshot: Snapshot) -> tuple[Node, ...]:
    """Nodes of ours that are not open to all."""
    ours = snapshot.pool_of
    return tuple(node for node in snapshot.nodes if node.name in ours and is_shut(node))


def openings(
    plan: Plan, snapshot: Snapshot, policy: Policy, now: datetime, let_in: Mapping[str, datetime]
) -> Iterator[LetIn | Open]:
    """What is to be done now to nodes that are shut; `let_in` says since when each one's pods may come."""
    shut = shut_nodes(snapshot)
    if not shut:
        return
    meant = {each.node: each.pods for each in plan.existing}
    there = {node.name for node in snapshot.nodes} - {node.name for node in shut}
    coming = [pod for name, pods in meant.items() if name not in there for pod in pods]
    coming += [pod for planned in plan.nodes for pod in planned.pods]
    asked: dict[str, Resources] = {}
    for pod in snapshot.pods:
        if pod.node_name and not pod.is_finished:
            asked[pod.node_name] = asked.get(pod.node_name, NOTHING) + pod.requests
    for node in shut:
        own = meant.get(node.name, ())
        if not is_young(node, policy, now) or (node.is_ready and _is_hopeless(node, own, now, let_in)):
            yield Open(node)
        elif node.is_ready and own:
            waiting = tuple(pod for pod in own if ticket(node) not in pod.tolerations)
            if waiting:
                yield LetIn(node, waiting)
        elif node.is_ready and not _has_room_for_any(node, asked.get(node.name, NOTHING), coming):
            yield Open(node)


def _is_hopeless(node: Node, pods: Iterable[Pod], now: datetime, let_in: Mapping[str, datetime]) -> bool:
    """Whether the pods it was bought for do not come while it is shut.

    Either the scheduler has had its time, or they wait for a GPU: its driver is the pod of a DaemonSet, which need
    not tolerate what keeps others off. A GPU node's own taint keeps others off anyway.
    """
    waits_in_vain = now - let_in.get(node.name, now) > PLACED_WITHIN
    return any(waits_in_vain or pod.requests.gpus > node.allocatable.gpus for pod in pods)


def _has_room_for_any(node: Node, taken: Resources, pods: Iterable[Pod]) -> bool:
    """Whether one of the pods could come here, were the node open; rules between pods are left aside."""
    free = node.allocatable - taken
    lasting = [taint for taint in node.taints if taint.key != STARTING_KEY]
    return any(
        pod.requests.fits(free) and why_not_there(pod, node.name, node.labels, lasting) is None
        for pod in pods
    )
