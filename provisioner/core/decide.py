"""From one snapshot to one plan: room that is there first, then purchases, then removals.

Pure: the same arguments give the same plan. The loop calls it every period, `plan` and `explain`
call it on files, and experiments call it for prices.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Final

from catalog.names import DRAINING_KEY
from provisioner.core import (
    ahead,
    growth,
    headroom,
    relocate,
    reserve,
    scale_down,
    spot,
    stuck,
    surge,
)
from provisioner.core.ahead import Ahead
from provisioner.core.as_bought import as_bought
from provisioner.core.as_used import as_used
from provisioner.core.bin_select import Terms
from provisioner.core.bound import lower_bound
from provisioner.core.cart import Cart
from provisioner.core.disruption import Allowance
from provisioner.core.in_cluster import in_cluster
from provisioner.core.intents import seat
from provisioner.core.leavers import Leaver, leavers_of
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod
from provisioner.core.pack import pack
from provisioner.core.plan import NodeStep, Placement, Plan, Reason, Repack, Unplaced
from provisioner.core.policy import BIN_PACK, BIN_SELECT, OPTIMAL, UNDERUSED, Policy
from provisioner.core.repack import Moving, Repacking
from provisioner.core.select import select
from provisioner.core.served import is_served
from provisioner.core.share import share
from provisioner.core.site import Site, room_of
from provisioner.core.situation import Outcome, Situation
from provisioner.core.snapshot import Snapshot, booting_nodes, why_held
from provisioner.core.storage import placed

_MODES: Final[Mapping[str, Callable[[Situation], Outcome]]] = MappingProxyType(
    {BIN_SELECT: select, BIN_PACK: share, OPTIMAL: pack}
)


def decide(
    snapshot: Snapshot,
    catalog: Catalog,
    policy: Policy,
    now: datetime,
    budget: Callable[[], bool],
) -> Plan:
    """What to buy for the pending pods, where they go, and which nodes to give back.

    `budget` is asked between rounds of improvement whether to go on. Every served pod that is pending
    ends in exactly one of the plan's three lists. Identical input (and number of rounds) gives
    identical output; ties go by price, then shape, then zone.
    """
    catalog = in_cluster(catalog, snapshot, policy)
    snapshot = as_bought(snapshot, catalog, policy, now)
    question = _question(snapshot, catalog, policy, now, budget)
    whole, moving, declined = _answer(question)
    allowance = Allowance(snapshot, policy, now)
    if moving is not None:
        moving, declined = allowance.bounded(moving, snapshot)
    outcome = ahead.of_pods_there(whole)
    bought = (*outcome.bought, *(moving.nodes if moving else ()))
    return Plan(
        policy.mode,
        nodes=tuple(outcome.bought),
        existing=tuple(Placement(name, tuple(pods)) for name, pods in sorted(outcome.placed.items())),
        unplaced=tuple(sorted((*question.gated, *outcome.refused), key=lambda each: each.pod.key)),
        short=tuple(outcome.short),
        kept=ahead.kept_in(whole),
        steps=tuple(_steps_within(allowance, snapshot, whole, moving, policy, now)),
        overdue=scale_down.overdue(snapshot, policy, now),
        disused=scale_down.disused(snapshot, {planned.spec for planned in bought}, policy, now),
        repack=moving,
        declined=declined,
        shortfalls=catalog.shortfalls,
        held=question.situation.held,
        bound=cache(lambda: lower_bound(replace(question.situation, site=question.site()), whole)),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be decided, before anything is placed."""

    snapshot: Snapshot
    booting: tuple[Node, ...]
    situation: Situation
    """Of the pods that are there."""
    gated: tuple[Unplaced, ...]
    coming: Ahead
    leavers: tuple[Leaver, ...]

    def site(self, left: Snapshot | None = None) -> Site:
        """Nobody placed yet. Machines of nodes that `left` has no more are still bought: they are not on their way."""
        return _site(left or self.snapshot, self.booting, self.situation.terms.catalog)

    def anew(self) -> Situation:
        """The situation again, for the pods that have no place of their own already."""
        situation, site = self.situation, self.site()
        seated = seat(situation.pods, site, situation.closed, self.snapshot)
        return replace(situation, pods=seated.left, site=site, cart=Cart(self.snapshot, situation.terms))


