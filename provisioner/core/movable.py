"""Which pods may be moved for money: never ones that would be lost, refuse it, or leave nobody serving."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from provisioner.core.model import Budget, Pod
from provisioner.core.scale_down import refusal
from provisioner.core.surge import can_step_aside

_REPLACED: Final = ("ReplicaSet", "StatefulSet", "ReplicationController")
"""Controllers that make a new pod for one that is evicted, and lose no work by it."""


class Movable:
    """Answers for the pods of one moment."""

    def __init__(self, pods: Iterable[Pod], budgets: Iterable[Budget]) -> None:
        self._budgets = tuple(budgets)
        self._peers: Mapping[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            if pod.owner is not None and not pod.is_finished and not pod.steps_aside:
                self._peers[pod.owner.uid].append(pod)

    def why_never(self, pod: Pod) -> str:
        """Why the pod is not moved, whenever it is asked; empty when it may be."""
        if pod.steps_aside:
            return ""
        if pod.owner is None or pod.owner.kind not in _REPLACED:
            return f"nothing would replace {pod.key}"
        if pod.claims:
            return f"{pod.key} mounts the claim {pod.claims[0]}"
        if self.serves_alone(pod) and not can_step_aside(pod):
            return f"{pod.key} serves alone"
        for budget in self._budgets:
            if budget.covers(pod) and budget.at_best < 1:
                return f"the PodDisruptionBudget {budget.name} never allows a disruption"
        return refusal(pod.annotations)

    def serves_alone(self, pod: Pod) -> bool:
        """Whether its workload has no other pod."""
        return pod.owner is not None and len(self._peers[pod.owner.uid]) == 1

    def why_not_now(self, pod: Pod) -> str:
        """Why it may not be moved at this moment; empty when it may be."""
        for peer in self._peers[pod.owner.uid] if pod.owner else ():
            if peer.is_deleting or not peer.is_ready:
                return f"{peer.key} is not ready"
        for budget in self._budgets:
            if budget.covers(pod) and budget.allowed < 1:
                return f"the PodDisruptionBudget {budget.name} allows no disruption"
        return ""

    def first(self, pods: Iterable[Pod]) -> Pod | None:
        """The first pod that may be moved now."""
        staying = sorted((pod for pod in pods if not pod.steps_aside), key=lambda pod: pod.key)
        free = (pod for pod in staying if not self.why_not_now(pod))
        return next(free, None)
