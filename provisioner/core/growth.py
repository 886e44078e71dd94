"""Pods that are not there yet because a workload is still growing to what its autoscaler wants.

A HorizontalPodAutoscaler raises a workload in steps, and pods appear some time after each. Planned for
together with those that wait already, they get few large nodes instead of a small one at each step.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from provisioner.core.model import Pod, Scaler
from provisioner.core.policy import MAX, OFF, Policy
from provisioner.core.served import is_served
from provisioner.core.surge import TEMPLATE_HASH


def to_come(scalers: Iterable[Scaler], pods: Iterable[Pod], policy: Policy, now: datetime) -> tuple[Pod, ...]:
    """Copies of served pods, as many as growing workloads lack.

    Growth counts for `node_unneeded_s` after it was asked for: where the pods do not come, a quota for
    instance, what was bought for them is then given back as any empty node, and not bought again.
    """
    growing = [scaler for scaler in scalers if policy.growth != OFF and _is_growing(scaler, policy, now)]
    if not growing:
        return ()
    there = [pod for pod in pods if not (pod.is_finished or pod.is_deleting or pod.steps_aside)]
    return tuple(copy for scaler in growing for copy in _copies(scaler, there, policy))


def _is_growing(scaler: Scaler, policy: Policy, now: datetime) -> bool:
    if scaler.desired <= scaler.current or scaler.scaled is None:
        return False
    return now - scaler.scaled < timedelta(seconds=policy.node_unneeded_s)


def _copies(scaler: Scaler, pods: Iterable[Pod], policy: Policy) -> Iterator[Pod]:
    own = sorted((pod for pod in pods if _scales(scaler, pod)), key=_newest_first)
    if not own or own[0].is_gated or not is_served(own[0], policy):
        return
    wanted = max(scaler.desired, scaler.maximum) if policy.growth == MAX else scaler.desired
    for number in range(len(own) + 1, wanted + 1):
        name = f"{scaler.workload}({number})"
        yield replace(
            own[0].off_its_node(),
            name=name,
            uid=f"{scaler.namespace}/{name}/{scaler.scaled}",
            stands_for=f"{_GROWTH}{scaler.namespace}/{scaler.workload}",
        )


_GROWTH: Final = "growth of "


def _scales(scaler: Scaler, pod: Pod) -> bool:
    """Whether the pod is one of the workload's; a Deployment's are found by its ReplicaSets' names."""
    owner = pod.owner
    if owner is None or pod.namespace != scaler.namespace:
        return False
    if scaler.kind == "Deployment":
        made = f"{scaler.workload}-{pod.labels.get(TEMPLATE_HASH, '')}"
        return (owner.kind, owner.name) == ("ReplicaSet", made)
    return (owner.kind, owner.name) == (scaler.kind, scaler.workload)


def _newest_first(pod: Pod) -> tuple[bool, str]:
    """While a workload is rolled out, pods that wait are of its newest revision."""
    return bool(pod.node_name), pod.key
