"""How many bought nodes may be leaving at once, and when that is so: an operator's own disruption budgets."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cronsim import CronSim


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
