"""Which nodes the provisioner bought, as far as the nodes alone tell: for answers without the cloud's API.

The controller asks the cloud for its pools. `plan` and `explain` read a cluster only, so they take the
nodes that carry the policy's labels for the provisioner's, and read size and kind from each of them.
Machines that are on their way, and empty pools, cannot be seen so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from catalog import allocatable
from catalog.names import DOMAIN, ROLE_INFERENCE, ROLE_KEY
from catalog.offering import ON_DEMAND, Offering
from provisioner.core.market import Catalog
from provisioner.core.model import ARCH, CAPACITY_TYPE, INSTANCE_TYPE, ZONE, Node
from provisioner.core.policy import Policy
from provisioner.core.pools import Instance, Pool, PoolSpec

DEFAULT_LABELS: Final[Mapping[str, str]] = {ROLE_KEY: ROLE_INFERENCE}
"""What bought nodes carry where the policy says nothing."""


def pools_of(nodes: Iterable[Node], catalog: Catalog, policy: Policy) -> tuple[Pool, ...]:
    """Nodes of ours by what they are; one whose machine the catalog does not have is nobody's."""
    labels = policy.node_labels or DEFAULT_LABELS
    found: dict[PoolSpec, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.provider_id and all(node.labels.get(key) == value for key, value in labels.items()):
            spec = _spec(node, catalog, policy)
            if spec is not None:
                found[spec].append(node)
    return tuple(
        Pool(
            spec.digest,
            f"nodes-{spec.digest}",
            spec,
            len(alike),
            tuple(Instance(node.provider_id, is_leaving=node.is_deleting) for node in alike),
        )
        for spec, alike in sorted(found.items())
    )


def _spec(node: Node, catalog: Catalog, policy: Policy) -> PoolSpec | None:
    offering = next((each for each in catalog.offerings if _is_made_of(node, each)), None)
    if offering is None:
        return None
    ocpus, memory_gib = _size(node, offering, catalog)
    kept = {
        key: value
        for key, value in node.labels.items()
        if key.startswith(f"{DOMAIN}/") or key in policy.node_labels or key == CAPACITY_TYPE
    }
    return PoolSpec(
        offering.shape,
        ocpus,
        memory_gib,
        node.labels.get(ZONE, ""),
        offering.capacity_type,
        tuple(sorted(kept.items())),
        tuple(taint for taint in policy.node_taints if taint in node.taints),
    )


def _is_made_of(node: Node, offering: Offering) -> bool:
    labels = node.labels
    return (
        labels.get(INSTANCE_TYPE) == offering.machine_type
        and labels.get(ARCH, offering.arch) == offering.arch
        and labels.get(CAPACITY_TYPE, ON_DEMAND) == offering.capacity_type
        and node.capacity.gpus == offering.gpus
    )


def _size(node: Node, offering: Offering, catalog: Catalog) -> tuple[int, Decimal]:
    """OCPUs and GiB bought: those whose node would have the nearest memory to this one's.

    A node shows less than was bought, since firmware and kernel keep a part.
    """
    if offering.memory_gib is not None:
        return 0, offering.memory_gib
    cores = node.capacity.cpu_millicores // (1000 * (offering.vcpus_per_ocpu or 1))
    ocpus = min(max(cores, offering.ocpu_range()[0]), offering.ocpu_range()[-1])

    def distance(gib: int) -> int:
        shown = allocatable.capacity(
            catalog.cloud,
            catalog.accounting,
            arch=offering.arch,
            vcpus=offering.vcpus_of(ocpus),
            memory_gib=gib,
            gpus=offering.gpus,
            max_pods=node.capacity.pods,
        )
        return abs(shown.memory_bytes - node.capacity.memory_bytes)

    return ocpus, Decimal(min(offering.gib_range(ocpus), key=distance))
