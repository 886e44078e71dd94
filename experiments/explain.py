"""Asks of a provisioner what is known only while its stack is there.

Why a steady state costs what it does, since the controller's log goes with it; and which changes it would meet.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from experiments.evidence import Evidence
from experiments.explained import Explained
from experiments.fault import Fault, Unreachable
from experiments.least import Least, least
from experiments.reading import Lists
from experiments.said import said_of_price
from experiments.terms import Terms, terms_of
from experiments.trials import settings_read, trials

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
    one = Explained(
        price_per_hour,
        # A set that somebody runs is possible, whatever the planner finds.
        least_per_hour=None if found is None else min(found.price_per_hour, price_per_hour),
        lower_bound_per_hour=None if found is None else found.lower_bound_per_hour,
    )
    if found is None or one.above:
        log = _told("the provisioner's reasons", unknown, cluster.provisioner_log) or ""
        one = replace(one, reasons=said_of_price(log, since))
    return replace(one, unknown=tuple(unknown))


def with_trials(known: Evidence, cluster: Provisioned, lists: Lists, now: datetime) -> Evidence:
    """The evidence with what the provisioner is told, and what its planner says of changes; it fails no run."""
    try:
        terms = _terms(cluster)
        return replace(known, settings=tuple(settings_read(terms)), asked=tuple(trials(lists, terms, now)))
    except Fault as fault:
        return replace(known, unknown=str(fault))


def _least(cluster: Provisioned, lists: Lists, now: datetime) -> Least:
    return least(lists, _terms(cluster), now)


def _terms(cluster: Provisioned) -> Terms:
    settings = cluster.provisioner_settings()
    if settings is None:
        raise Fault("the provisioner's settings cannot be read")
    return terms_of(settings)


def _told(what: str, unknown: list[str], ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except (Unreachable, Fault) as fault:
        unknown.append(f"{what}: {fault}")
        return None
