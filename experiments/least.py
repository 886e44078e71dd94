"""The least that a cluster could cost with the pods that it has, by the provisioner's own planner.

    least = price of the nodes that stay whatever the pods ask for
          + price of the cheapest set of nodes for the pods that are now on bought ones

Pure. The planner also says below which price no set of nodes is: where both meet, the least is proven.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from experiments.fault import Fault
from experiments.pricing import price_nodes
from experiments.reading import Item, Lists, labels_of
from experiments.terms import Terms
from provisioner.core import parse
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.decide import decide
from provisioner.core.explain import refusal
from provisioner.core.in_cluster import in_cluster
from provisioner.core.model import Node, Pod
from provisioner.core.owned import DEFAULT_LABELS, pools_of
from provisioner.core.served import is_served
from provisioner.core.snapshot import Snapshot

ROUNDS: Final = 100
"""Of looking for a better set: many more than a controller has time for."""


@dataclass(frozen=True, slots=True)
class Least:
    """Prices of a whole cluster, in US dollars per hour."""

    price_per_hour: Decimal
    """Of the cheapest set that was found."""
    lower_bound_per_hour: Decimal
    """No set costs less."""


def least(lists: Lists, terms: Terms, now: datetime) -> Least:
    """The least price for the pods of a cluster, with the nodes that were not bought for them.

    What the policy asks to be kept free counts as well; what nodes are taken to cost beside their price does not.

    Raises:
        Fault: when it cannot be worked out, with the reason.
    """
    seen = anew(lists, terms)
    rounds = iter(range(ROUNDS))
    policy = replace(terms.policy, repack=False, node_overhead_price_per_hour=Decimal(0))
    plan = decide(seen, terms.catalog, policy, now, lambda: next(rounds, None) is not None)
    if plan.held:
        raise Fault(f"nothing may be bought: {plan.held}")
    for unplaced in (*plan.unplaced, *plan.short):
        raise Fault(f"{unplaced.pod.key}: {refusal(unplaced)}")
    kept = price_nodes(_static(lists, terms), terms.catalog.offerings).price_per_hour
    return Least(kept + plan.price_per_hour, kept + plan.lower_bound_per_hour)


def anew(lists: Lists, terms: Terms) -> Snapshot:
    """A cluster as if nothing had been bought: the pods of bought nodes wait, and these nodes are not there.

    Raises:
        Fault: when a pod or a node cannot be read.
    """
    pods, nodes, daemon_sets = _parsed(lists)
    static = {item["metadata"]["name"] for item in _static(lists, terms)}
    bought = pools_of(nodes, terms.catalog, terms.policy)
    seen = Snapshot(pods, nodes, bought, daemon_sets=daemon_sets)
    return Snapshot(
        pods=tuple(_off_bought_nodes(pods, static, terms)),
        nodes=tuple(node for node in nodes if node.name in static),
        shortfalls=in_cluster(terms.catalog, seen, terms.policy).shortfalls,
        daemon_sets=daemon_sets,
    )


def _static(lists: Lists, terms: Terms) -> list[Item]:
    """Nodes that stay whatever the pods ask for."""
    return [item for item in lists.nodes if not _is_bought(item, terms)]


def _is_bought(item: Item, terms: Terms) -> bool:
    labels, own = labels_of(item), terms.policy.node_labels or DEFAULT_LABELS
    return all(labels.get(key) == value for key, value in own.items())


def _parsed(lists: Lists) -> tuple[tuple[Pod, ...], tuple[Node, ...], tuple[DaemonSet, ...]]:
    try:
        pods, nodes = tuple(map(parse.pod, lists.pods)), tuple(map(parse.node, lists.nodes))
        return pods, nodes, tuple(map(parse.daemon_set, lists.daemon_sets))
    except parse.Malformed as error:
        raise Fault(str(error)) from error


def _off_bought_nodes(pods: Sequence[Pod], static: set[str], terms: Terms) -> Iterator[Pod]:
    """Pods of the nodes that stay where they are, and those of bought nodes as if none had a place yet."""
    for pod in pods:
        if pod.is_finished or pod.is_deleting:
            continue
        if pod.node_name in static:
            yield pod
        elif pod.node_name and is_served(pod, terms.policy) and not pod.is_daemon:
            yield pod.off_its_node()
