"""Plans of the mode `optimal`, held against the scheduler's rules and against bin-selection."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.model import HOSTNAME, ZONE, HostPort, Node, Pod, PodTerm, Requirement, Spread
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_SELECT, OPTIMAL, Policy
from provisioner.core.resources import Resources
from provisioner.core.site import Site, room_of
from provisioner.core.situation import new_room
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import NOW, catalog, flexible, node, offering, pod

MARKET = catalog(
    offering("arm", "0.04", vcpus=2, memory_gib=8, zones=("z1", "z2")),
    offering("amd", "0.05", arch="amd64", vcpus=4, memory_gib=8, zones=("z1",)),
    offering("gpu", "0.30", arch="amd64", vcpus=4, memory_gib=16, gpus=1, zones=("z2",)),
    flexible(zones=("z1", "z2", "z3")),
)
OPEN = Policy(architectures=("arm64", "amd64"), max_pools=1000)


def term(key: str, *apps: str) -> PodTerm:
    return PodTerm(key, (Requirement("app", "In", apps),), frozenset())


anti_affinities = st.sampled_from(
    [(), (), (term(HOSTNAME, "a"),), (term(HOSTNAME, "a", "b"),), (term(ZONE, "b"),)]
)
spreads = st.sampled_from([(), (), (Spread(term(HOSTNAME, "a"), 1),)])
affinities = st.sampled_from([(), (), (), (term(HOSTNAME, "a"),)])
selectors = st.sampled_from(
    [{}, {}, {"kubernetes.io/arch": "amd64"}, {ZONE: "z2"}, {"rightsize.io/x": "1"}, {"disk": "ssd"}]
)
one_pod = st.fixed_dictionaries(
    {
        "requests": st.builds(
            Resources,
            st.integers(0, 30).map(lambda each: each * 100),
            st.integers(0, 20).map(lambda each: each * 2**29),
            st.sampled_from([0, 0, 0, 1]),
            st.just(1),
        ),
        "labels": st.sampled_from([{"app": "a"}, {"app": "b"}, {}]),
        "anti_affinity": anti_affinities,
        "affinity": affinities,
        "spread": spreads,
        "node_selector": selectors,
        "host_ports": st.sampled_from([(), (), (), (HostPort(80, "TCP", "0.0.0.0"),)]),
        "place": st.sampled_from(["", "", "", "n0", "n1"]),
    }
)
BESIDE_OTHERS = Spread(term(ZONE, "a"), 1)
"""It counts pods that do not spread themselves, and pods whose zones are others."""


def over_zones(values: dict[str, Any]) -> dict[str, Any]:
    """A pod of an application of its own that spreads over zones, and may be in any of them."""
    there = replace(values["requests"], gpus=0)
    spread = (*values["spread"], Spread(term(ZONE, "c"), 1))
    return values | {"requests": there, "labels": {"app": "c"}, "spread": spread, "node_selector": {}}


clusters = st.tuples(st.lists(one_pod | one_pod | one_pod.map(over_zones), max_size=12), st.integers(0, 2))
loose = one_pod.map(lambda values: values | {"affinity": ()})
mingled = st.tuples(
    st.lists(loose | loose.map(lambda values: values | {"spread": (BESIDE_OTHERS,)}), max_size=12),
    st.integers(0, 2),
)


def snapshot_of(wanted: list[dict[str, Any]], nodes: int) -> Snapshot:
    """Pods placed on nodes that are not there are left out."""
    there = tuple(node(f"n{at}", "3", "8Gi", labels={ZONE: f"z{at + 1}"}) for at in range(nodes))
    names = {each.name for each in there}
    pods = []
    for at, values in enumerate(wanted):
        own = {key: value for key, value in values.items() if key != "place"}
        place = values["place"] if values["place"] in names else ""
        pods.append(pod(f"p{at}", node_name=place, phase="Running" if place else "Pending", **own))
    return Snapshot(tuple(pods), there)


def decided(snapshot: Snapshot, mode: str, market: Catalog = MARKET, policy: Policy = OPEN) -> Plan:
    return decide(snapshot, market, replace(policy, mode=mode), NOW, rounds(8))


def assert_scheduled(plan: Plan, snapshot: Snapshot, market: Catalog) -> None:
    """Every pod of the plan goes where it says by the scheduler's rules, in some order of many tried."""
    waiting = {each.key: placement.node for placement in plan.existing for each in placement.pods}
    for number, planned in enumerate(plan.nodes, 1):
        name = new_room(planned, market, number).name
        waiting |= {each.key: name for each in planned.pods}
    random = Random(1)
    orders = (sorted(waiting, key=lambda _: random.random()) for _ in range(200))
    assert any(_all_go(plan, snapshot, market, [(key, waiting[key]) for key in order]) for order in orders)


