"""Prices of nodes by the catalog, for clusters without an emulated bill."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.loader import bundled
from experiments.fault import Fault
from experiments.machine import SHAPE_LABEL
from experiments.pricing import CAPACITY_TYPE_LABEL, price_nodes
from experiments.published import published
from experiments.reading import Billed

OKE = bundled("oke")
GKE = bundled("gke")


def machine(
    shape: str, cpu: str = "1", memory: str = "1Gi", name: str = "n", **labels: str
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {SHAPE_LABEL: shape, **labels}},
        "status": {"capacity": {"cpu": cpu, "memory": memory}},
    }


@pytest.mark.parametrize(
    ("node", "price"),
    [
        (machine("VM.Standard.A1.Flex", "2", "32Gi"), "0.0680"),
        (machine("VM.Standard.A1.Flex", "1", "4Gi"), "0.0160"),
        (machine("VM.Standard.A1.Flex", "1", "1Gi"), "0.0115"),
        (machine("VM.GPU2.1", "24", "72Gi"), "1.275"),
        (machine("VM.Standard.A1.Flex", "1", "4Gi", **{CAPACITY_TYPE_LABEL: "spot"}), "0.008"),
    ],
)
def test_a_node_costs_what_its_shape_and_size_cost(node: dict[str, Any], price: str) -> None:
    assert price_nodes([node], OKE) == Billed(instances=None, price_per_hour=Decimal(price))


@pytest.mark.parametrize("memory", ["32Gi", "32823620Ki", "33554432000", "31.3Gi"])
def test_memory_that_the_kernel_keeps_is_paid_for_too(memory: str) -> None:
    assert price_nodes([machine("VM.Standard.A1.Flex", "2", memory)], OKE).price_per_hour == Decimal("0.0680")


def test_the_published_idle_cost_comes_out_of_its_nodes() -> None:
    nodes = [
        *[machine("VM.Standard.A1.Flex", "2", "32Gi")] * 2,
        machine("VM.Standard.A1.Flex", "1", "4Gi"),
        machine("VM.Standard.A1.Flex", "1", "1Gi"),
    ]
    assert price_nodes(nodes, OKE).price_per_hour == published().clouds["oke"].cost["idle"]["right-sized"]


@pytest.mark.parametrize(
    ("shape", "gpus", "region", "price"),
    [
        ("n1-standard-2", 0, "us-central1", "0.0949995"),
        ("n1-standard-2", 1, "us-central1", "0.4449995"),
        ("t2a-standard-1", 0, "us-central1", "0.0385"),
        ("t2a-standard-1", 0, "europe-west4", "0.040444"),
    ],
)
def test_a_machine_type_costs_what_its_region_and_its_gpus_cost(
    shape: str, gpus: int, region: str, price: str
) -> None:
    node = machine(shape, **{"topology.kubernetes.io/region": region})
    node["status"]["capacity"] |= {"nvidia.com/gpu": str(gpus)} if gpus else {}
    assert price_nodes([node], GKE).price_per_hour == Decimal(price)


def test_every_node_without_a_price_is_named() -> None:
    nodes = [machine("VM.Moon", name="a"), machine("VM.GPU2.1", name="b"), machine("", name="c")]
    with pytest.raises(Fault) as fault:
        price_nodes(nodes, OKE)
    assert str(fault.value) == (
        "no price in the catalog for node a: VM.Moon (on-demand); node c: no instance type (on-demand);"
        " add a row with the shape's price"
    )
