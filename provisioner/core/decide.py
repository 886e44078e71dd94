"""From one snapshot to one plan: room that is there first, then purchases, then removals.

Pure: the same arguments give the same plan. The loop calls it every period, `plan` and `explain`
call it on files, and experiments call it for prices.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final

from catalog.names import DRAINING_KEY
from provisioner.core import ahead, growth, headroom, relocate, reserve, scale_down, spot, stuck, surge
from provisioner.core.ahead import Ahead
from provisioner.core.as_used import as_used
from provisioner.core.bin_select import Terms
from provisioner.core.bound import lower_bound
from provisioner.core.cart import Cart
from provisioner.core.disruption import Allowance
from provisioner.core.intents import seat
from provisioner.core.leavers import leavers_of
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod
from provisioner.core.pack import pack
from provisioner.core.plan import NodeStep, Placement, Plan, Reason, Repack, Unplaced
from provisioner.core.policy import BIN_PACK, BIN_SELECT, OPTIMAL, UNDERUSED, Policy
from provisioner.core.repack import Moving, Repacking
from provisioner.core.select import select
from provisioner.core.served import is_served
from provisioner.core.share import share
from provisioner.core.shortfall import corrected, shortfalls_of
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
    catalog = corrected(catalog, shortfalls_of(snapshot, catalog))
    booting = booting_nodes(snapshot, catalog)
    served = sorted(
        filter(lambda pod: pod.is_pending and is_served(pod, policy), snapshot.pods), key=_largest_first
    )
    gated = [Unplaced(pod, (Reason("gated", "it has scheduling gates"),)) for pod in served if pod.is_gated]
    in_use = tuple(sorted({pool.spec for pool in snapshot.pools if pool.size}))
    terms = Terms(catalog, policy, snapshot.stockouts, in_use, now)
    growing = growth.to_come(snapshot.scalers, snapshot.pods, policy, now)
    free = placed([*(pod for pod in served if not pod.is_gated), *growing], snapshot.storage)
    wanted = spot.shared_out(free, snapshot, policy)
    situation = Situation(
        ahead.there(wanted),
        _site(snapshot, booting, catalog),
        snapshot.closed(policy, now),
        terms,
        Cart(snapshot, terms),
        why_held(snapshot, catalog.accounting),
        budget,
    )

    def anew() -> Situation:
        site = _site(snapshot, booting, catalog)
        seated = seat(situation.pods, site, situation.closed, snapshot)
        return replace(situation, pods=seated.left, site=site, cart=Cart(snapshot, terms))

    seating = seat(situation.pods, situation.site, situation.closed, snapshot)
    leavers = leavers_of(snapshot, policy, now)
    coming = Ahead(
        wanted[len(situation.pods) :],
        headroom.pods_of(policy, snapshot.pods),
        frozenset(each.node.name for each in leavers),
    )
    whole = ahead.place(replace(situation, pods=seating.left), coming, anew, _MODES[policy.mode])
    whole.seat(seating.seated)
    moves = Moving(_MODES[policy.mode], whole.kept, leavers)
    repacking = _repacking(snapshot, catalog, situation, moves)
    if repacking and whole.bought and not seating.seated and not coming.headroom:
        whole = repacking.ahead((*situation.pods, *coming.growth), whole)
    outcome = ahead.of_pods_there(whole)
    moving, declined = None, ""
    if repacking and not whole.settled and not whole.refused:
        moving, declined = repacking.find()
    allowance = Allowance(snapshot, policy, now)
    if moving is not None:
        moving, declined = allowance.bounded(moving, snapshot)
    bought = (*outcome.bought, *(moving.nodes if moving else ()))

    given_up = tuple(stuck.steps(snapshot, policy, now))
    off = {step.node for step in given_up}

    def bound() -> Decimal:
        as_before = replace(situation, site=_site(snapshot, booting, catalog))
        return lower_bound(as_before, whole)

    return Plan(
        policy.mode,
        nodes=tuple(outcome.bought),
        existing=tuple(Placement(name, tuple(pods)) for name, pods in sorted(outcome.placed.items())),
        unplaced=tuple(sorted((*gated, *outcome.refused), key=lambda each: each.pod.key)),
        short=tuple(outcome.short),
        kept=ahead.kept_in(whole),
        steps=(
            *allowance.within(
                (step for step in _steps(snapshot, whole, moving, policy, now) if step.node not in off),
                moving.reason if moving else UNDERUSED,
            ),
            *given_up,
            *surge.steps(snapshot, policy, now),
        ),
        overdue=scale_down.overdue(snapshot, policy, now),
        disused=scale_down.disused(snapshot, {planned.spec for planned in bought}, policy, now),
        repack=moving,
        declined=declined,
        held=situation.held,
        bound=cache(bound),
    )


def _repacking(snapshot: Snapshot, catalog: Catalog, situation: Situation, moves: Moving) -> Repacking | None:
    """What could be moved; None where no pod is ever moved, and where nothing may be bought."""
    terms = situation.terms
    if not terms.policy.moves_pods or situation.held:
        return None

    used = as_used(snapshot, terms.policy)

    def without(names: AbstractSet[str]) -> Situation:
        left = replace(
            used,
            nodes=tuple(node for node in used.nodes if node.name not in names),
            pods=tuple(pod for pod in used.pods if pod.node_name not in names),
        )
        # Machines of nodes that leave are still bought: they are not on their way.
        site = _site(left, booting_nodes(snapshot, catalog), catalog)
        return replace(situation, site=site, cart=Cart(snapshot, terms))

    return Repacking(used, without, situation.go_on, moves)


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
