"""How much of a workload may be on spot: one machine taken back must not take it whole.

Of the pods that are to be placed some are bound to stay off spot, by a term like those they may have
themselves, so that every mode and the packing kernel keep to it without knowing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from catalog.offering import ON_DEMAND, SPOT
from provisioner.core.model import CAPACITY_TYPE, NodeTerm, Pod, Requirement
from provisioner.core.node_terms import both
from provisioner.core.plan import Reason
from provisioner.core.policy import Policy
from provisioner.core.snapshot import Snapshot
from provisioner.core.wishes import Wishes

_OFF_SPOT: Final = (NodeTerm((Requirement(CAPACITY_TYPE, "NotIn", (SPOT,)),)),)
_A_HAIR: Final = 1e-9
"""So that a tenth of ten pods is one."""


def shared_out(pods: Sequence[Pod], snapshot: Snapshot, policy: Policy) -> tuple[Pod, ...]:
    """The pods that are to be placed, in their order; those beyond their workload's share stay off spot.

    At most `max_spot_share` of all pods of a workload, rounded down, the running ones counted.
    """
    if policy.max_spot_share >= 1:
        return tuple(pods)
    left = _left(pods, snapshot, policy)
    found = []
    for pod in pods:
        if _may_be_either(pod, policy):
            left[_workload(pod)] -= 1
            found.append(pod if left[_workload(pod)] >= 0 else _off_spot(pod))
        else:
            found.append(pod)
    return tuple(found)


def _left(pods: Iterable[Pod], snapshot: Snapshot, policy: Policy) -> dict[str, int]:
    """By workload, how many more of its pods may be on spot."""
    on_spot = {node.name for node in snapshot.nodes if node.labels.get(CAPACITY_TYPE) == SPOT}
    to_place = {pod.key for pod in pods}
    count: dict[str, int] = defaultdict(int)
    there: dict[str, int] = defaultdict(int)
    for pod in snapshot.pods:
        if not (pod.is_finished or pod.is_deleting):
            count[_workload(pod)] += 1
            there[_workload(pod)] += pod.node_name in on_spot and pod.key not in to_place
    return {
        name: math.floor(policy.max_spot_share * total + _A_HAIR) - there[name]
        for name, total in count.items()
    }


def _workload(pod: Pod) -> str:
    return pod.owner.uid if pod.owner is not None else f"{pod.key} alone"


def _may_be_either(pod: Pod, policy: Policy) -> bool:
    """Whether nobody said which of the two it has to be."""
    wishes = Wishes.of(pod)
    if isinstance(wishes, Reason) or CAPACITY_TYPE in pod.node_selector:
        return False
    return {ON_DEMAND, SPOT} <= set(wishes.capacity_types or policy.capacity_types)


def _off_spot(pod: Pod) -> Pod:
    return replace(pod, node_affinity=both(pod.node_affinity, _OFF_SPOT))
