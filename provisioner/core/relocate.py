"""The steps of emptying nodes whose pods have been found other places: one pod at a time, nobody left waiting.

Pods are moved only when everything they need is ready; a workload's last one is replaced before it
goes. A restart forgets nothing: what was begun is written on the nodes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from catalog.names import DRAINING_KEY
from provisioner.core import reserve
from provisioner.core.model import Node, Pod
from provisioner.core.movable import Movable
from provisioner.core.plan import DETACH, DRAIN, EVICT, MARK, NodeStep, Repack
from provisioner.core.policy import Policy
from provisioner.core.scale_down import guests_of, removable_since
from provisioner.core.snapshot import Snapshot


def steps(repack: Repack, snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[NodeStep]:
    """The next step for each node that leaves, and for those that wait for its pods."""
    draining: list[Node] = []
    for node in snapshot.nodes:
        if node.name not in repack.leaving:
            continue
        if removable_since(node) is None:
            yield NodeStep(node.name, MARK, repack.why)
        elif not repack.is_ready or not has_waited(node, policy, now):
            continue
        elif not node.is_cordoned or DRAINING_KEY not in node.annotations:
            yield NodeStep(node.name, DRAIN, repack.why)
        else:
            draining.append(node)
    move = _next(draining, snapshot)
    if move is None:
        yield from reserve.openings(snapshot.nodes, repack.targets)
    else:
        yield from _moved(*move, repack, snapshot)


def has_waited(node: Node, policy: Policy, now: datetime) -> bool:
    """Whether the node has been removable for as long as it has to be."""
    since = removable_since(node)
    return since is not None and now - since >= timedelta(seconds=policy.node_unneeded_s)


def _next(draining: list[Node], snapshot: Snapshot) -> tuple[Pod, str] | None:
    """The next pod to be moved, and by which step."""
    movable = Movable(snapshot.pods, snapshot.budgets)
    guests = guests_of(snapshot.pods)
    for node in draining:
        pod = movable.first(guests[node.name])
        if pod is not None:
            return pod, DETACH if movable.serves_alone(pod) else EVICT
    return None


def _moved(pod: Pod, action: str, repack: Repack, snapshot: Snapshot) -> Iterator[NodeStep]:
    """First nothing but its target is open to the pod, then it goes."""
    target = repack.goes_to.get(pod.key, "")
    others = repack.targets - {target}
    first = tuple(reserve.closings(snapshot.nodes, others, target)) if target else ()
    yield from first or [NodeStep(pod.node_name, action, f"{pod.key} moves: {repack.why}", pod)]
    yield from reserve.openings(snapshot.nodes, repack.targets)
