"""Changes that an operator may meet, tried on the provisioner's own planner by the settings in force; pure.

The planner is asked what it would buy for the pods that are there if there were more of them, if they were larger,
and if what it would buy now were not to be had: as the controller would, when it finds pods that have no place.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from experiments.evidence import MAX_WORKERS, OFFERINGS, WORKER_SIZE, Asked, Read
from experiments.fault import Fault
from experiments.least import anew
from experiments.reading import Lists
from experiments.terms import Terms
from provisioner.core.decide import decide
from provisioner.core.explain import refusal
from provisioner.core.market import Stockout
from provisioner.core.model import Pod
from provisioner.core.plan import Plan
from provisioner.core.snapshot import Snapshot

TIMES: Final = 2
"""How many more workers there are, and how much larger each is."""
_SETTINGS: Final = "ConfigMap provisioner"
_READ: Final = (
    "mode",
    "families",
    "architectures",
    "capacity_types",
    "max_nodes",
    "max_cpu_millicores",
    "max_memory_bytes",
    "max_price_per_hour",
)
"""Settings of the policy that restrict what is bought."""


def settings_read(terms: Terms) -> Iterator[Read]:
    """The settings that restrict what is bought."""
    for name in _READ:
        value = getattr(terms.policy, name)
        known = value if value is None or isinstance(value, tuple | int | str) else float(value)
        yield Read(_SETTINGS, f"policy.{name}", known)


def trials(lists: Lists, terms: Terms, now: datetime) -> Iterator[Asked]:
    """Ask of every kind of change.

    Raises:
        Fault: when pods or nodes cannot be read, or there is no worker to ask for.
    """
    seen = anew(lists, terms)
    placed = [pod for pod in seen.pods if pod.node_name]
    waiting = [pod for pod in seen.pods if not pod.node_name]
    first = _plan(seen, terms, now)
    if not first.nodes:
        raise Fault("no worker needs a node that would be bought, so no change can be tried")

    def ask(change: str, question: str, snapshot: Snapshot, *, decides: bool = True) -> Asked:
        plan = _plan(snapshot, terms, now)
        return Asked(change, question, _words(plan), served=_serves(plan), decides=decides)

    crowd = (*placed, *_copies(waiting))
    yield ask(MAX_WORKERS, f"{TIMES} times as many workers", replace(seen, pods=crowd))
    giants = (*placed, *map(_larger, waiting))
    yield ask(WORKER_SIZE, f"workers {TIMES} times as large", replace(seen, pods=giants))
    gone = replace(seen, stockouts=tuple(_stockouts(first, now)))
    what = ", ".join(sorted({f"{each.shape} in {each.zone or 'its region'}" for each in gone.stockouts}))
    yield ask(OFFERINGS, f"no {what} to be had", gone)
    shapes = {each.shape for each in gone.stockouts}
    catalog = replace(
        terms.catalog, offerings=tuple(each for each in terms.catalog.offerings if each.shape not in shapes)
    )
    answer = _plan(seen, replace(terms, catalog=catalog), now)
    question = f"{', '.join(sorted(shapes))} no longer offered anywhere"
    yield Asked(OFFERINGS, question, _words(answer), served=_serves(answer), decides=False)


def _plan(snapshot: Snapshot, terms: Terms, now: datetime) -> Plan:
    return decide(snapshot, terms.catalog, replace(terms.policy, repack=False), now, lambda: False)


def _copies(pods: Iterable[Pod]) -> Iterator[Pod]:
    for pod in pods:
        for number in range(TIMES):
            yield replace(pod, name=f"{pod.name}-{number}", uid=f"{pod.uid}-{number}")


def _larger(pod: Pod) -> Pod:
    asked = pod.requests
    return replace(
        pod,
        requests=replace(
            asked,
            cpu_millicores=TIMES * asked.cpu_millicores,
            memory_bytes=TIMES * asked.memory_bytes,
        ),
    )


def _stockouts(plan: Plan, now: datetime) -> Iterator[Stockout]:
    until = now + timedelta(days=1)
    for planned in plan.nodes:
        yield Stockout(
            planned.spec.shape, planned.spec.zone, planned.spec.capacity_type, until, "no capacity"
        )


def _serves(plan: Plan) -> bool:
    return not (plan.unplaced or plan.held)


def _words(plan: Plan) -> str:
    if plan.held:
        return f"nothing is bought: {plan.held}"
    if plan.unplaced:
        return f"{len(plan.unplaced)} get no node: {refusal(plan.unplaced[0])}"
    bought = Counter(str(planned.size) for planned in plan.nodes)
    return ", ".join(f"{count} x {size}" for size, count in sorted(bought.items()))
