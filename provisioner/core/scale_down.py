"""Giving nodes back: which bought node is not needed, since when, and the next step of its removal.

A node is removable while it has no pod but its own (DaemonSets', static) and no pending pod is
going there: nothing would be bought in its place. Since when is written on the node, so a restart
forgets nothing. After `node_unneeded_s` it is cordoned, and given back when it is seen cordoned and
still empty: a pod that was being bound meanwhile is not lost, it makes the node stay.

Nodes with pods are left alone here; `repack` empties them where that pays.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY
from provisioner.core import parse
from provisioner.core.model import Node, Pod
from provisioner.core.plan import CORDON, MARK, TERMINATE, UNCORDON, UNMARK, NodeStep
from provisioner.core.policy import Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot

DO_NOT_EVICT = (
    ("rightsize.io/do-not-evict", "true"),
    ("pod.elotl.co/do-not-evict", "true"),
    ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"),
    ("karpenter.sh/do-not-disrupt", "true"),
)
"""Annotations by which a pod, or a node, refuses to be moved: ours and the peers'."""


def steps(
    snapshot: Snapshot,
    wanted: AbstractSet[str],
    policy: Policy,
    now: datetime,
    others: AbstractSet[str] = frozenset(),
) -> tuple[NodeStep, ...]:
    """The next step for each bought node whose removal begins, goes on, or is off.

    `wanted` names the nodes that pods are going to, `others` those that are not decided on here.
    """
    guests = guests_of(snapshot.pods)
    ours = snapshot.pool_of
    found: list[NodeStep] = []
    for node in snapshot.nodes:
        if node.name in others:
            continue
        if node.name in ours and not node.is_deleting and node.provider_id not in snapshot.leaving:
            found += _steps_of(node, why_kept(node, guests.get(node.name, []), wanted), policy, now)
    return tuple(found)


def why_kept(node: Node, guests: Iterable[Pod], wanted: AbstractSet[str]) -> str:
    """Why the node is not removable; empty when it is."""
    for guest in guests:
        return f"{guest.key} runs on it"
    if node.name in wanted:
        return "a pod is going there, or room is kept there"
    refused = refusal(node.annotations)
    return f"it is annotated {refused}" if refused else ""


def refusal(annotations: Mapping[str, str]) -> str:
    """The annotation by which a pod or a node refuses to be moved; empty when none does."""
    return next((f"{key}={value}" for key, value in DO_NOT_EVICT if annotations.get(key) == value), "")


def guests_of(pods: Iterable[Pod]) -> dict[str, list[Pod]]:
    """Pods by node, without the node's own."""
    found: dict[str, list[Pod]] = {}
    for pod in pods:
        if pod.node_name and not pod.is_daemon and not pod.is_finished:
            found.setdefault(pod.node_name, []).append(pod)
    return found


def _steps_of(node: Node, kept: str, policy: Policy, now: datetime) -> Iterator[NodeStep]:
    since = removable_since(node)
    if kept:
        if REMOVABLE_SINCE_KEY in node.annotations or DRAINING_KEY in node.annotations:
            if node.is_cordoned:
                yield NodeStep(node.name, UNCORDON, kept)
            yield NodeStep(node.name, UNMARK, kept)
        return
    if since is None:
        yield NodeStep(node.name, MARK, "no pod but its own runs on it, and none is going there")
    elif now - since >= timedelta(seconds=policy.node_unneeded_s):
        why = f"empty since {since:%H:%M:%S}"
        yield NodeStep(node.name, TERMINATE if node.is_cordoned else CORDON, why)


def overdue(snapshot: Snapshot, policy: Policy, now: datetime) -> tuple[tuple[Pool, Instance], ...]:
    """Machines that should have become nodes long ago: paid for, and of no use."""
    registered = {node.provider_id for node in snapshot.nodes}
    return tuple(
        (pool, instance)
        for pool in snapshot.pools
        for instance in pool.instances
        if instance.id not in registered
        and not instance.is_leaving
        and instance.first_seen is not None
        and now - instance.first_seen >= timedelta(seconds=policy.registration_s)
    )


def disused(
    snapshot: Snapshot, planned: AbstractSet[PoolSpec], policy: Policy, now: datetime
) -> tuple[Pool, ...]:
    """Pools that have been without machines for long, and that nothing is about to be bought in."""
    return tuple(
        pool
        for pool in snapshot.pools
        if not pool.size
        and not pool.instances
        and pool.spec not in planned
        and pool.empty_since is not None
        and now - pool.empty_since >= timedelta(seconds=policy.empty_pool_s)
    )


def removable_since(node: Node) -> datetime | None:
    """Since when the node is marked removable; None when it is not, or the mark cannot be read."""
    return parse.timestamp(node.annotations.get(REMOVABLE_SINCE_KEY))
