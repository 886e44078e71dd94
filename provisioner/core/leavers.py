"""Nodes that have to go whatever it costs, and why; `repack` finds places for their pods, `relocate` the steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core.drift import why_drifted
from provisioner.core.expiry import why_expired
from provisioner.core.model import Node
from provisioner.core.policy import DRIFTED, EXPIRED, Policy
from provisioner.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Leaver:
    """A node that has to go."""

    node: Node
    reason: str
    """One of `policy.REASONS`."""
    why: str


def leavers_of(snapshot: Snapshot, policy: Policy, now: datetime) -> tuple[Leaver, ...]:
    """Those that have begun to leave first, then the oldest."""
    if policy.expire_after_s is None and not policy.replace_drifted:
        return ()
    return tuple(sorted(_found(snapshot, policy, now), key=_begun_first))


def _found(snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[Leaver]:
    ours = snapshot.pool_of
    for node in snapshot.nodes:
        if node.name not in ours:
            continue
        if why := why_drifted(node, ours[node.name], policy):
            yield Leaver(node, DRIFTED, why)
        elif why := why_expired(node, policy, now):
            yield Leaver(node, EXPIRED, why)


def _begun_first(leaver: Leaver) -> tuple[bool, str, str]:
    node = leaver.node
    created = node.created.isoformat() if node.created else ""
    return (REMOVABLE_SINCE_KEY not in node.annotations, created, node.name)
