"""Durations as the container engine API takes them: ISO 8601, zero to an hour."""

import re
from typing import Final

from emulator.oci.errors import invalid

_FORM: Final = re.compile(r"^PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?$")
_MOST_S: Final = 3600


def seconds_of(name: str, text: str) -> int:
    """The duration in seconds.

    Raises:
        ApiError: 400 when it has another form or is longer than an hour.
    """
    match = _FORM.match(text)
    if match is None or text == "PT":
        raise invalid(f"{name}: '{text}' is not an ISO 8601 duration such as PT20M")
    hours, minutes, seconds = (int(match[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    total = hours * 3600 + minutes * 60 + seconds
    if total > _MOST_S:
        raise invalid(f"{name}: '{text}' is longer than PT60M")
    return total
