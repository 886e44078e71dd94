"""What the tags of a cluster say to the emulated cloud, and real clouds ignore."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog import names, timing
from catalog.allocatable import ACCOUNTINGS, DOCUMENTED
from catalog.timing import Timing


@dataclass(frozen=True, slots=True)
class Pace:
    """What a cluster's tags say about time, reservations and names."""

    timing: Timing
    accounting: str
    stack: str


def pace_of(tags: Mapping[str, str], name: str) -> Pace:
    """Timing, accounting and stack from the tags; the defaults are those of a real cloud."""
    accounting = tags.get(names.ACCOUNTING_TAG, DOCUMENTED)
    return Pace(
        timing=timing.TIMINGS.get(tags.get(names.TIMING_TAG, ""), timing.CLOUD),
        accounting=accounting if accounting in ACCOUNTINGS else DOCUMENTED,
        stack=tags.get(names.STACK_TAG) or name,
    )