def _all_go(plan: Plan, snapshot: Snapshot, market: Catalog, order: list[tuple[str, str]]) -> bool:
    """Pods for nodes that are there go first: a bought one takes minutes to come, and spreads count it only then."""
    site = site_of(snapshot.nodes, snapshot.pods)
    by_key = {each.key: each for each in snapshot.pods}
    left = _gone(site, by_key, [(key, name) for key, name in order if name in site.rooms])
    bought = [(key, name) for key, name in order if name not in site.rooms]
    for number, planned in enumerate(plan.nodes, 1):
        site.open(new_room(replace(planned, pods=()), market, number))
    return not _gone(site, by_key, [*left, *bought])


def _gone(site: Site, by_key: dict[str, Pod], order: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put all that can go, again and again; what is left when nothing can."""
    left = order
    while left:
        refused = []
        for key, name in left:
            if site.why_not(by_key[key], site.rooms[name]) is None:
                site.put(by_key[key], site.rooms[name])
            else:
                refused.append((key, name))
        if len(refused) == len(left):
            return left
        left = refused
    return []


def site_of(nodes: tuple[Node, ...], pods: tuple[Pod, ...]) -> Site:
    site = Site(room_of(each) for each in nodes)
    for each in pods:
        if each.node_name:
            site.put(each, site.rooms[each.node_name])
    return site


def assert_nothing_lost(plan: Plan, snapshot: Snapshot) -> None:
    placed = [each.key for planned in plan.nodes for each in planned.pods]
    placed += [each.key for placement in plan.existing for each in placement.pods]
    assert sorted([*placed, *(each.pod.key for each in plan.unplaced)]) == sorted(
        each.key for each in snapshot.pods if each.is_pending
    )
    assert all(planned.pods for planned in plan.nodes)
    assert 0 <= plan.lower_bound_per_hour <= plan.price_per_hour


@settings(max_examples=250, deadline=None)
@given(clusters)
def test_the_scheduler_can_do_what_is_planned_and_nothing_is_lost(
    cluster: tuple[list[dict[str, Any]], int],
) -> None:
    snapshot = snapshot_of(*cluster)
    plan = decided(snapshot, OPTIMAL)
    assert_nothing_lost(plan, snapshot)
    assert_scheduled(plan, snapshot, MARKET)


@settings(max_examples=100, deadline=None)
@given(mingled)
def test_spreads_over_zones_that_count_others_as_well_lose_nothing_and_break_no_other_rule(
    cluster: tuple[list[dict[str, Any]], int],
) -> None:
    """Whether those can be kept themselves depends on the order in which the others come."""
    snapshot = snapshot_of(*cluster)
    plan = decided(snapshot, OPTIMAL)
    assert_nothing_lost(plan, snapshot)
    assert_scheduled(plan, replace(snapshot, pods=tuple(map(without_zones, snapshot.pods))), MARKET)


def without_zones(pod: Pod) -> Pod:
    return replace(pod, spread=tuple(each for each in pod.spread if each.term.topology_key != ZONE))


plain = st.lists(
    one_pod.map(lambda values: values | {"anti_affinity": (), "affinity": (), "spread": ()}), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(plain, st.integers(0, 2))
def test_it_is_never_dearer_than_bin_selection(wanted: list[dict[str, Any]], nodes: int) -> None:
    snapshot = snapshot_of(wanted, nodes)
    ours, theirs = decided(snapshot, OPTIMAL), decided(snapshot, BIN_SELECT)
    assert len(ours.unplaced) <= len(theirs.unplaced)
    if len(ours.unplaced) == len(theirs.unplaced):
        assert ours.price_per_hour <= theirs.price_per_hour


@settings(max_examples=80, deadline=None)
@given(clusters, st.randoms(use_true_random=False))
def test_the_order_of_pods_does_not_matter(cluster: tuple[list[dict[str, Any]], int], random: Any) -> None:
    snapshot = snapshot_of(*cluster)
    shuffled = list(snapshot.pods)
    random.shuffle(shuffled)
    one, other = decided(snapshot, OPTIMAL), decided(replace(snapshot, pods=tuple(shuffled)), OPTIMAL)
    assert one == other
