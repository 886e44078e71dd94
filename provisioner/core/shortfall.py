"""What nodes turn out to leave to pods, where that is less than the catalog and the DaemonSets of the cluster say.

Another image, a cloud that reserves more than it documents, a DaemonSet that nobody could tell would run there:
without this a node would be bought for a pod, not hold it, and be bought again, for ever. What is seen on one
node of a shape is taken to hold for the whole shape.
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
        if pod.is_daemon and not (pod.is_finished or pod.is_deleting or _is_orphan(pod, snapshot)):
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
        "than was to be expected"
    )


def _is_orphan(pod: Pod, snapshot: Snapshot) -> bool:
    """Whether its DaemonSet is gone, so that it goes as well: what is learned is not forgotten."""
    if snapshot.daemon_sets is None or pod.owner is None or pod.owner.kind != "DaemonSet":
        return False
    return all(each.uid != pod.owner.uid for each in snapshot.daemon_sets)


def _lacking(node: Node, own: Iterable[Pod], spec: PoolSpec, catalog: Catalog) -> Resources:
    """CPU, memory and pods that were to be expected and the node does not have."""
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
