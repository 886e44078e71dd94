"""The meter and the bill: what ran, for how long, at what price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.cloud.bill import bill
from emulator.cloud.meter import Charge, Meter

T0 = 1_800_000_000.0
HOUR = 3600.0


def instance(name: str, price: str = "0.068") -> Charge:
    return Charge(
        id=name,
        kind="instance",
        cloud="oke",
        cluster="oke",
        price_per_hour=Decimal(price),
        shape="VM.Standard.A1.Flex",
        cpu_millicores=2000,
        memory_bytes=32 * 2**30,
    )


def test_the_bill_is_what_was_promised() -> None:
    meter = Meter()
    meter.start(instance("a"), T0)
    meter.start(instance("b", "1.275"), T0)
    meter.start(Charge("v", "boot-volume", "oke", "oke", Decimal("0.003")), T0)
    meter.stop("b", T0 + HOUR / 2)
    answer = bill(meter.readings(), T0 + HOUR)
    assert answer["price_per_hour"] == 0.068
    assert answer["total"] == pytest.approx(0.068 + 1.275 / 2)
    assert answer["instances"][1] == {
        "id": "b",
        "cloud": "oke",
        "cluster": "oke",
        "shape": "VM.Standard.A1.Flex",
        "cpu_millicores": 2000,
        "memory_bytes": 34359738368,
        "price_per_hour": 1.275,
        "started_at": T0,
        "stopped_at": T0 + HOUR / 2,
    }
    assert answer["instances"][0]["stopped_at"] is None
    assert [(entry["kind"], entry["total"]) for entry in answer["other"]] == [("boot-volume", 0.003)]


def test_a_charge_runs_once() -> None:
    meter = Meter()
    meter.start(instance("a"), T0)
    meter.start(instance("a"), T0 + HOUR)
    meter.stop("a", T0 + HOUR)
    meter.stop("a", T0 + 2 * HOUR)
    meter.start(instance("a"), T0 + 3 * HOUR)
    (reading,) = meter.readings()
    assert (reading.started_at, reading.stopped_at) == (T0, T0 + HOUR)


def test_stopping_what_never_ran_changes_nothing() -> None:
    meter = Meter()
    meter.stop("a", T0)
    assert bill(meter.readings(), T0) == {"price_per_hour": 0.0, "total": 0.0, "instances": [], "other": []}


seconds = st.integers(min_value=0, max_value=10**6)


@given(
    st.lists(st.tuples(seconds, st.one_of(st.none(), seconds), st.integers(0, 10**4)), max_size=8), seconds
)
def test_the_total_is_the_sum_of_price_times_time(rows: list[tuple[int, int | None, int]], now: int) -> None:
    meter = Meter()
    expected = Decimal(0)
    for number, (start, duration, price) in enumerate(rows):
        meter.start(instance(str(number), f"{price}e-4"), start)
        if duration is not None:
            meter.stop(str(number), start + duration)
        end = now if duration is None else min(now, start + duration)
        expected += Decimal(price).scaleb(-4) * max(0, end - start) / 3600
    assert bill(meter.readings(), now)["total"] == pytest.approx(float(expected), abs=1e-9)
    assert all(reading.cost(now) >= 0 for reading in meter.readings())


@given(seconds, seconds, seconds)
def test_the_total_never_falls(start: int, first: int, more: int) -> None:
    meter = Meter()
    meter.start(instance("a"), start)
    earlier = bill(meter.readings(), first)["total"]
    assert bill(meter.readings(), first + more)["total"] >= earlier
