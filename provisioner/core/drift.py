"""Whether a bought node is as it would be made today: by the same settings, of the same Kubernetes version."""

import re
from typing import Final

from provisioner.core.model import Node
from provisioner.core.policy import Policy
from provisioner.core.pools import Pool

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-gke\.(\d+))?", re.ASCII)


def why_drifted(node: Node, pool: Pool, policy: Policy) -> str:
    """What would be made otherwise; empty when nothing would, or when that is no reason to replace a node.

    Only what a node bought instead would have otherwise counts: else it would be replaced for ever.
    """
    if not policy.replace_drifted:
        return ""
    if pool.is_outdated:
        return "it was made by other settings (image, Kubernetes version, disk or network)"
    if not policy.node_labels.items() <= dict(pool.spec.labels).items():
        return "it was made with other labels"
    if set(pool.spec.taints) != set(policy.node_taints):
        return "it was made with other taints"
    if _is_older(node.kubelet_version, pool.version):
        return f"its kubelet is {node.kubelet_version}, and new nodes of {pool.name} get {pool.version}"
    return ""


def _is_older(version: str, than: str) -> bool:
    """Whether both are versions and the first is the older one."""
    one, other = _VERSION.fullmatch(version), _VERSION.fullmatch(than)
    if one is None or other is None:
        return False
    # A build of GKE is compared with another build only.
    both = [(int(a), int(b)) for a, b in zip(one.groups(), other.groups(), strict=True) if a and b]
    return [a for a, _ in both] < [b for _, b in both]
