import pytest

from catalog.allocatable import (
    DAEMONSETS,
    MIB,
    Capacity,
    allocatable,
    capacity,
    daemon_sets,
    least_memory_gib,
    max_pods,
    oke_max_pods,
    usable,
)


def oke(vcpus: int, gib: int, accounting: str = "documented") -> Capacity:
    return allocatable(
        "oke", accounting, arch="arm64", vcpus=vcpus, memory_gib=gib, gpus=0, max_pods=oke_max_pods(vcpus)
    )


@pytest.mark.parametrize(
    ("vcpus", "gib", "cpu", "mib", "left_cpu", "left_mib"),
    [
        (1, 4, 840, 2412, 760, 2278),
        (1, 8, 840, 6428, 760, 6294),
        (2, 8, 1830, 6428, 1750, 6294),
        (2, 16, 1830, 13436, 1750, 13302),
        (2, 32, 1830, 28476, 1750, 28342),
    ],
)
def test_arm_nodes_of_oke_leave_what_was_measured(
    vcpus: int, gib: int, cpu: int, mib: int, left_cpu: int, left_mib: int
) -> None:
    node = oke(vcpus, gib)
    assert (node.cpu_millicores, node.memory_bytes // MIB) == (cpu, mib)
    left = usable("oke", "documented", node)
    assert (left.cpu_millicores, left.memory_bytes // MIB) == (left_cpu, left_mib)


@pytest.mark.parametrize(
    ("vcpus", "reserved"), [(1, 160), (2, 170), (3, 180), (4, 185), (5, 190), (6, 193), (7, 195), (16, 218)]
)
def test_fractions_of_a_reserved_millicore_round_up(vcpus: int, reserved: int) -> None:
    assert oke(vcpus, 64).cpu_millicores == vcpus * 1000 - reserved


@pytest.mark.parametrize(
    ("gib", "kube_gib"), [(4, 1), (8, 1), (9, 2), (16, 2), (23, 2), (24, 3), (40, 4), (64, 5)]
)
def test_reserved_memory_goes_in_steps(gib: int, kube_gib: int) -> None:
    seen = 1024 * gib - 380 - 20 * gib
    assert oke(1, gib).memory_bytes // MIB == seen - 1024 * kube_gib - 200


def test_a_node_too_small_for_its_reservations_leaves_nothing() -> None:
    assert oke(1, 1).memory_bytes == 0


def test_under_nominal_everything_is_left() -> None:
    node = oke(1, 1, "nominal")
    assert node == capacity("oke", "nominal", arch="arm64", vcpus=1, memory_gib=1, gpus=0, max_pods=31)
    assert (node.cpu_millicores, node.memory_bytes) == (1000, 1024 * MIB)
    assert usable("oke", "nominal", node) == node
    assert daemon_sets("oke", "nominal", gpus=0) == ()


def test_a_custom_catalog_needs_no_cloud_under_nominal() -> None:
    node = allocatable("", "nominal", arch="arm64", vcpus=2, memory_gib=8, gpus=1, max_pods=110)
    assert usable("", "nominal", node) == Capacity(2000, 8 * 1024 * MIB, 1, 110)


def test_the_clouds_own_pods_take_their_share() -> None:
    node = oke(1, 8)
    assert usable("oke", "documented", node).pods == node.pods - len(DAEMONSETS["oke"]) == 31 - 4


@pytest.mark.parametrize(
    ("ocpus", "pods"), [(1, 31), (2, 31), (3, 62), (4, 93), (5, 110), (24, 110), (76, 110)]
)
def test_pods_are_limited_by_the_network_interfaces(ocpus: int, pods: int) -> None:
    assert oke_max_pods(ocpus) == max_pods("oke", "documented", ocpus=ocpus) == pods


def test_under_nominal_pods_are_limited_by_kubernetes_alone() -> None:
    assert max_pods("oke", "nominal", ocpus=1) == 110
    assert max_pods("oke", "nominal", ocpus=1, limit=64) == 64
    assert max_pods("oke", "documented", ocpus=8, limit=64) == 64


def test_the_smallest_arm_machines_are_offered_under_nominal_only() -> None:
    assert least_memory_gib("oke", "documented", "VM.Standard.A1") == 4
    assert least_memory_gib("oke", "documented", "VM.Standard.E4") == 1
    assert least_memory_gib("oke", "nominal", "VM.Standard.A1") == 1
