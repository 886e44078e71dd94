"""A price below which no set of new nodes for a plan's pods can be, whatever the mode.

It is the packing kernel's bound for the same pods, rooms and offerings, with every rule dropped that
the kernel cannot hold exactly (spread, affinity to other pods, volumes) or that is only preferred. Fewer
rules never cost more. It is of prices alone, without what nodes are taken to cost beside them.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from provisioner.core.fold import fold
from provisioner.core.kinds import kinds_of
from provisioner.core.model import HOSTNAME, Pod
from provisioner.core.optimal.solve import lower_bound as kernel_bound
from provisioner.core.situation import Outcome, Situation

_ANY: Final = 10**9
_ROUNDS: Final = 15
"""Of bringing the bound nearer, however little time was given to the plan: a bound far off says nothing."""


def lower_bound(situation: Situation, outcome: Outcome) -> Decimal:
    """The bound for the pods that have a place; `situation` is as it was before they had."""
    if not outcome.bought:
        return Decimal(0)
    price = sum((planned.size.price_per_hour for planned in outcome.bought), Decimal(0))
    if outcome.bound:
        return min(price, outcome.bound)
    kept = (pod for pods in outcome.kept.values() for pod in pods)
    pods = [_relaxed(pod) for pod in (*outcome.settled, *kept)]
    policy = replace(
        situation.terms.policy,
        max_pools=_ANY,
        preferred_architecture="",
        node_overhead_price_per_hour=Decimal(0),
    )
    unlimited = replace(situation.terms, policy=policy)
    folded = fold(kinds_of(pods, situation.site), situation.open_rooms, situation.site, unlimited)
    return min(price, kernel_bound(folded.problem, _ROUNDS))


def _relaxed(pod: Pod) -> Pod:
    by_host = tuple(term for term in pod.anti_affinity if term.topology_key == HOSTNAME)
    return replace(pod, affinity=(), anti_affinity=by_host, spread=(), claims=())
