"""What the provisioner may buy beside families and architectures: how much in all, what rather, what shared."""

from collections.abc import Mapping
from typing import Any

from catalog.offering import ARCHITECTURES
from stacks.reader import Reader


def read_purchases(reader: Reader) -> Mapping[str, Any]:
    """From the section `provisioner`, as the policy names it; what is left out has its default there."""
    preferred = reader.choice("preferredArchitecture", ("", *ARCHITECTURES), "")
    document = {
        "preferred_architecture": preferred or None,
        "max_spot_share": _share(reader),
        **_limits(reader.section("limits")),
        **_packing(reader.section("binPacking")),
    }
    return {key: value for key, value in document.items() if value is not None}


def _share(reader: Reader) -> float | None:
    percent = reader.integer("maxSpotPercent", 100, most=100)
    return percent / 100 if reader.has("maxSpotPercent") else None


def _limits(reader: Reader) -> dict[str, int | None]:
    found = {
        "max_nodes": reader.optional_integer("nodes"),
        "max_cpu_millicores": reader.optional_millicores("cpu"),
        "max_memory_bytes": reader.optional_memory_bytes("memory"),
    }
    reader.close()
    return found


def _packing(reader: Reader) -> dict[str, int | None]:
    """Luna's thresholds: above which a pod has a node of its own, and what a shared node leaves to pods."""
    found = {
        "bin_select_pod_cpu_threshold": reader.optional_millicores("podCpu"),
        "bin_select_pod_memory_threshold": reader.optional_memory_bytes("podMemory"),
        "bin_packing_node_cpu": reader.optional_millicores("nodeCpu"),
        "bin_packing_node_memory": reader.optional_memory_bytes("nodeMemory"),
        "bin_packing_node_min_pod_count": reader.optional_integer("nodePods", least=1),
    }
    reader.close()
    return found
