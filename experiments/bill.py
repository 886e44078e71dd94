"""What runs costs: from the emulated cloud's bill, or from a cluster's nodes and the catalog."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from experiments.fault import Fault
from experiments.reading import Billed

BILL_AGE_S: Final = 4.0
"""Asking for the bill starts a process: variants side by side share an answer this old."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance on the bill that still runs; price in US dollars per hour."""

    id: str
    cluster: str
    shape: str
    price_per_hour: Decimal


def running(bill: str) -> tuple[Instance, ...]:
    """The running instances of a bill as `emulator bill --json` prints it.

    Raises:
        Fault: when it is not such a document.
    """
    try:
        document = json.loads(bill, parse_float=Decimal, parse_int=Decimal)
        return tuple(
            Instance(str(row["id"]), str(row["cluster"]), str(row["shape"]), Decimal(row["price_per_hour"]))
            for row in document["instances"]
            if row["stopped_at"] is None
        )
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise Fault(f"emulator bill --json: not the promised document ({error!r})") from error


def of_clusters(instances: Iterable[Instance], names: frozenset[str]) -> Billed:
    """What a cluster's running instances cost, the cluster being known under any of these names."""
    own = [instance for instance in instances if instance.cluster in names]
    return Billed(instances=len(own), price_per_hour=sum((i.price_per_hour for i in own), Decimal(0)))


class SharedBill:
    """The latest bill, asked for at most every few seconds by all variants together."""

    def __init__(self, ask: Callable[[], str], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._instances: tuple[Instance, ...] = ()
        self._asked_at: float | None = None

    def instances(self, max_age_s: float = BILL_AGE_S) -> tuple[Instance, ...]:
        """The running instances as of at most `max_age_s` ago."""
        with self._lock:
            if self._asked_at is None or self._clock() - self._asked_at > max_age_s:
                asked_at = self._clock()
                self._instances = running(self._ask())
                self._asked_at = asked_at
            return self._instances
