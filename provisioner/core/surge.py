"""Moving a workload's last pod without a gap: its replacement serves before it goes.

A Deployment's ReplicaSet selects its pods by a label of its own, `pod-template-hash`, which no Service
asks for. Without it the pod is nobody's and goes on serving, while the ReplicaSet makes another one.
That takes no right on workloads, changes no specification, and a restart finds the pod by its mark.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from catalog.names import STEPS_ASIDE_FROM_KEY, STEPS_ASIDE_KEY
from provisioner.core import parse
from provisioner.core.model import Pod
from provisioner.core.plan import EVICT, NodeStep
from provisioner.core.policy import Policy
from provisioner.core.snapshot import Snapshot

TEMPLATE_HASH: Final = "pod-template-hash"


def can_step_aside(pod: Pod) -> bool:
    """Whether it would be replaced, and serve on, without the label of its ReplicaSet."""
    return pod.owner is not None and pod.owner.kind == "ReplicaSet" and TEMPLATE_HASH in pod.labels


def steps(snapshot: Snapshot, policy: Policy, now: datetime) -> Iterator[NodeStep]:
    """Pods that have stepped aside and are not needed any more go, whatever became of the move."""
    for pod in snapshot.pods:
        if pod.steps_aside and pod.node_name and not (pod.is_deleting or pod.is_finished):
            why = _why_not_needed(pod, snapshot.pods, policy, now)
            if why:
                yield NodeStep(pod.node_name, EVICT, f"{pod.key} goes: {why}", pod)


def _why_not_needed(aside: Pod, pods: Iterable[Pod], policy: Policy, now: datetime) -> str:
    others = _others(aside, pods)
    for pod in others:
        if pod.is_ready:
            return f"{pod.key} serves in its place"
    since = parse.timestamp(aside.annotations[STEPS_ASIDE_KEY])
    if not others and since is not None and now - since >= timedelta(seconds=policy.registration_s):
        return "its workload wants no pod"
    return ""


def _others(aside: Pod, pods: Iterable[Pod]) -> list[Pod]:
    """Pods of its ReplicaSet; where there is none, as after a rollout, those that whoever selects it selects."""
    owned = [
        pod
        for pod in pods
        if pod.owner is not None
        and not (pod.steps_aside or pod.is_deleting or pod.is_finished)
        and pod.namespace == aside.namespace
    ]
    own = [pod for pod in owned if pod.owner and pod.owner.uid == aside.annotations.get(STEPS_ASIDE_FROM_KEY)]
    labels = {key: value for key, value in aside.labels.items() if key != TEMPLATE_HASH}
    return own or [pod for pod in owned if labels and labels.items() <= pod.labels.items()]
