"""What nodes turn out to leave to pods, where that is less than the catalog's formulas say.

Somebody's own DaemonSets, another image, or a cloud that reserves more than it documents: without this a node
would be bought for a pod, not hold it, and be bought again, for ever. What is seen on one node of a shape is
taken to hold for the whole shape.
"""

from collections.abc import Iterable

from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod
from provisioner.core.pools import PoolSpec
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.snapshot import Snapshot


def shortfalls_of(snapshot: Snapshot, catalog: Catalog) -> dict[str, Resources]:
    """The most that bought nodes lack, by shape; what was known before counts as well."""
    own: dict[str, list[Pod]] = {}
    for pod in snapshot.pods:
        if pod.is_daemon and not (pod.is_finished or pod.is_deleting):
            own.setdefault(pod.home, []).append(pod)
    found = dict(snapshot.shortfalls)
    ours = snapshot.pool_of
    for node in snapshot.nodes:
        if node.name in ours and node.is_ready and node.allocatable.cpu_millicores:
            spec = ours[node.name].spec
            lacking = _lacking(node, own.get(node.name, ()), spec, catalog)
            if lacking != NOTHING:
                found[spec.shape] = lacking.largest(found.get(spec.shape, NOTHING))
    return found


def words_of(lacking: Resources) -> str:
    """As it stands in the log."""
    return (
        f"leaves {lacking.cpu_millicores}m CPU, {lacking.memory_bytes} bytes and {lacking.pods} pods less to pods "
        "than the catalog says"
    )


def _lacking(node: Node, own: Iterable[Pod], spec: PoolSpec, catalog: Catalog) -> Resources:
    """CPU, memory and pods that the catalog promised and the node does not have."""
    size = catalog.size_of(spec)
    if size is None:
        return NOTHING
    promised = size.usable
    left = node.allocatable
    for pod in sorted(own, key=lambda pod: not pod.node_name):
        # One that is not there yet, and would never fit, is nobody's shortfall.
        if pod.node_name or pod.requests.fits(left):
            left = left - pod.requests
    return Resources(
        max(0, promised.cpu_millicores - left.cpu_millicores),
        max(0, promised.memory_bytes - left.memory_bytes),
        pods=max(0, promised.pods - left.pods),
    )
