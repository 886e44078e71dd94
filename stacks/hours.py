"""Reads the hours at which models run."""

from zoneinfo import available_timezones

from components.hours import Hours
from stacks.faults import closest
from stacks.reader import Reader


def read_hours(reader: Reader) -> Hours:
    """Read `start`, `end` and `timezone`."""
    hours = Hours(
        start=reader.cron("start", example="0 8 * * 1-5"),
        end=reader.cron("end", example="0 18 * * 1-5"),
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
