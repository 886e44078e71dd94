"""GKE's nodes leave what its formulas say, and its catalog states where each price is from."""

from decimal import Decimal

import pytest

from catalog.allocatable import (
    DAEMONSETS,
    MIB,
    Capacity,
    allocatable,
    capacity,
    daemon_sets,
    max_pods,
    usable,
)
from catalog.loader import bundled
from catalog.offering import Offering, within


def node(vcpus: int, gib: str, arch: str = "arm64", gpus: int = 0, machine_type: str = "") -> Capacity:
    return allocatable(
        "gke",
        "documented",
        arch=arch,
        vcpus=vcpus,
        memory_gib=Decimal(gib),
        gpus=gpus,
        max_pods=110,
        machine_type=machine_type,
    )


def offerings(shape: str, region: str = "us-central1") -> dict[str, Offering]:
    return {
        each.capacity_type: each for each in bundled("gke") if (each.shape, each.region) == (shape, region)
    }


@pytest.mark.parametrize(
    ("vcpus", "gib", "arch", "cpu", "mib"),
    [
        (1, "4", "arm64", 940, 2801),
        (2, "8", "arm64", 1930, 5995),
        (4, "16", "arm64", 3920, 13210),
        (8, "32", "arm64", 7910, 28280),
        (2, "7.5", "amd64", 1930, 5618),
        (4, "16", "amd64", 3920, 13257),
        (1, "1", "amd64", 940, 627),
        (64, "256", "amd64", 63770, 245456),
    ],
)
def test_nodes_keep_what_kernel_kubelet_and_eviction_take(
    vcpus: int, gib: str, arch: str, cpu: int, mib: int
) -> None:
    left = node(vcpus, gib, arch)
    assert (left.cpu_millicores, left.memory_bytes // MIB) == (cpu, mib)


@pytest.mark.parametrize(
    ("vcpus", "gib", "arch", "gpus", "cpu", "mib"),
    [
        (1, "4", "arm64", 0, 491, 2241),
        (2, "8", "arm64", 0, 1481, 5435),
        (2, "7.5", "amd64", 1, 1326, 5058),
        (2, "7.5", "amd64", 0, 1481, 5058),
    ],
)
def test_what_is_left_to_the_application(
    vcpus: int, gib: str, arch: str, gpus: int, cpu: int, mib: int
) -> None:
    left = usable("gke", "documented", node(vcpus, gib, arch, gpus))
    assert (left.cpu_millicores, left.memory_bytes // MIB) == (cpu, mib)


@pytest.mark.parametrize(("gib", "mib"), [("4", 3925), ("8", 7938), ("16", 15972)])
def test_an_arm_node_sees_a_little_less_than_an_x86_node(gib: str, mib: int) -> None:
    def seen(arch: str) -> int:
        machine = capacity(
            "gke", "documented", arch=arch, vcpus=1, memory_gib=Decimal(gib), gpus=0, max_pods=110
        )
        return machine.memory_bytes // MIB

    assert seen("arm64") == mib < seen("amd64")


@pytest.mark.parametrize(
    ("vcpus", "reserved"), [(1, 60), (2, 70), (3, 75), (4, 80), (5, 83), (6, 85), (8, 90)]
)
def test_each_further_core_costs_less(vcpus: int, reserved: int) -> None:
    assert node(vcpus, "64").cpu_millicores == vcpus * 1000 - reserved


@pytest.mark.parametrize("machine_type", ["e2-micro", "e2-small", "e2-medium"])
def test_shared_cores_leave_less_than_one(machine_type: str) -> None:
    assert node(2, "2", "amd64", machine_type=machine_type).cpu_millicores == 940
    assert node(2, "8", "amd64", machine_type="e2-standard-2").cpu_millicores == 1930


@pytest.mark.parametrize(("gpus", "millicores", "pods"), [(0, 449, 6), (1, 604, 8)])
def test_the_clouds_own_pods_are_those_of_dataplane_v2(gpus: int, millicores: int, pods: int) -> None:
    running = daemon_sets("gke", "documented", gpus=gpus)
    assert sum(each.cpu_millicores for each in running) == millicores
    assert sum(each.memory_bytes for each in running) == 560 * MIB
    assert usable("gke", "documented", node(2, "8", gpus=gpus)).pods == 110 - pods


def test_the_names_of_daemon_sets_are_unique() -> None:
    names = [each.name for each in DAEMONSETS["gke"]]
    assert len(names) == len(set(names))


def test_a_node_takes_kubernetes_own_number_of_pods() -> None:
    assert max_pods("gke", "documented", ocpus=1) == 110
    assert max_pods("gke", "documented", ocpus=1, limit=64) == 64


@pytest.mark.parametrize(
    ("shape", "on_demand", "spot"),
    [
        ("t2a-standard-1", "0.0385", "0.016392"),
        ("t2a-standard-2", "0.077", "0.032784"),
        ("t2a-standard-8", "0.308", "0.131136"),
        ("n1-standard-2+t4x1", "0.4449995", "0.143505"),
        ("e2-medium", "0.033506", "0.020106"),
        ("e2-standard-4", "0.134022", "0.080424"),
        ("g2-standard-8", "0.853624", "0.479872"),
        ("c4a-highcpu-2", "0.07576", None),
    ],
)
def test_prices_are_those_of_the_list(shape: str, on_demand: str, spot: str | None) -> None:
    found = offerings(shape)
    assert found["on-demand"].price_per_hour == Decimal(on_demand)
    assert ("spot" in found) == (spot is not None)
    if spot:
        assert found["spot"].price_per_hour == Decimal(spot)


def test_every_row_says_whose_price_it_is_and_when_it_was_read() -> None:
    assert [each.shape for each in bundled("gke") if not (each.source and each.date and each.zones)] == []


def test_a_size_without_a_price_of_its_own_says_so() -> None:
    assert "derived" in offerings("t2a-standard-16")["on-demand"].source
    assert "derived" not in offerings("t2a-standard-8")["on-demand"].source


def test_an_attached_gpu_is_bought_as_its_machine_type() -> None:
    for vcpus in (1, 2, 4):
        found = offerings(f"n1-standard-{vcpus}+t4x1")["on-demand"]
        assert (found.machine_type, found.family, found.gpus, found.gpu_model) == (
            f"n1-standard-{vcpus}",
            "n1-t4",
            1,
            "T4",
        )


@pytest.mark.parametrize(
    ("region", "zones"),
    [
        ("us-central1", ("us-central1-a", "us-central1-b", "us-central1-f")),
        ("europe-west4", ("europe-west4-a", "europe-west4-b", "europe-west4-c")),
        ("asia-southeast1", ("asia-southeast1-b", "asia-southeast1-c")),
    ],
)
def test_t2a_is_sold_in_some_zones_only(region: str, zones: tuple[str, ...]) -> None:
    assert offerings("t2a-standard-2", region)["on-demand"].zones == zones


def test_zones_are_of_the_rows_region() -> None:
    assert [
        each for each in bundled("gke") if any(not zone.startswith(f"{each.region}-") for zone in each.zones)
    ] == []


def test_a_region_sells_only_what_it_has_in_our_zones() -> None:
    found = within(bundled("gke"), "us-central1", ("us-central1-c", "us-central1-a"))
    assert {zone for each in found for zone in each.zones} == {"us-central1-a", "us-central1-c"}
    assert {each.region for each in found} == {"us-central1"}
    elsewhere = within(bundled("gke"), "us-central1", ("us-central1-c",))
    assert not [each for each in elsewhere if each.family == "t2a"]
    assert within(bundled("gke"), "europe-west4", ("us-central1-a",)) == ()
