"""Drains that do not get on: after a while the node is opened again, and left alone for some time.

A PodDisruptionBudget may forbid every move, or a pod may have become one that is not moved. Until then
the node is paid for and closed. Nothing is forced: budgets are kept.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from catalog.names import DRAINING_KEY, GIVEN_UP_KEY
from provisioner.core import parse
from provisioner.core.model import Node, Pod
from provisioner.core.movable import Movable
from provisioner.core.plan import GIVE_UP, NodeStep
from provisioner.core.policy import Policy
from provisioner.core.scale_down import guests_of
from provisioner.core.snapshot import Snapshot

_REST: Final = 4
"""How many times as long as it was tried a node is left alone."""


def steps(snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[NodeStep]:
    """Nodes whose drain is given up."""
    overdue = [node for node in snapshot.nodes if _is_overdue(node, policy, now)]
    if not overdue:
        return
    ours, guests = snapshot.pool_of, guests_of(snapshot.pods)
    movable = Movable(snapshot.pods, snapshot.budgets)
    for node in overdue:
        own = guests.get(node.name, [])
        if own and node.name in ours:
            waited = f"no pod could be moved for {policy.drain_timeout_s:g} s"
            yield NodeStep(node.name, GIVE_UP, f"{waited}: {_blocker(own, movable)}")


def is_left_alone(node: Node, policy: Policy, now: datetime) -> bool:
    """Whether the node is not to be emptied now, since that was tried in vain."""
    since = parse.timestamp(node.annotations.get(GIVEN_UP_KEY))
    rests = since is not None and now - since < timedelta(seconds=_REST * policy.drain_timeout_s)
    return rests or _is_overdue(node, policy, now)


def _is_overdue(node: Node, policy: Policy, now: datetime) -> bool:
    since = parse.timestamp(node.annotations.get(DRAINING_KEY))
    return since is not None and now - since >= timedelta(seconds=policy.drain_timeout_s)


def _blocker(guests: list[Pod], movable: Movable) -> str:
    found = (movable.why_never(pod) or movable.why_not_now(pod) for pod in guests)
    return next(filter(None, found), f"{guests[0].key} has not gone")
