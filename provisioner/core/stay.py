"""Why each bought node that nothing is done to stays: `explain` says it of a cluster."""

from collections.abc import Iterator

from provisioner.core.cart import price_of
from provisioner.core.explain import causes
from provisioner.core.hot_nodes import HOT
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod
from provisioner.core.movable import Movable
from provisioner.core.plan import Plan
from provisioner.core.policy import Policy
from provisioner.core.scale_down import guests_of, removable_since, why_kept
from provisioner.core.snapshot import Snapshot


def lines(plan: Plan, snapshot: Snapshot, catalog: Catalog, policy: Policy) -> Iterator[str]:
    """The bought nodes and their price in one line, then one for each that stays, by name."""
    ours = snapshot.pool_of
    if not ours:
        return
    total = sum(price_of(pool.spec, catalog) for pool in ours.values())
    yield f"{len(ours)} nodes are bought, ${total:f} an hour"
    acted_on = {step.node for step in plan.steps}
    guests = guests_of(snapshot.pods)
    movable = Movable(snapshot.pods, snapshot.budgets)
    for node in sorted(snapshot.nodes, key=lambda node: node.name):
        if node.name not in ours or node.name in acted_on:
            continue
        own = guests.get(node.name, [])
        why = (
            _why_not_moved(own, movable, plan, policy)
            if own
            else _why_wanted(node, plan) or why_kept(node, own, frozenset())
        )
        why = why or f"empty, and given back after {policy.node_unneeded_s:g} s"
        spec = ours[node.name].spec
        yield f"  keep {node.name}, {spec} at ${price_of(spec, catalog):f} an hour{_marks(node)}: {why}"


def _why_wanted(node: Node, plan: Plan) -> str:
    """Why an empty node is of use; empty when it is of none."""
    if any(placement.node == node.name for placement in plan.existing):
        return "a pending pod is going there"
    kept = plan.kept.get(node.name, ())
    return f"room is kept there for {', '.join(causes(kept))}" if kept else ""


def _why_not_moved(guests: list[Pod], movable: Movable, plan: Plan, policy: Policy) -> str:
    """Why a node with pods stays."""
    runs = f"{guests[0].key} runs on it" if len(guests) == 1 else f"{len(guests)} pods run on it"
    if not policy.moves_pods:
        return f"{runs}, and the policy moves no pods"
    for pod in sorted(guests, key=lambda pod: pod.key):
        why = movable.why_never(pod) or movable.why_not_now(pod)
        if why:
            return f"{runs}, and {why}"
    if plan.nodes or plan.existing or plan.unplaced:
        return f"{runs}, and no pod is moved while others are pending"
    if plan.declined:
        return f"{runs}, and {plan.declined}"
    return f"{runs}, and no move would save anything"


def _marks(node: Node) -> str:
    since = removable_since(node)
    marks = [f"marked removable since {since:%H:%M:%S}"] if since else []
    marks += ["cordoned"] if node.is_cordoned else []
    marks += ["hot"] if HOT in node.taints else []
    return f" ({', '.join(marks)})" if marks else ""
