"""Finds out why a steady state costs what it does, while its stack is there: the controller's log goes with it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from experiments.explained import Explained
from experiments.fault import Fault, Unreachable
from experiments.least import Least, least
from experiments.reading import Lists
from experiments.said import said_of_price
from experiments.terms import terms_of

T = TypeVar("T")


class Provisioned(Protocol):
    """What is asked of a cluster that has a provisioner."""

    def provisioner_settings(self) -> str | None:
        """Its settings, or None when they cannot be read."""

    def provisioner_log(self) -> str:
        """What it has said; may raise `Unreachable` or `Fault`."""


def explain(
    cluster: Provisioned, lists: Lists, price_per_hour: Decimal, since: str, now: datetime
) -> Explained:
    """Explain a steady state that was reached since a time; what cannot be found out never fails a run."""
    unknown: list[str] = []
    found = _told("the least possible price", unknown, lambda: _least(cluster, lists, now))
    log = _told("the provisioner's reasons", unknown, cluster.provisioner_log)
    return Explained(
        price_per_hour,
        # A set that somebody runs is possible, whatever the planner finds.
        least_per_hour=None if found is None else min(found.price_per_hour, price_per_hour),
        lower_bound_per_hour=None if found is None else found.lower_bound_per_hour,
        reasons=said_of_price(log or "", since),
        unknown=tuple(unknown),
    )


def _least(cluster: Provisioned, lists: Lists, now: datetime) -> Least:
    settings = cluster.provisioner_settings()
    if settings is None:
        raise Fault("the provisioner's settings cannot be read")
    return least(lists, terms_of(settings), now)


def _told(what: str, unknown: list[str], ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (Unreachable, Fault) as fault:
        unknown.append(f"{what}: {fault}")
        return None
