"""Prices of a cluster's nodes by the catalog: for clusters that have no emulated bill."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil
from typing import Final

from catalog.offering import Offering
from experiments.fault import Fault
from experiments.machine import Machine, machine_of
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
        machine, labels = machine_of(node), labels_of(node)
        capacity_type = labels.get(CAPACITY_TYPE_LABEL, "on-demand")
        wanted = (machine.shape, capacity_type)
        sold = [each for each in offerings if (each.machine_type, each.capacity_type) == wanted]
        offering = _of_machine(machine, labels.get(REGION_LABEL), sold)
        if offering is None:
            shape = machine.shape or "no instance type"
            faults.append(f"node {node['metadata']['name']}: {shape} ({capacity_type})")
        else:
            total += _price(machine, offering)
    if faults:
        raise Fault(f"no price in the catalog for {'; '.join(faults)}; add a row with the shape's price")
    return Billed(instances=None, price_per_hour=total)


def _of_machine(machine: Machine, region: str | None, sold: list[Offering]) -> Offering | None:
    """Of the offerings of its machine type, the one of its region and of its GPUs, as far as they differ."""
    near = [each for each in sold if each.region == region] or sold
    alike = [each for each in near if each.gpus == machine.gpus] or near
    return alike[0] if alike else None


def _price(machine: Machine, offering: Offering) -> Decimal:
    if not offering.is_flexible:
        return offering.price_of()
    return offering.price_of(ceil(machine.vcpus / (offering.vcpus_per_ocpu or 1)), machine.gib)
