"""The choice of zones, against brute force over small regions."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from catalog.loader import bundled
from catalog.offering import ON_DEMAND, Offering
from stacks.gke_capacity import GPU, MANAGEMENT, Need, choose_zones
from stacks.gke_survey import Survey, Zone
from tests.support.settings import settings

SETTINGS = settings(cloud="gke")
ZONES = tuple(f"us-central1-{letter}" for letter in "abcd")
TYPES = ("t2a-standard-2", "n1-standard-2", "t2a-standard-1")
T4 = "nvidia-tesla-t4"


def offering(shape: str) -> Offering:
    return next(row for row in bundled("gke") if (row.shape, row.capacity_type) == (shape, ON_DEMAND))


ARM = Need(MANAGEMENT, offering("t2a-standard-2"), 2)
CARDS = Need(GPU, offering("n1-standard-2+t4x1"), 15)
SMALL = Need("provisioner.families", offering("t2a-standard-1"), 4)

zone = st.builds(
    Zone, st.frozensets(st.sampled_from(TYPES)), st.frozensets(st.sampled_from([T4, "nvidia-l4"]))
)
regions = st.dictionaries(st.sampled_from(ZONES), zone, min_size=1)


def survey(zones: Mapping[str, Zone], built: str = "") -> Survey:
    return Survey(zones, {}, {}, built)


def sells(zone: Zone, need: Need) -> bool:
    return need.offering.machine_type in zone.machine_types and (
        not need.offering.gpus or T4 in zone.accelerators
    )


@given(regions)
def test_the_zone_is_the_first_that_sells_everything(zones: Mapping[str, Zone]) -> None:
    chosen, faults = choose_zones(SETTINGS, (), [ARM, CARDS], [SMALL], survey(zones))
    best = [name for name in sorted(zones) if all(sells(zones[name], need) for need in (ARM, CARDS, SMALL))]
    enough = [name for name in sorted(zones) if all(sells(zones[name], need) for need in (ARM, CARDS))]
    assert chosen == tuple((best or enough)[:1])
    assert bool(faults) != bool(chosen)


@given(regions, st.lists(st.sampled_from(ZONES), min_size=1, unique=True))
def test_named_zones_have_to_sell_each_machine_somewhere(
    zones: Mapping[str, Zone], wished: list[str]
) -> None:
    there = [name for name in wished if name in zones]
    chosen, faults = choose_zones(SETTINGS, wished, [ARM, CARDS], [], survey(zones))
    lacking = {need.path for need in (ARM, CARDS) if not any(sells(zones[name], need) for name in there)}
    assert chosen == tuple(wished)
    assert {fault.path for fault in faults} == lacking


@given(regions, st.sampled_from(ZONES))
def test_a_cluster_stays_in_its_zone(zones: Mapping[str, Zone], built: str) -> None:
    chosen, faults = choose_zones(SETTINGS, (), [ARM], [], survey(zones, built))
    if any(sells(zone, ARM) for zone in zones.values()) and built in zones:
        assert chosen == (built,)
        assert bool(faults) == (not sells(zones[built], ARM))


@given(regions)
def test_the_way_out_is_one(zones: Mapping[str, Zone]) -> None:
    """Zones that are proposed for a regional cluster are accepted when they are set."""
    _, faults = choose_zones(SETTINGS, (), [ARM, CARDS], [], survey(zones))
    for fault in faults:
        if fault.path == "zones":
            proposed = fault.way_out.partition("[")[2].partition("]")[0].split(", ")
            assert choose_zones(SETTINGS, proposed, [ARM, CARDS], [], survey(zones))[1] == []
