"""From one snapshot to one plan: room that is there first, then purchases, then removals.

Pure: the same arguments give the same plan. The loop calls it every period, `plan` and `explain`
call it on files, and experiments call it for prices.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal

from provisioner.core import scale_down
from provisioner.core.bin_select import Candidate, Terms, choose
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Pod
from provisioner.core.plan import Placement, Plan, PlannedNode, Reason, Unplaced
from provisioner.core.policy import Policy
from provisioner.core.pools import PoolSpec
from provisioner.core.site import Room, Site, room_of
from provisioner.core.snapshot import Snapshot, booting_nodes, why_held

LUNA_LABEL = "elotl-luna"
LUNA_IGNORE = "pod.elotl.co/ignore"


def decide(
    snapshot: Snapshot,
    catalog: Catalog,
    policy: Policy,
    now: datetime,
    budget: Callable[[], bool],  # noqa: ARG001 (bin-select has one round; modes that improve ask before each)
) -> Plan:
    """What to buy for the pending pods, where they go, and which nodes to give back.

    Every served pod that is pending ends in exactly one of the plan's three lists. Identical input
    gives identical output; ties go by price, then shape, then zone.
    """
    booting = booting_nodes(snapshot, catalog)
    site = _site(snapshot, booting, catalog)
    served = sorted(
        filter(lambda pod: pod.is_pending and is_served(pod, policy), snapshot.pods), key=_largest_first
    )
    gated = [Unplaced(pod, (Reason("gated", "it has scheduling gates"),)) for pod in served if pod.is_gated]
    closed = {node.name for node in snapshot.nodes if not snapshot.takes_pods(node, policy, now)}
    placed: dict[str, list[Pod]] = defaultdict(list)
    left: list[Pod] = []
    for pod in (pod for pod in served if not pod.is_gated):
        room = _room_for(pod, site, closed)
        if room is None:
            left.append(pod)
        else:
            site.put(pod, room)
            placed[room.name].append(pod)
    in_use = tuple(sorted({pool.spec for pool in snapshot.pools if pool.size}))
    held = why_held(snapshot, catalog.accounting)
    bought, refused = _buy(
        left, site, snapshot, Terms(catalog, policy, snapshot.stockouts, in_use, now), held
    )
    return Plan(
        policy.mode,
        nodes=tuple(bought),
        existing=tuple(Placement(name, tuple(pods)) for name, pods in sorted(placed.items())),
        unplaced=tuple(sorted((*gated, *refused), key=lambda each: each.pod.key)),
        steps=scale_down.steps(snapshot, set(placed), policy, now),
        overdue=scale_down.overdue(snapshot, policy, now),
        disused=scale_down.disused(snapshot, {planned.spec for planned in bought}, policy, now),
        held=held,
    )


def is_served(pod: Pod, policy: Policy) -> bool:
    """Whether the policy's selector, or Luna's label, asks us to care for the pod."""
    if pod.annotations.get(LUNA_IGNORE) == "true":
        return False
    selected = all(pod.labels.get(key) == value for key, value in policy.pod_selector.items())
    return selected or pod.labels.get(LUNA_LABEL) == "true"


def _largest_first(pod: Pod) -> tuple[int, int, int, str]:
    asked = pod.requests
    return (-asked.gpus, -asked.memory_bytes, -asked.cpu_millicores, pod.key)


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


def _room_for(pod: Pod, site: Site, closed: AbstractSet[str]) -> Room | None:
    """A room the scheduler would accept: an empty one rather than a shared one, the tightest first."""
    fitting = [
        room for room in site.rooms.values() if room.name not in closed and site.why_not(pod, room) is None
    ]
    return min(
        fitting,
        key=lambda room: (bool(room.guests), room.free.memory_bytes, room.free.cpu_millicores, room.name),
        default=None,
    )


def _buy(
    pods: Iterable[Pod], site: Site, snapshot: Snapshot, terms: Terms, held: str
) -> tuple[list[PlannedNode], list[Unplaced]]:
    bought: list[PlannedNode] = []
    refused: list[Unplaced] = []
    cart = _Cart(snapshot, terms)
    for pod in pods:
        answer = (
            Reason("no-offering", held) if held else _unbuyable(pod) or choose(pod, site, terms, cart.why_not)
        )
        if isinstance(answer, Reason):
            refused.append(Unplaced(pod, (answer,)))
            continue
        bought.append(answer)
        cart.add(answer)
        site.open(_planned_room(answer, terms.catalog, len(bought)))
    return bought, refused


def _planned_room(planned: PlannedNode, catalog: Catalog, number: int) -> Room:
    """The bought node as a place: later pods see who is in it, and do not share it."""
    name = f"(new node {number})"
    labels = {
        **catalog.labels(planned.size.offering, planned.size.zone),
        **dict(planned.spec.labels),
        "kubernetes.io/hostname": name,
    }
    return Room(name, labels, planned.spec.taints, planned.size.usable, list(planned.pods))


def _unbuyable(pod: Pod) -> Reason | None:
    if pod.claims:
        return Reason(
            "volume",
            f"it mounts the claim {pod.claims[0]}, and where that volume can be attached is not known: "
            "it gets no node of its own",
        )
    return None


class _Cart:
    """What this plan has bought, against the policy's limits."""

    def __init__(self, snapshot: Snapshot, terms: Terms) -> None:
        self._policy = terms.policy
        self._specs: set[PoolSpec] = set(terms.in_use)
        self._nodes = sum(pool.size for pool in snapshot.pools)
        self._price = sum(
            (_price(pool.spec, terms.catalog) * pool.size for pool in snapshot.pools), Decimal(0)
        )

    def add(self, planned: PlannedNode) -> None:
        self._specs.add(planned.spec)
        self._nodes += 1
        self._price += planned.size.price_per_hour

    def why_not(self, candidate: Candidate) -> Reason | None:
        """Which limit the candidate would exceed."""
        policy = self._policy
        if policy.max_nodes is not None and self._nodes >= policy.max_nodes:
            return Reason("limit", f"{self._nodes} nodes are bought, max_nodes is {policy.max_nodes}")
        if candidate.spec not in self._specs and len(self._specs) >= policy.max_pools:
            return Reason("limit", f"{len(self._specs)} sizes are in use, max_pools is {policy.max_pools}")
        total = self._price + candidate.size.price_per_hour
        if policy.max_price_per_hour is not None and total > policy.max_price_per_hour:
            return Reason(
                "budget",
                f"with it, bought nodes cost ${total:f} an hour; max_price_per_hour is ${policy.max_price_per_hour:f}",
            )
        return None


def _price(spec: PoolSpec, catalog: Catalog) -> Decimal:
    offering = catalog.find(spec.shape, spec.capacity_type)
    if offering is None:
        return Decimal(0)
    return offering.price_of(spec.ocpus or None, int(spec.memory_gib) if spec.ocpus else None)
