"""Young nodes as their machines are: what a node does not show yet counts as there.

The pods of DaemonSets come a moment after their node. A GPU is reported when its driver
runs, a minute or two later. To take a node as it is until then would be to count on room that goes, or to
buy a second one for a pod that waits for the first one's GPU.
"""

from dataclasses import replace
from datetime import datetime

from provisioner.core.market import Catalog
from provisioner.core.model import Node
from provisioner.core.policy import Policy
from provisioner.core.resources import NOTHING, Resources
from provisioner.core.snapshot import Snapshot, is_young


def as_bought(snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Snapshot:
    """The snapshot with nodes that registered lately as the catalog has them; older ones are what they show."""
    ours = snapshot.pool_of
    own: dict[str, Resources] = {}
    for pod in snapshot.pods:
        if pod.is_daemon and not pod.is_finished:
            own[pod.node_name] = own.get(pod.node_name, NOTHING) + pod.requests

    def seen(node: Node) -> Node:
        if node.name not in ours or not is_young(node, policy, now):
            return node
        spec = ours[node.name].spec
        size = catalog.size_of(spec)
        if size is None:
            return node
        promised = _as_promised(node, size.usable, own.get(node.name, NOTHING))
        return replace(promised, host_ports=catalog.own(size.offering, spec.place).host_ports)

    return replace(snapshot, nodes=tuple(map(seen, snapshot.nodes)))


def _as_promised(node: Node, usable: Resources, own: Resources) -> Node:
    """What it leaves to pods is never more than promised; a GPU that it lacks is on its way."""
    there, whole = node.allocatable, usable + own
    lacks_gpus = there.gpus < usable.gpus
    return replace(
        node,
        allocatable=replace(
            there,
            cpu_millicores=min(there.cpu_millicores, whole.cpu_millicores),
            memory_bytes=min(there.memory_bytes, whole.memory_bytes),
            pods=min(there.pods, whole.pods),
            gpus=max(there.gpus, usable.gpus),
        ),
        is_ready=node.is_ready and not lacks_gpus,
    )
