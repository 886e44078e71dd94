"""One instance measured: price over the lower bound, and time to the first and to the final answer.

Times of ours are seconds of CPU on its one thread, so that floors do not depend on what else runs.
"""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time
from typing import Final

from catalog.offering import ARCHITECTURES
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.plan import Plan
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.snapshot import Snapshot

NOW: Final = datetime(2026, 1, 2, tzinfo=UTC)
_TRIES: Final = 3
"""Of what takes a few hundredths of a second only: whoever shares the processor slows single ones."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Our answer."""

    price_per_hour: float
    bound_per_hour: float
    first_price_per_hour: float
    first_s: float
    """To the answer that needs no round, everything from pods to plan included; the least of three."""
    final_s: float
    nodes: int
    gpu_nodes: int
    sizes: int
    unplaced: int
    peak_bytes: int
    """Of this process so far."""

    @property
    def ratio(self) -> float:
        """Price over bound; 1 where both are nothing."""
        return self.price_per_hour / self.bound_per_hour if self.bound_per_hour else 1.0


def policy(mode: str) -> Policy:
    """Both architectures; bin-selection may use as many sizes as it likes, ours has the default limit."""
    most = Policy().max_pools if mode == OPTIMAL else 10**6
    return Policy(mode=mode, architectures=ARCHITECTURES, max_pools=most)


def ours(market: Catalog, snapshot: Snapshot, deadline_s: float) -> Ours:
    """The mode `optimal`, first without any round, then until the deadline."""
    tries = [_timed(market, snapshot, lambda: False) for _ in range(_TRIES)]
    first, first_s = tries[0][0], min(seconds for _, seconds in tries)
    end = process_time() + deadline_s
    final, final_s = _timed(market, snapshot, lambda: process_time() < end)
    return Ours(
        float(final.price_per_hour),
        float(final.lower_bound_per_hour),
        float(first.price_per_hour),
        first_s,
        final_s,
        len(final.nodes),
        sum(bool(each.size.offering.gpus) for each in final.nodes),
        len({each.spec for each in final.nodes}),
        len(final.unplaced),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def _timed(market: Catalog, snapshot: Snapshot, go_on: Callable[[], bool]) -> tuple[Plan, float]:
    start = process_time()
    plan = decide(snapshot, market, policy(OPTIMAL), NOW, go_on)
    return plan, process_time() - start
