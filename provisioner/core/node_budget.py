"""How many bought nodes may be leaving at once, and when that is so: an operator's own disruption budgets."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from cronsim import CronSim, CronSimError

_FIELDS: Final = "expected minute, hour, day of month, month, day of week (UTC), as in 0 22 * * MON-FRI"


def fault_of(schedule: str) -> str:
    """Why a cron expression cannot be used; empty when it can."""
    try:
        CronSim(schedule, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        return f"{error}: {_FIELDS}"
    return "" if len(schedule.split()) == _HOW_MANY else _FIELDS


_HOW_MANY: Final = 5


@dataclass(frozen=True, slots=True)
class NodeBudget:
    """A limit on nodes that leave: a number, or per cent of those that are bought, rounded up."""

    nodes: int | None = None
    percent: Decimal = Decimal(100)
    """Where no number is given."""
    reasons: tuple[str, ...] = ()
    """Of `policy.REASONS`; empty: all of them."""
    schedule: str = ""
    """Cron expression in UTC; empty: the budget holds always."""
    duration_s: float = 0
    """How long it holds each time."""

    def holds(self, reason: str, now: datetime) -> bool:
        """Whether it limits nodes that leave for that reason now."""
        return (not self.reasons or reason in self.reasons) and self._is_time(now)

    def limit(self, bought: int) -> int:
        """How many of so many nodes may be leaving."""
        return math.ceil(self.percent * bought / 100) if self.nodes is None else self.nodes

    def _is_time(self, now: datetime) -> bool:
        """Whether the schedule's last time was less than the duration ago."""
        if not self.schedule:
            return True
        moment = now.astimezone(UTC)
        begun = next(CronSim(self.schedule, moment - timedelta(seconds=self.duration_s)), None)
        return begun is not None and begun <= moment
