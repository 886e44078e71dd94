"""What runs, since when, until when, at what price: the emulated cloud's meter.

Time is an argument of every call, so a bill can be computed for any moment. Prices are US dollars
per hour, times are seconds since the epoch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

INSTANCE: Final = "instance"
_SECONDS_PER_HOUR: Final = Decimal(3600)


@dataclass(frozen=True, slots=True)
class Charge:
    """Something that costs money for as long as it exists."""

    id: str
    kind: str
    """`instance`, `boot-volume`, `cluster`, `load-balancer` or `nat-gateway`."""
    cloud: str
    cluster: str
    """Name of the cluster it belongs to; empty when it belongs to none."""
    price_per_hour: Decimal
    shape: str = ""
    cpu_millicores: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A charge with the time it ran; `stopped_at` is None while it runs."""

    charge: Charge
    started_at: float
    stopped_at: float | None = None

    def hours(self, now: float) -> Decimal:
        """How long it has run until now."""
        end = now if self.stopped_at is None else min(self.stopped_at, now)
        return Decimal(str(max(0.0, end - self.started_at))) / _SECONDS_PER_HOUR

    def cost(self, now: float) -> Decimal:
        """What it has cost until now, in US dollars."""
        return self.charge.price_per_hour * self.hours(now)


class Meter:
    """Starts and stops charges; a charge runs once."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}

    def start(self, charge: Charge, now: float) -> None:
        """Begin to charge; a charge that was started before is left as it is."""
        self._readings.setdefault(charge.id, Reading(charge, now))

    def stop(self, charge_id: str, now: float) -> None:
        """End a charge; one that has ended or is not known is left alone."""
        reading = self._readings.get(charge_id)
        if reading is not None and reading.stopped_at is None:
            self._readings[charge_id] = replace(reading, stopped_at=max(now, reading.started_at))

    def readings(self) -> Iterator[Reading]:
        """Every charge in the order of its start."""
        yield from tuple(self._readings.values())

    def running(self) -> Iterator[Reading]:
        """Every charge that has not been stopped."""
        yield from (reading for reading in self.readings() if reading.stopped_at is None)
