"""What a pod held by a scheduling gate would cost if it ran now, and whether it may run.

Each held pod is planned by itself, on top of the plan that was just made: beside the pods that run, and
those that are going somewhere. Pods of one workload have one answer. A gate can be taken away and never
put on again (Kubernetes refuses that), so what is released stays released.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from catalog.names import DOMAIN
from provisioner.core.decide import decide
from provisioner.core.explain import refusal
from provisioner.core.market import Catalog
from provisioner.core.model import Pod
from provisioner.core.plan import Plan
from provisioner.core.policy import AUTOMATIC, NEVER, Policy
from provisioner.core.pools import Pool
from provisioner.core.served import is_served
from provisioner.core.snapshot import Snapshot

GATES: Final = (f"{DOMAIN}/preview", "nodecostestimate")
"""Gates that ask for a preview: ours, and Luna's."""
APPROVED_KEY: Final = f"{DOMAIN}/approved"
"""Annotation of a pod (value "true"): its price is agreed to."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What each of some equal pods would cost, planned alone."""

    pods: tuple[Pod, ...]
    price_per_hour: Decimal | None
    """Of what would be bought; 0 where there is room, None where it could not run."""
    where: str
    """In words."""


def is_held(pod: Pod, policy: Policy) -> bool:
    """Whether the pod waits for a preview."""
    return pod.is_pending and any(gate in GATES for gate in pod.gates) and is_served(pod, policy)


def gates_of(pod: Pod) -> tuple[str, ...]:
    """The pod's gates that are ours to take away; others stay."""
    return tuple(gate for gate in pod.gates if gate in GATES)


def estimates(
    plan: Plan,
    snapshot: Snapshot,
    catalog: Catalog,
    policy: Policy,
    now: datetime,
    seen: Mapping[str, datetime],
) -> Iterator[Estimate]:
    """Estimates one by one, for as many as the caller has time: of approved pods, then those seen longest ago.

    `seen`: when each pod, by its key, was estimated last.
    """
    groups = _groups(pod for pod in snapshot.pods if is_held(pod, policy))
    if not groups:
        return
    before = _carried_out(plan, snapshot)
    planner = replace(policy, repack=False)

    def age(pods: Sequence[Pod]) -> tuple[float, str]:
        if any(_is_approved(pod, policy) for pod in pods):
            return -1.0, pods[0].key
        return min(seen[pod.key].timestamp() if pod.key in seen else 0.0 for pod in pods), pods[0].key

    for pods in sorted(groups, key=age):
        freed = replace(pods[0], is_gated=False, gates=())
        alone = decide(
            replace(before, pods=(*before.pods, freed)), catalog, planner, now, budget=lambda: False
        )
        yield _estimate(tuple(pods), freed.key, alone)


def is_released(pod: Pod, estimate: Estimate, policy: Policy) -> bool:
    """Whether the pod's gate is to be taken away: by approval, or as the policy lets the price decide."""
    if _is_approved(pod, policy):
        return True
    if policy.preview_release != AUTOMATIC or estimate.price_per_hour is None:
        return False
    limit = policy.preview_max_price_per_hour
    return limit is None or estimate.price_per_hour <= limit


def text(pod: Pod, estimate: Estimate, policy: Policy) -> str:
    """What is said of one of the pods: the node, the price, and what it waits for."""
    if policy.preview_release == NEVER:
        return f"{estimate.where}; remove the gate to run it"
    if is_released(pod, estimate, policy):
        return f"{estimate.where}; released"
    limit = policy.preview_max_price_per_hour
    is_dear = policy.preview_release == AUTOMATIC and estimate.price_per_hour is not None
    why = f", more than preview_max_price_per_hour (${limit:f})" if is_dear else ""
    return f"{estimate.where}{why}; runs when it is annotated {APPROVED_KEY}=true"


def lines(plan: Plan, snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime) -> Iterator[str]:
    """Every held pod's preview, a line each."""
    for estimate in estimates(plan, snapshot, catalog, policy, now, {}):
        for pod in estimate.pods:
            yield f"  {pod.key} {text(pod, estimate, policy)}"


def _is_approved(pod: Pod, policy: Policy) -> bool:
    return policy.preview_release != NEVER and pod.annotations.get(APPROVED_KEY) == "true"


def _groups(held: Iterator[Pod]) -> list[list[Pod]]:
    """Pods of one workload together, by name; what mounts a claim is alone."""
    found: dict[tuple[str, object], list[Pod]] = defaultdict(list)
    for pod in sorted(held, key=lambda pod: pod.key):
        found[pod.namespace, (pod.owner, pod.claims) if pod.owner else pod.name].append(pod)
    return list(found.values())


def _carried_out(plan: Plan, snapshot: Snapshot) -> Snapshot:
    """The cluster as it will be when the plan is carried out: what stays pending is left out."""
    pools: list[Pool] = []
    places: dict[str, str] = {pod.key: each.node for each in plan.existing for pod in each.pods}
    for planned in plan.nodes:
        name = f"(planned node {len(pools) + 1})"
        pools.append(Pool(name, name, planned.spec, 1))
        places |= {pod.key: f"{name}/0" for pod in planned.pods}
    pods = tuple(
        replace(pod, node_name=places[pod.key]) if pod.key in places else pod
        for pod in snapshot.pods
        if pod.node_name or pod.key in places
    )
    return replace(snapshot, pods=pods, pools=(*snapshot.pools, *pools))


def _estimate(pods: tuple[Pod, ...], key: str, alone: Plan) -> Estimate:
    """Whatever the plan buys is bought because of the pod: nothing else is pending."""
    for unplaced in alone.unplaced:
        if unplaced.pod.key == key:
            return Estimate(pods, None, f"would stay pending: {refusal(unplaced)}")
    price = alone.price_per_hour
    cost = f"would cost ${price:f} an hour" if price else "would cost nothing more"
    for placement in alone.existing:
        if any(pod.key == key for pod in placement.pods):
            node = placement.node.partition("/")[0]
            kept = f", and {', '.join(str(each.size) for each in alone.nodes)} keeps what is to stay free"
            return Estimate(pods, price, f"{cost}: {node} has room for it{kept if price else ''}")
    size = next(each.size for each in alone.nodes if any(pod.key == key for pod in each.pods))
    zone = f" in {size.zone}" if size.zone else ""
    return Estimate(pods, price, f"{cost}: {size}{zone} would be bought for it")
