"""Node pools as the API shows them."""

from typing import Any, Final

from emulator.gcp import wire
from emulator.gcp.nodes import taint_messages, taints
from emulator.gcp.state import Cluster, NodePool

_CANONICAL: Final = {"GCE_STOCKOUT": "RESOURCE_EXHAUSTED", "GCE_QUOTA_EXCEEDED": "RESOURCE_EXHAUSTED"}
_POD_BITS: Final = {
    range(1, 9): 28,
    range(9, 17): 27,
    range(17, 33): 26,
    range(33, 65): 25,
    range(65, 257): 24,
}
"""Prefix of a node's range for pods, by the most pods of a node: twice as many addresses."""


def pool_json(cluster: Cluster, pool: NodePool) -> dict[str, Any]:
    """A node pool with its instance groups and what it lacks."""
    message = wire.copied(pool.message)
    # The taints that the cloud adds stand beside those that were given.
    message.config.taints = taint_messages(taints(message.config, pool.machine, gpu_taint=pool.gpu_taint))
    pods = int(message.max_pods_constraint.max_pods_per_node)
    shown: dict[str, Any] = {
        **wire.shown(message),
        "status": pool.status,
        "selfLink": pool.url,
        "etag": pool.etag,
        "podIpv4CidrSize": next(bits for most, bits in _POD_BITS.items() if pods in most),
        "initialNodeCount": message.initial_node_count,
    }
    allocation = cluster.message.ip_allocation_policy
    shown["networkConfig"] = {
        "podRange": allocation.cluster_secondary_range_name,
        "podIpv4CidrBlock": allocation.cluster_ipv4_cidr_block,
        **shown.get("networkConfig", {}),
    }
    if pool.groups:
        shown["instanceGroupUrls"] = [group.url for group in pool.groups.values()]
    if lacking := pool.lacking():
        shown["statusMessage"] = lacking[0].message
        shown["conditions"] = [
            {
                "code": shortage.condition,
                "canonicalCode": _CANONICAL.get(shortage.condition, "UNKNOWN"),
                "message": shortage.message,
            }
            for shortage in lacking
        ]
    return {key: value for key, value in shown.items() if value not in ("", None)}
