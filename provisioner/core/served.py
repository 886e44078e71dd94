"""Which pods are ours to care for."""

from typing import Final

from catalog.names import DOMAIN
from provisioner.core.model import Pod
from provisioner.core.policy import Policy

LUNA_LABEL: Final = "elotl-luna"
_IGNORE: Final = (f"{DOMAIN}/ignore", "pod.elotl.co/ignore")
"""Annotations; ours counts where both are there."""


def is_served(pod: Pod, policy: Policy) -> bool:
    """Whether the policy's selector, or Luna's label, asks us to care for the pod.

    The label needs no permission of its own: a policy without a selector serves every pod, and with one
    the label is as much the pod's own word as the selected labels are.
    """
    said = next((pod.annotations[key] for key in _IGNORE if key in pod.annotations), "")
    if said == "true":
        return False
    selected = all(pod.labels.get(key) == value for key, value in policy.pod_selector.items())
    return selected or pod.labels.get(LUNA_LABEL) == "true"
