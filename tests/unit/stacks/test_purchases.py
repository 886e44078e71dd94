"""How the stack's settings limit what is bought, and that the provisioner understands what it is told."""

from dataclasses import fields
from typing import Any

import pytest

from provisioner.core.policy import Policy
from provisioner.settings import PolicySettings
from stacks.faults import Fault
from stacks.purchases import read_purchases
from stacks.reader import Reader


def read(value: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    faults: list[Fault] = []
    reader = Reader(value, "provisioner", faults)
    document = read_purchases(reader)
    reader.close()
    return dict(document), faults


EVERYTHING = {
    "preferredArchitecture": "arm64",
    "maxSpotPercent": 25,
    "limits": {"nodes": 5, "cpu": "16", "memory": "64Gi"},
    "binPacking": {
        "podCpu": "2",
        "podMemory": "1G",
        "nodeCpu": "3",
        "nodeMemory": "6Gi",
        "nodePods": 30,
    },
}


def test_without_settings_the_provisioners_own_defaults_hold() -> None:
    assert read({}) == ({}, [])
    named = {each.name: getattr(Policy(), each.name) for each in fields(Policy)}
    assert {key: value for key, value in named.items() if key.startswith("bin_")} == {
        key: getattr(PolicySettings(), key) for key in named if key.startswith("bin_")
    }


def test_the_provisioner_is_told_as_it_understands() -> None:
    document, faults = read(EVERYTHING)
    assert faults == []
    policy = PolicySettings.model_validate(document).policy()
    assert policy == Policy(
        **{**document, "node_labels": policy.node_labels, "node_taints": policy.node_taints}
    )
    assert (policy.preferred_architecture, policy.max_spot_share) == ("arm64", 0.25)
    assert (policy.max_nodes, policy.max_cpu_millicores, policy.max_memory_bytes) == (5, 16000, 64 * 2**30)
    assert (policy.bin_select_pod_cpu_threshold, policy.bin_select_pod_memory_threshold) == (2000, 10**9)
    assert (policy.bin_packing_node_cpu, policy.bin_packing_node_memory) == (3000, 6 * 2**30)
    assert policy.bin_packing_node_min_pod_count == 30


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ({"preferredArchitecture": "riscv64"}, "preferredArchitecture"),
        ({"maxSpotPercent": 101}, "maxSpotPercent"),
        ({"limits": {"nodes": -1}}, "limits.nodes"),
        ({"limits": {"gpus": 1}}, "limits.gpus"),
        ({"limits": {"cpu": "much"}}, "limits.cpu"),
        ({"binPacking": {"nodePods": 0}}, "binPacking.nodePods"),
    ],
)
def test_what_cannot_be_is_a_fault_of_its_key(value: dict[str, Any], key: str) -> None:
    _, faults = read(value)
    assert [each.path for each in faults] == [f"provisioner.{key}"]
