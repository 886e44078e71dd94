"""Cron expressions that everybody reads alike."""

import pytest

from provisioner.core.cron import fault_of


@pytest.mark.parametrize("schedule", ["0 8 * * 1-5", "*/5 0-6,22 1 jan,JUL mon-FRI", "0  8 * * 0"])
def test_five_fields_of_numbers_and_names_are_read_by_all(schedule: str) -> None:
    assert not fault_of(schedule)


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ("8:00", "Wrong number of fields"),
        ("0 18 * *", "Wrong number of fields"),
        ("0 0 0 * * *", "expected minute, hour"),
        ("61 0 * * *", "Bad minute"),
        ("0 0 L * *", "L is not known everywhere"),
        ("0 0 * * 1#2", "1#2 is not known everywhere"),
        ("0 0 * * 5-7", "Sunday is 0"),
    ],
)
def test_what_somebody_cannot_read_is_said(schedule: str, fault: str) -> None:
    assert fault_of(schedule).startswith(fault)
