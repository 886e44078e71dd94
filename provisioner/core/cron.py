"""Cron expressions, as far as everybody who reads them here agrees on them.

The provisioner's budgets are read by cronsim, the hours of models by KEDA. What only one of them knows (the
last day `L`, `W`, `#`, a sixth field, 7 for Sunday) is refused for both.
"""

import re
from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError

_FIELDS: Final = "expected minute, hour, day of month, month, day of week, as in 0 22 * * MON-FRI"
_HOW_MANY: Final = 5
_NAMES: Final = frozenset(
    "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED THU FRI SAT".split()  # noqa: SIM905
)


def fault_of(schedule: str) -> str:
    """Why a cron expression cannot be used; empty when it can."""
    try:
        CronSim(schedule, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"{error}: {_FIELDS}"
    fields = schedule.split()
    if len(fields) != _HOW_MANY:
        return _FIELDS
    for word in re.split(r"[\s,/-]+", schedule.strip()):
        if not (word == "*" or re.fullmatch(r"\d+", word, re.ASCII) or word.upper() in _NAMES):
            return f"{word} is not known everywhere: {_FIELDS}"
    return f"Sunday is 0: {_FIELDS}" if "7" in re.split(r"[,/-]", fields[-1]) else ""
