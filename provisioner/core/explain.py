"""A plan in words: for each node its pods, price and runner-up; for each pod left, the reason.

The controller's log, its events and the `explain` command say the same because they say this.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from provisioner.core.model import Pod
from provisioner.core.plan import Plan, PlannedNode, Unplaced

MOVING: Final = "moving"
"""The log's subject for why pods are not moved."""
WITHDRAWN: Final = "why pods are not moved, as said before, holds no longer"
"""Said of it when there is no reason any more."""


def purchase(planned: PlannedNode) -> str:
    """Why this node is bought."""
    pods = ", ".join([*(pod.key for pod in planned.pods), *causes(planned.kept_for)])
    where = f" in {planned.size.zone}" if planned.size.zone else ""
    later = ", ".join(pod.key for pod in planned.room_for)
    later = f" (and for {later}, moved there later so that their nodes can go)" if later else ""
    text = (
        f"{planned.size}{where} at ${planned.size.price_per_hour:f} an hour for {pods}{later}: "
        f"the cheapest that holds it{f' ({planned.instead})' if planned.instead else ''}"
    )
    if planned.runner_up is None:
        return f"{text}; nothing else would do"
    other = planned.runner_up
    return f"{text}; runner-up {other.size} at ${other.size.price_per_hour:f}: {other.why_not}"


def causes(pods: Iterable[Pod]) -> Iterator[str]:
    """What pods that are not there stand for, and how many each."""
    for cause, count in sorted(Counter(pod.stands_for for pod in pods).items()):
        yield f"{cause} ({count} pod{'s' if count > 1 else ''})"


def headline(plan: Plan) -> str:
    """The plan in one line."""
    return f"{len(plan.nodes)} nodes to buy by {plan.mode}, ${plan.price_per_hour:f} an hour{_distance(plan)}"


def _distance(plan: Plan) -> str:
    """How far the plan can be from the cheapest there is."""
    if not plan.nodes:
        return ""
    if not plan.gap:
        return ": nothing cheaper can be"
    return f": at most {plan.gap:.1%} less is possible, not below ${plan.lower_bound_per_hour.normalize():f}"


def refusal(unplaced: Unplaced) -> str:
    """Why this pod stays pending."""
    return "; ".join(f"{reason.text} ({reason.code})" for reason in unplaced.reasons)


def shortage(plan: Plan) -> str:
    """What of the headroom cannot be had, and why; empty when all is there."""
    if not plan.short:
        return ""
    return f"no room is kept for {len(plan.short)} pods of the headroom: {refusal(plan.short[0])}"


def lines(plan: Plan) -> Iterator[str]:
    """The whole plan, a line each."""
    if plan.held:
        yield f"Nothing is bought: {plan.held}"
    yield headline(plan)
    for planned in plan.nodes:
        yield f"  buy {purchase(planned)}"
    for placement in plan.existing:
        yield f"  {placement.node} has room for {', '.join(pod.key for pod in placement.pods)}"
    for unplaced in plan.unplaced:
        yield f"  {unplaced.pod.key} stays pending: {refusal(unplaced)}"
    if plan.short:
        yield f"  {shortage(plan)}"
    if plan.repack is not None:
        for planned in plan.repack.nodes:
            yield f"  buy {purchase(planned)}"
    if plan.declined:
        yield f"  nothing is moved: {plan.declined}"
    for step in plan.steps:
        yield f"  {step.action} {step.node}: {step.why}"
