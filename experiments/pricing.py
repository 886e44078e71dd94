"""Prices of a cluster's nodes by the catalog: for clusters that have no emulated bill."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from typing import Final

from catalog.offering import Offering
from experiments.fault import Fault
from experiments.machine import machine_of
from experiments.reading import Billed, Item, labels_of

REGION_LABEL: Final = "topology.kubernetes.io/region"
CAPACITY_TYPE_LABEL: Final = "karpenter.sh/capacity-type"


def price_nodes(nodes: Sequence[Item], catalog: Iterable[Offering]) -> Billed:
    """What the nodes cost together, each by its instance type and, where that is flexible, its size.

    Raises:
        Fault: naming every node whose instance type has no price.
    """
    offerings = tuple(catalog)
    faults, total = [], Decimal(0)
    for node in nodes:
        shape = machine_of(node).shape
        capacity_type = labels_of(node).get(CAPACITY_TYPE_LABEL, "on-demand")
        sold = [
            each for each in offerings if (each.machine_type, each.capacity_type) == (shape, capacity_type)
        ]
        offering = _of_node(node, sold)
        if offering is None:
            faults.append(f"node {node['metadata']['name']}: {shape or 'no instance type'} ({capacity_type})")
        else:
            total += _price(node, offering)
    if faults:
        raise Fault(f"no price in the catalog for {'; '.join(faults)}; add a row with the shape's price")
    return Billed(instances=None, price_per_hour=total)


def _of_node(node: Item, sold: list[Offering]) -> Offering | None:
    """Of the offerings of its machine type, the one of its region and of its GPUs, as far as they differ."""
    region = labels_of(node).get(REGION_LABEL)
    gpus = machine_of(node).gpus
    near = [each for each in sold if each.region == region] or sold
    alike = [each for each in near if each.gpus == gpus] or near
    return alike[0] if alike else None


def _price(node: Item, offering: Offering) -> Decimal:
    if not offering.is_flexible:
        return offering.price_of()
    machine = machine_of(node)
    return offering.price_of(ceil(machine.vcpus / (offering.vcpus_per_ocpu or 1)), machine.gib)
