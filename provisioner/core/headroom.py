"""Room that is kept free on bought nodes, so that pods that come need not wait for a machine.

It is told to the planner as pods of the lowest rank: they stand behind every pod that is there, hold a
node like one, and are nobody's to schedule. A pod that comes takes their room, and it is bought again.
"""

import math
from collections.abc import Iterable
from typing import Final

from provisioner.core.model import CAPACITY_TYPE, NodeTerm, Pod, Requirement, Toleration
from provisioner.core.policy import Headroom, Policy
from provisioner.core.resources import Resources
from provisioner.core.served import is_served

HEADROOM: Final = "headroom"
_ON_BOUGHT_NODES: Final = (NodeTerm((Requirement(CAPACITY_TYPE, "Exists"),)),)
_STEPS: Final = 3
"""Significant bits of a share's size: it need not change with every pod that comes or goes."""


def pods_of(policy: Policy, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Pods that are not there, for the room that the policy keeps free."""
    wanted = policy.headroom
    if wanted is None:
        return ()
    size, count = _share(wanted, pods, policy) if wanted.percent else (wanted.size, wanted.pods)
    tolerations = tuple(
        Toleration(key=taint.key, value=taint.value, effect=taint.effect) for taint in policy.node_taints
    )
    return tuple(
        Pod(
            namespace="",
            name=f"{HEADROOM}-{number}",
            uid=f"{HEADROOM}/{number}",
            requests=size,
            tolerations=tolerations,
            node_affinity=_ON_BOUGHT_NODES,
            stands_for=HEADROOM,
        )
        for number in range(count)
    )


def _share(wanted: Headroom, pods: Iterable[Pod], policy: Policy) -> tuple[Resources, int]:
    """Per cent of all that served pods request, in pods about as large as theirs are on average.

    As many as both amounts need: ceil(max over amounts of percent · total / size).
    """
    served = [pod.requests for pod in pods if _counts(pod) and is_served(pod, policy)]
    totals = (sum(each.cpu_millicores for each in served), sum(each.memory_bytes for each in served))
    sizes = [_rounded(total // len(served)) if served else 0 for total in totals]
    counts = [
        math.ceil(total * wanted.percent / (100 * size))
        for total, size in zip(totals, sizes, strict=True)
        if size
    ]
    return Resources(sizes[0], sizes[1], pods=1), max(counts, default=0)


def _counts(pod: Pod) -> bool:
    return not (pod.is_finished or pod.is_daemon or pod.is_deleting or pod.is_gated or pod.steps_aside)


def _rounded(amount: int) -> int:
    """Rounded down, so that it fits where the pods do that it was taken from."""
    spare = max(0, amount.bit_length() - _STEPS)
    return amount >> spare << spare