def _question(
    snapshot: Snapshot, catalog: Catalog, policy: Policy, now: datetime, budget: Callable[[], bool]
) -> _Question:
    served = sorted(
        filter(lambda pod: pod.is_pending and is_served(pod, policy), snapshot.pods), key=_largest_first
    )
    growing = growth.to_come(snapshot.scalers, snapshot.pods, policy, now)
    free = placed([*(pod for pod in served if not pod.is_gated), *growing], snapshot.storage)
    wanted = spot.shared_out(free, snapshot, policy)
    there = ahead.there(wanted)
    in_use = tuple(sorted({pool.spec for pool in snapshot.pools if pool.size}))
    terms = Terms(catalog, policy, snapshot.stockouts, in_use, now)
    booting = booting_nodes(snapshot, catalog)
    leavers = leavers_of(snapshot, policy, now)
    return _Question(
        snapshot,
        booting,
        Situation(
            there,
            _site(snapshot, booting, catalog),
            snapshot.closed(policy, now),
            terms,
            Cart(snapshot, terms),
            why_held(snapshot, catalog.accounting),
            budget,
        ),
        tuple(Unplaced(pod, (Reason("gated", "it has scheduling gates"),)) for pod in served if pod.is_gated),
        Ahead(
            wanted[len(there) :],
            headroom.pods_of(policy, snapshot.pods),
            frozenset(each.node.name for each in leavers),
        ),
        leavers,
    )


def _answer(question: _Question) -> tuple[Outcome, Repack | None, str]:
    """Where pods go, those that are not there among them; what is moved, or why a cheaper set is not moved to."""
    situation, coming = question.situation, question.coming
    mode = _MODES[situation.terms.policy.mode]
    seating = seat(situation.pods, situation.site, situation.closed, question.snapshot)
    whole = ahead.place(replace(situation, pods=seating.left), coming, question.anew, mode)
    whole.seat(seating.seated)
    if not situation.terms.policy.moves_pods or situation.held:
        return whole, None, ""
    moves = Moving(mode, whole.kept, question.leavers)
    if whole.bought and not seating.seated and not coming.headroom:
        whole = _repacking(question, moves).ahead((*situation.pods, *coming.growth), whole)
    if whole.settled or whole.refused:
        return whole, None, ""
    return whole, *_repacking(question, moves).find()


def _repacking(question: _Question, moves: Moving) -> Repacking:
    """What could be moved."""
    situation = question.situation
    used = as_used(question.snapshot, situation.terms.policy)

    def without(names: AbstractSet[str]) -> Situation:
        left = replace(
            used,
            nodes=tuple(node for node in used.nodes if node.name not in names),
            pods=tuple(pod for pod in used.pods if pod.node_name not in names),
        )
        return replace(situation, site=question.site(left), cart=Cart(question.snapshot, situation.terms))

    return Repacking(used, situation, without, moves)


def _steps_within(
    allowance: Allowance,
    snapshot: Snapshot,
    outcome: Outcome,
    moving: Repack | None,
    policy: Policy,
    now: datetime,
) -> Iterator[NodeStep]:
    """Every step of nodes and pods, as far as budgets let nodes leave."""
    given_up = tuple(stuck.steps(snapshot, policy, now))
    off = {step.node for step in given_up}
    steps = (step for step in _steps(snapshot, outcome, moving, policy, now) if step.node not in off)
    yield from allowance.within(steps, moving.reason if moving else UNDERUSED)
    yield from given_up
    yield from surge.steps(snapshot, policy, now)


def _steps(
    snapshot: Snapshot, outcome: Outcome, moving: Repack | None, policy: Policy, now: datetime
) -> tuple[NodeStep, ...]:
    """Steps of nodes that are empty, and of those that are emptied; what waits for a pod's move stays."""
    if moving is not None:
        kept = scale_down.steps(snapshot, moving.targets, policy, now, moving.leaving)
        return (*kept, *relocate.steps(moving, snapshot, policy, now))
    draining = {node.name for node in snapshot.nodes if DRAINING_KEY in node.annotations}
    if not draining or not outcome.settled or outcome.refused:
        opened = tuple(reserve.openings(snapshot.nodes, frozenset()))
        return (*opened, *scale_down.steps(snapshot, outcome.rooms, policy, now))
    nodes = {node.name for node in snapshot.nodes}
    opened = tuple(reserve.openings(snapshot.nodes, nodes - outcome.rooms))
    return (*opened, *scale_down.steps(snapshot, nodes, policy, now, draining))


def _largest_first(pod: Pod) -> tuple[int, int, int, int, str]:
    asked = pod.requests
    return (-pod.priority, -asked.gpus, -asked.memory_bytes, -asked.cpu_millicores, pod.key)


def _site(snapshot: Snapshot, booting: Iterable[Node], catalog: Catalog) -> Site:
    """Every node that pods run on or may go to; nodes that take no pods keep theirs."""
    zones = {zone for offering in catalog.offerings if offering.available for zone in offering.zones}
    site = Site((room_of(node) for node in (*snapshot.nodes, *booting)), sorted(zones))
    for pod in snapshot.pods:
        if pod.node_name and not pod.is_finished:
            # A pod may name a node that the input does not have: it still keeps others away.
            if pod.node_name not in site.rooms:
                site.open(room_of(Node(pod.node_name, labels={"kubernetes.io/hostname": pod.node_name})))
            site.put(pod, site.rooms[pod.node_name])
    return site
