"""What machine a node is, in words."""

from typing import Any

import pytest

from experiments.machine import GPUS, SHAPE_LABEL, machine_of, machines


def node(shape: str = "VM.Standard.A1.Flex", **capacity: str) -> dict[str, Any]:
    return {"metadata": {"labels": {SHAPE_LABEL: shape}}, "status": {"capacity": capacity}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (node(cpu="2", memory="32Gi"), "VM.Standard.A1.Flex, 2 vCPU, 32 GiB"),
        (node(cpu="940m", memory="32823620Ki"), "VM.Standard.A1.Flex, 0.94 vCPU, 32 GiB"),
        (
            node("n1-standard-2", cpu="2", memory="7.5Gi", **{GPUS: "1"}),
            "n1-standard-2, 2 vCPU, 8 GiB, 1 GPU",
        ),
        ({"metadata": {}, "status": {}}, "unnamed type, 0 vCPU, 0 GiB"),
    ],
)
def test_a_machine_is_its_type_and_its_size(found: dict[str, Any], words: str) -> None:
    assert str(machine_of(found)) == words


def test_nodes_alike_are_counted_together() -> None:
    small, large = node(cpu="1", memory="1Gi"), node(cpu="4", memory="4Gi")
    assert machines([small, large, small]) == {
        "VM.Standard.A1.Flex, 1 vCPU, 1 GiB": 2,
        "VM.Standard.A1.Flex, 4 vCPU, 4 GiB": 1,
    }
