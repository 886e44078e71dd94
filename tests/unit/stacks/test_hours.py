from typing import Any

import pytest

from components.hours import Hours
from stacks.faults import StackError
from stacks.settings import parse
from tests.support.settings import settings, values

WEEKDAYS = {"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Berlin"}


def test_models_run_always_unless_hours_are_said() -> None:
    assert settings().serving.hours is None


def test_hours_are_two_cron_expressions_in_a_time_zone() -> None:
    assert settings({"serving.hours": WEEKDAYS}).serving.hours == Hours(**WEEKDAYS)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"start": "8:00"}, "serving.hours.start: '8:00' must be a cron expression"),
        ({"start": ""}, "serving.hours.start is not set: it must be a cron expression"),
        ({"end": "0 18 * *"}, "serving.hours.end: '0 18 * *' must be a cron expression"),
        ({"end": "0 18 L * *"}, "serving.hours.end: '0 18 L * *' must be a cron expression; L is not known"),
        ({"end": WEEKDAYS["start"]}, "serving.hours.end: '0 8 * * 1-5' must not be when they start"),
        ({"timezone": "Europe/Berlim"}, "serving.hours.timezone: 'Europe/Berlim' must be a name of the IANA"),
        ({"days": "all"}, "serving.hours.days is an unknown key"),
    ],
)
def test_hours_that_are_none_are_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(StackError) as caught:
        parse(values({"serving.hours": {**WEEKDAYS, **change}}))
    (found,) = str(caught.value).splitlines()
    assert found.startswith(fault)
