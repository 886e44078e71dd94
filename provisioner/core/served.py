"""Which pods are ours to care for."""

from provisioner.core.model import Pod
from provisioner.core.policy import Policy

LUNA_LABEL = "elotl-luna"
LUNA_IGNORE = "pod.elotl.co/ignore"


def is_served(pod: Pod, policy: Policy) -> bool:
    """Whether the policy's selector, or Luna's label, asks us to care for the pod."""
    if pod.annotations.get(LUNA_IGNORE) == "true":
        return False
    selected = all(pod.labels.get(key) == value for key, value in policy.pod_selector.items())
    return selected or pod.labels.get(LUNA_LABEL) == "true"
