from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalog.allocatable import allocatable, capacity, oke_max_pods, usable
from catalog.loader import bundled
from catalog.offering import Offering

machines = st.tuples(st.integers(1, 128), st.integers(1, 1049), st.sampled_from(["documented", "nominal"]))
flexible = st.sampled_from([offering for offering in bundled("oke") if offering.is_flexible])


@given(machines)
def test_pods_never_get_more_than_the_machine_has(machine: tuple[int, int, str]) -> None:
    vcpus, gib, accounting = machine
    about = {"arch": "arm64", "vcpus": vcpus, "memory_gib": gib, "gpus": 0, "max_pods": oke_max_pods(vcpus)}
    whole = capacity("oke", accounting, **about)  # type: ignore[arg-type]
    node = allocatable("oke", accounting, **about)  # type: ignore[arg-type]
    left = usable("oke", accounting, node)
    assert vcpus * 1000 >= whole.cpu_millicores >= node.cpu_millicores >= left.cpu_millicores >= 0
    assert gib * 2**30 >= whole.memory_bytes >= node.memory_bytes >= left.memory_bytes >= 0
    assert node.pods >= left.pods >= 0


@given(flexible, st.integers(1, 200))
def test_every_size_that_may_be_bought_is_within_the_limits(offering: Offering, ocpus: int) -> None:
    sizes = offering.gib_range(ocpus)
    least, most, limit = offering.gib_per_ocpu_min, offering.gib_per_ocpu_max, offering.gib_max
    assert least is not None
    assert most is not None
    assert limit is not None
    for gib in {*sizes[:1], *sizes[-1:]}:
        assert ocpus * least <= gib <= min(ocpus * most, limit)


@given(flexible, st.integers(1, 32), st.integers(1, 128))
def test_a_price_is_the_sum_of_its_parts(offering: Offering, ocpus: int, gib: int) -> None:
    price = offering.price_of(ocpus, gib)
    assert offering.price_of(ocpus, gib + 1) - price == offering.price_per_gib_hour
    assert offering.price_of(ocpus + 1, gib) - price == offering.price_per_ocpu_hour
    assert isinstance(offering.price_of(ocpus, gib), Decimal)
