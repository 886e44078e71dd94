"""Placing pods that are there together with those that room is made for ahead of time.

Together they get a cheaper set than one after another. Where a limit binds, pods that are there come
first: room for others is dropped as soon as it would cost one of them its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from provisioner.core.model import Pod
from provisioner.core.situation import Outcome, Situation

Mode = Callable[[Situation], Outcome]
Anew = Callable[[], Situation]
"""The situation as it was before anything was placed."""


def place(situation: Situation, growth: Sequence[Pod], anew: Anew, mode: Mode) -> Outcome:
    """Places for the situation's pods and, as far as nobody loses one by it, for those to come."""
    if not growth:
        return mode(situation)
    together = mode(replace(situation, pods=(*situation.pods, *growth)))
    if not _losers(together):
        return together
    alone = mode(anew())
    return together if _losers(together) == _losers(alone) else alone


def of_pods_there(outcome: Outcome) -> Outcome:
    """The outcome with nothing but pods that are there; what is bought says whom else it has room for."""
    placed = {room: list(there(pods)) for room, pods in outcome.placed.items()}
    return Outcome(
        {room: pods for room, pods in placed.items() if pods},
        [
            replace(
                planned,
                pods=there(planned.pods),
                kept_for=tuple(pod for pod in planned.pods if pod.stands_for),
            )
            for planned in outcome.bought
        ],
        [each for each in outcome.refused if not each.pod.stands_for],
        outcome.bound,
    )


def there(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Those that stand for nothing but themselves."""
    return tuple(pod for pod in pods if not pod.stands_for)


def _losers(outcome: Outcome) -> set[str]:
    return {each.pod.key for each in outcome.refused if not each.pod.stands_for}
