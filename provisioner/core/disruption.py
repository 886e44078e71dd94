"""Keeps a plan's removals within the budgets: who begins to leave now, and who waits until others are gone."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY
from provisioner.core.plan import CORDON, DRAIN, NodeStep, Repack
from provisioner.core.policy import EMPTY, Policy
from provisioner.core.snapshot import Snapshot

_BEGINNINGS: Final = (CORDON, DRAIN)
"""Steps by which a node begins to leave: it takes no more pods."""


_NO_MORE: Final = "the disruption budgets let no more nodes leave"


class Allowance:
    """How many more nodes may begin to leave at one moment."""

    def __init__(self, snapshot: Snapshot, policy: Policy, now: datetime) -> None:
        self._budgets, self._now = policy.node_budgets, now
        self._bought = len(snapshot.pool_of) if self._budgets else 0
        self._leaving = sum(1 for _ in _leaving(snapshot)) if self._budgets else 0

    def left(self, reason: str) -> int | None:
        """How many more may begin for that reason; None: any number.

        The smallest budget that holds counts, less the nodes that are leaving for whatever reason.
        """
        limits = [each.limit(self._bought) for each in self._budgets if each.holds(reason, self._now)]
        return max(0, min(limits) - self._leaving) if limits else None

    def bounded(self, moving: Repack, snapshot: Snapshot) -> tuple[Repack, str]:
        """The move, with nothing bought for it while none of its nodes may begin to leave; and why not."""
        leaving = (node for node in snapshot.nodes if node.name in moving.leaving)
        if self.left(moving.reason) != 0 or any(DRAINING_KEY in node.annotations for node in leaving):
            return moving, ""
        return replace(moving, nodes=()), f"{', '.join(sorted(moving.leaving))} cannot leave now: {_NO_MORE}"

    def within(self, steps: Iterable[NodeStep], reason: str) -> Iterator[NodeStep]:
        """The steps but for beginnings beyond the budgets; nodes with pods leave for that reason."""
        for step in steps:
            if step.action not in _BEGINNINGS:
                yield step
            elif self.left(EMPTY if step.action == CORDON else reason) != 0:
                self._leaving += 1
                yield step


def _leaving(snapshot: Snapshot) -> Iterator[str]:
    """Bought nodes that are on their way out: being emptied, closed to be given back, or given back."""
    ours, given_back = snapshot.pool_of, snapshot.leaving
    for node in snapshot.nodes:
        if node.name not in ours:
            continue
        is_closed = node.is_cordoned and REMOVABLE_SINCE_KEY in node.annotations
        is_going = node.is_deleting or node.provider_id in given_back
        if is_closed or is_going or DRAINING_KEY in node.annotations:
            yield node.name
