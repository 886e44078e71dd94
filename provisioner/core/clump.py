"""Pods that have to share one node, placed as one: a node tight for the first would have no room for the rest.

A workload whose pods are required to be beside each other by host name goes whole to the node of the
first. Where that is not there yet, it is chosen for all of them together.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from provisioner.core.kinds import Kind, kinds_of
from provisioner.core.model import HOSTNAME, Pod
from provisioner.core.plan import PlannedNode, Reason
from provisioner.core.resources import NOTHING
from provisioner.core.site import Site
from provisioner.core.situation import Outcome, Situation, buy, chosen, join, number_of, room_for

Choose = Callable[[Pod, Pod], PlannedNode | Reason]
"""What is bought for pods, given all of them as one and the first of them."""


def place_clumps(situation: Situation, outcome: Outcome, choose: Choose | None = None) -> tuple[Pod, ...]:
    """Place those that can be; returns all other pods, in their order.

    Without `choose` they get the cheapest node that holds them.
    """
    placed: set[str] = set()
    for clump in _clumps(situation.pods, situation.site):
        if _placed(clump, situation, outcome, choose or (lambda whole, _: chosen(whole, situation))):
            placed |= {pod.key for pod in clump}
    return tuple(pod for pod in situation.pods if pod.key not in placed) if placed else situation.pods


def _clumps(pods: Sequence[Pod], site: Site) -> Iterator[tuple[Pod, ...]]:
    if any(pod.affinity for pod in pods):
        yield from (kind.pods for kind in kinds_of(pods, site) if _is_clump(kind, site))


def _is_clump(kind: Kind, site: Site) -> bool:
    """Whether its pods have to go to one node, and nothing says yet to which."""
    pod = kind.pod
    own = [term for term in pod.affinity if term.topology_key == HOSTNAME and term.selects(pod)]
    return len(kind.pods) > 1 and any(not site.places(term) for term in own) and kind.most_per_node is None


def _placed(clump: tuple[Pod, ...], situation: Situation, outcome: Outcome, choose: Choose) -> bool:
    whole = replace(clump[0], requests=sum((pod.requests for pod in clump), NOTHING))
    room = room_for(whole, situation, lambda room: number_of(room.name) is None)
    if room is not None:
        for pod in clump:
            join(pod, room, situation, outcome)
        return True
    found = choose(whole, clump[0])
    if isinstance(found, Reason):
        return False
    buy(replace(found, pods=clump), situation, outcome)
    return True
