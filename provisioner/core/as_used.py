"""Pods taken for as large as they are used, where the policy cares for hot nodes.

What fits together is judged by this when pods are moved to save money: by requests alone, a pod that was
moved off a hot node would be moved back.
"""

from collections.abc import Mapping
from dataclasses import replace

from provisioner.core.model import Pod
from provisioner.core.policy import Policy
from provisioner.core.snapshot import Snapshot
from provisioner.core.usage import Usage


def as_used(snapshot: Snapshot, policy: Policy) -> Snapshot:
    """The cluster as if running pods asked for at least what they use."""
    if not policy.hot_nodes or not snapshot.usage:
        return snapshot
    uses = {use.key: use for use in snapshot.usage}
    return replace(snapshot, pods=tuple(sized(pod, uses) if pod.node_name else pod for pod in snapshot.pods))


def sized(pod: Pod, uses: Mapping[str, Usage]) -> Pod:
    """The pod as if it asked for at least what it uses; `uses` by its key."""
    use = uses.get(pod.key)
    if use is None:
        return pod
    asked = pod.requests
    return replace(
        pod,
        requests=replace(
            asked,
            cpu_millicores=max(asked.cpu_millicores, use.cpu_millicores),
            memory_bytes=max(asked.memory_bytes, use.memory_bytes),
        ),
    )
