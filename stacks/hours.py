"""Reads the hours at which models run."""

from typing import Final
from zoneinfo import available_timezones

from components.hours import Hours
from stacks.faults import closest
from stacks.reader import Reader

_FIELD: Final = r"[0-9A-Za-z*/,-]+"
_CRON: Final = rf"{_FIELD}( {_FIELD}){{4}}"
_EXPECTATION: Final = "must be a cron expression: minute, hour, day of month, month, day of week"


def read_hours(reader: Reader) -> Hours:
    """Read `start`, `end` and `timezone`."""
    hours = Hours(
        start=reader.required(
            "start", pattern=_CRON, expectation=_EXPECTATION, way_out="for example 0 8 * * 1-5"
        ),
        end=reader.required(
            "end", pattern=_CRON, expectation=_EXPECTATION, way_out="for example 0 18 * * 1-5"
        ),
        timezone=reader.text("timezone", "Etc/UTC"),
    )
    reader.close()
    if hours.end and hours.start == hours.end:
        reader.fault("end", hours.end, "must not be when they start")
    zones = available_timezones()
    if hours.timezone not in zones:
        reader.fault(
            "timezone",
            hours.timezone,
            "must be a name of the IANA database",
            closest(hours.timezone, zones) or "for example Europe/Berlin",
        )
    return hours
