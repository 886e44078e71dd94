"""Whether a pod could run on a node: the scheduler's rules, as far as the autoscaler simulates them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from emulator.kube.objects import Pod, Requirement, Resources
from emulator.kube.spec import Taint

_BINDING = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Room:
    """A node, real or to come, with what is free on it and the labels of the pods that are there."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    free: Resources
    neighbours: tuple[Mapping[str, str], ...] = ()

    def takes(self, pod: Pod) -> bool:
        """Whether the pod may run here and there is room for it."""
        return (
            pod.requests.fits_into(self.free)
            and _tolerates(pod, self.taints)
            and _selects(pod, self.labels)
            and not any(
                _meets(term, labels) for term in pod.placement.apart_from for labels in self.neighbours
            )
        )

    def with_pod(self, pod: Pod) -> "Room":
        """The node once the pod is there."""
        return replace(self, free=self.free - pod.requests, neighbours=(*self.neighbours, pod.labels))


def place(pods: Iterable[Pod], rooms: Mapping[str, Room]) -> tuple[dict[str, Room], list[Pod]]:
    """Put each pod, the largest first, into the first room that takes it; returns rooms and who found none."""
    after = dict(rooms)
    left = []
    for pod in sorted(pods, key=_size, reverse=True):
        home = next((name for name, room in after.items() if room.takes(pod)), None)
        if home is None:
            left.append(pod)
        else:
            after[home] = after[home].with_pod(pod)
    return after, left


def meets(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """Whether labels meet one expression."""
    value = labels.get(requirement.key)
    if requirement.operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (requirement.operator == "Exists")
    if requirement.operator in ("In", "NotIn"):
        return (value in requirement.values) == (requirement.operator == "In")
    if value is None or not value.lstrip("-").isdigit() or len(requirement.values) != 1:
        return False
    bound = int(requirement.values[0])
    return int(value) > bound if requirement.operator == "Gt" else int(value) < bound


def _meets(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    return all(meets(requirement, labels) for requirement in requirements)


def _tolerates(pod: Pod, taints: Iterable[Taint]) -> bool:
    return all(
        any(toleration.tolerates(taint) for toleration in pod.placement.tolerations)
        for taint in taints
        if taint.effect in _BINDING
    )


def _selects(pod: Pod, labels: Mapping[str, str]) -> bool:
    placement = pod.placement
    if any(labels.get(key) != value for key, value in placement.node_selector.items()):
        return False
    return not placement.node_terms or any(_meets(term, labels) for term in placement.node_terms)


def _size(pod: Pod) -> tuple[int, int, int, str]:
    return (pod.requests.gpus, pod.requests.cpu_millicores, pod.requests.memory_bytes, pod.key)
