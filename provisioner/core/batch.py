"""Waiting a moment for pods that come together: a scale-up, or several workloads of one deployment."""

from collections.abc import Iterable
from datetime import datetime

from provisioner.core.model import Pod
from provisioner.core.policy import Policy


def is_open(pods: Iterable[Pod], policy: Policy, now: datetime) -> bool:
    """Whether others may come that could share nodes with these; a pod of unknown age waits for nobody."""
    ages_s = [(now - pod.created).total_seconds() if pod.created else policy.batch_longest_s for pod in pods]
    return bool(ages_s) and min(ages_s) < policy.batch_idle_s and max(ages_s) < policy.batch_longest_s
