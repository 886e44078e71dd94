"""The bill as `emulator bill` prints it.

Sums count instances, as the published cost tables do; what else costs money is listed in `other`
with its own price and is in no sum.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from emulator.cloud.meter import INSTANCE, Reading


def bill(readings: Iterable[Reading], now: float) -> dict[str, Any]:
    """JSON of the bill at a moment: dollars per hour, dollars, millicores, bytes, epoch seconds."""
    rows = tuple(readings)
    instances = [reading for reading in rows if reading.charge.kind == INSTANCE]
    return {
        "price_per_hour": _number(
            sum((row.charge.price_per_hour for row in instances if row.stopped_at is None), Decimal(0))
        ),
        "total": _number(sum((row.cost(now) for row in instances), Decimal(0))),
        "instances": [_instance(row) for row in instances],
        "other": [_other(row, now) for row in rows if row.charge.kind != INSTANCE],
    }


def _instance(reading: Reading) -> dict[str, Any]:
    charge = reading.charge
    return {
        "id": charge.id,
        "cloud": charge.cloud,
        "cluster": charge.cluster,
        "shape": charge.shape,
        "cpu_millicores": charge.cpu_millicores,
        "memory_bytes": charge.memory_bytes,
        "price_per_hour": _number(charge.price_per_hour),
        "started_at": reading.started_at,
        "stopped_at": reading.stopped_at,
    }


def _other(reading: Reading, now: float) -> dict[str, Any]:
    charge = reading.charge
    return {
        "id": charge.id,
        "cloud": charge.cloud,
        "cluster": charge.cluster,
        "kind": charge.kind,
        "price_per_hour": _number(charge.price_per_hour),
        "total": _number(reading.cost(now)),
        "started_at": reading.started_at,
        "stopped_at": reading.stopped_at,
    }


def _number(amount: Decimal) -> float:
    return float(round(amount, 10))
