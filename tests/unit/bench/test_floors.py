from dataclasses import replace
from typing import Any

import pytest

from tests.bench import floors
from tests.bench.floors import Case
from tests.bench.measure import Ours
from tests.bench.peers import Peer

KEPT = Ours(10.05, 10.0, 10.4, 0.05, 0.45, 5, 0, 3, 0, 10**8)
KARPENTER = Peer(12.0, 0.2, 6, 0, 0)


def case(family: str = "mixed", catalog: str = "oke", pods: int = 1000, **own: Any) -> Case:
    return Case(catalog, family, pods, replace(KEPT, **own), {"karpenter": KARPENTER})


def test_what_keeps_every_floor_has_no_fault() -> None:
    assert not list(floors.faults(case()))


@pytest.mark.parametrize(
    ("missed", "fault"),
    [
        (case(price_per_hour=10.11), "1.0110 of the bound, the floor is 1.01"),
        (case(catalog="linear", price_per_hour=10.21), "1.0210 of the bound, the floor is 1.02"),
        (case(catalog="gke", price_per_hour=10.31), "1.0310 of the bound, the floor is 1.03"),
        (case("bimodal", "gke", price_per_hour=10.51), "1.0510 of the bound, the floor is 1.05"),
        (case("spread", price_per_hour=12.01), "$12.0100 is dearer than karpenter's $12.0000"),
        (case(unplaced=1), "1 pods are left over, with karpenter 0"),
        (case(first_s=0.11), "0.110 s to the first answer, the floor is 0.1"),
        (case(final_s=0.51), "0.510 s to the final answer, the floor is 0.5"),
        (case(pods=20_000, first_s=0.1, final_s=2.1), "2.100 s to the final answer, the floor is 2.0"),
        (case(pods=2000, first_s=0.21), "0.210 s to the first answer, Karpenter took 0.200"),
        (case(pods=5000, final_s=0.3), "0.300 s to the final answer, Karpenter took 0.200"),
        (case(peak_bytes=4 * 10**8), "400 MB at the most, the floor is 300"),
    ],
)
def test_each_floor_that_is_missed_is_told(missed: Case, fault: str) -> None:
    assert fault in list(floors.faults(missed))


def test_families_with_rules_between_pods_are_reported_only() -> None:
    assert not list(floors.faults(case("spread", price_per_hour=11.0, first_s=0.3, final_s=0.9)))


@pytest.mark.parametrize(("first_s", "told"), [(0.6, 0), (5.0, 1)])
def test_time_may_grow_with_n_log_n_and_no_more(first_s: float, told: int) -> None:
    assert len(list(floors.growth([case(pods=10_000, first_s=first_s), case()]))) == told
