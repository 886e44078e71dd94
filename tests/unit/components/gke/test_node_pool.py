import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.boot_disks import boot_disk_type
from components.gke.node_pool import numbered, spread


@pytest.mark.parametrize(
    ("nodes", "zones", "counts"),
    [
        (2, ["a"], {"a": 2}),
        (2, ["a", "b"], {"a": 1, "b": 1}),
        (15, ["a", "b"], {"a": 8, "b": 7}),
        (2, ["a", "b", "c"], {"a": 1, "b": 1}),
    ],
)
def test_nodes_are_spread_over_the_zones(nodes: int, zones: list[str], counts: dict[str, int]) -> None:
    assert spread(nodes, zones) == counts


@given(st.integers(1, 1000), st.integers(1, 8))
def test_a_spread_is_complete_and_even(nodes: int, zones: int) -> None:
    counts = spread(nodes, [str(zone) for zone in range(zones)])
    assert sum(counts.values()) == nodes
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len(counts) == min(nodes, zones)


def test_the_first_pool_has_the_name_alone() -> None:
    assert [numbered("gpu-fixed", index) for index in range(3)] == ["gpu-fixed", "gpu-fixed-2", "gpu-fixed-3"]


@pytest.mark.parametrize(
    ("machine_type", "disk"),
    [
        ("t2a-standard-2", "pd-balanced"),
        ("n1-standard-2", "pd-balanced"),
        ("c4a-standard-1", "hyperdisk-balanced"),
        ("n4a-highcpu-2", "hyperdisk-balanced"),
    ],
)
def test_newer_series_take_the_newer_disk(machine_type: str, disk: str) -> None:
    assert boot_disk_type(machine_type) == disk
