"""Moving pods for money: when it pays, what is never moved, and in which order it is done."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.names import DRAINING_KEY, REMOVABLE_SINCE_KEY, STEPS_ASIDE_FROM_KEY, STEPS_ASIDE_KEY
from provisioner.core.decide import decide
from provisioner.core.explain import MOVING, WITHDRAWN
from provisioner.core.model import Budget, Node, Owner, Pod
from provisioner.core.plan import DETACH, DRAIN, EVICT, MARK, UNCORDON, UNMARK, Plan
from provisioner.core.policy import BIN_SELECT, OPTIMAL, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.snapshot import Snapshot
from provisioner.core.surge import TEMPLATE_HASH
from tests.support.packing import rounds
from tests.support.provision import NOW, OKE, amounts, bought, catalog, offering, pod, worker
from tests.support.world import World

MARKET = catalog(offering("small", "1", vcpus=1), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
POLICY = Policy(mode=OPTIMAL, repack=True, node_unneeded_s=60, repack_cost_per_pod=Decimal("0.01"))
SMALL = PoolSpec("small", 0, Decimal(4), "z1", "on-demand", (("karpenter.sh/capacity-type", "on-demand"),))
LARGE = replace(SMALL, shape="large", memory_gib=Decimal(16))
WAITED = {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=60)).isoformat()}


def there(name: str, spec: PoolSpec = SMALL, **changes: Any) -> Node:
    offered = MARKET.find(spec.shape, spec.capacity_type)
    assert offered is not None
    size = MARKET.size(offered)
    values = {"capacity": size.usable, "allocatable": size.usable, "created": NOW, **changes}
    labels = {**MARKET.labels(offered, "z1"), **dict(spec.labels), "kubernetes.io/hostname": name}
    return Node(name, provider_id=name, labels=labels, **values)


def pool_of(spec: PoolSpec, *names: str) -> Pool:
    return Pool(spec.shape, spec.shape, spec, len(names), tuple(map(Instance, names)))


def planned(
    pods: list[Pod], nodes: list[Node], policy: Policy = POLICY, budgets: tuple[Budget, ...] = ()
) -> Plan:
    pools = [
        pool_of(SMALL, *(each.name for each in nodes if each.name.startswith("s"))),
        pool_of(LARGE, *(each.name for each in nodes if each.name.startswith("l"))),
    ]
    snapshot = Snapshot(tuple(pods), tuple(nodes), tuple(pools), budgets=budgets)
    return decide(snapshot, MARKET, policy, NOW, rounds(100))


def steps(plan: Plan) -> set[tuple[str, str]]:
    return {(each.node, each.action) for each in plan.steps}


TWO = [worker("a", "s1"), worker("b", "s2")]


def two_nodes(**changes: Any) -> list[Node]:
    return [there("s1", **changes), there("s2", **changes)]


def test_nodes_that_cost_more_than_another_for_their_pods_are_marked_first() -> None:
    plan = planned(TWO, two_nodes())
    assert steps(plan) == {("s1", MARK), ("s2", MARK)}
    assert plan.repack is not None
    assert (plan.repack.nodes, plan.repack.saving_per_hour) == ((), Decimal("0.5"))
    assert "saves $0.5 an hour" in plan.repack.why


def test_after_the_wait_the_cheaper_node_is_bought_and_nothing_is_moved_yet() -> None:
    plan = planned(TWO, two_nodes(annotations=WAITED))
    assert plan.repack is not None
    assert ([each.size.offering.shape for each in plan.repack.nodes], plan.steps) == (["large"], ())
    assert bought(plan) == {}


def test_a_machine_that_is_being_given_back_is_no_reason_not_to_buy_its_like() -> None:
    nodes = [*two_nodes(annotations=WAITED), there("l1", LARGE)]
    pools = (
        pool_of(SMALL, "s1", "s2"),
        replace(pool_of(LARGE), size=0, instances=(Instance("l1", is_leaving=True),)),
    )
    plan = decide(Snapshot(tuple(TWO), tuple(nodes), pools), MARKET, POLICY, NOW, rounds(100))
    assert plan.repack is not None
    assert [each.size.offering.shape for each in plan.repack.nodes] == ["large"]


def test_a_node_that_is_not_ready_yet_is_waited_for() -> None:
    plan = planned(TWO, [*two_nodes(annotations=WAITED), there("l1", LARGE, is_ready=False)])
    assert plan.repack is not None
    assert (plan.repack.nodes, plan.steps) == ((), ())


def test_when_it_is_ready_the_old_ones_take_no_more_pods() -> None:
    plan = planned(TWO, [*two_nodes(annotations=WAITED), there("l1", LARGE)])
    assert steps(plan) == {("s1", DRAIN), ("s2", DRAIN)}


def test_then_one_pod_is_moved() -> None:
    draining = {**WAITED, DRAINING_KEY: "true"}
    plan = planned(TWO, [*two_nodes(annotations=draining, is_cordoned=True), there("l1", LARGE)])
    assert [(each.action, each.pod.name if each.pod else "") for each in plan.steps] == [(EVICT, "a")]


def test_the_next_one_waits_until_the_first_is_ready_again() -> None:
    draining = {**WAITED, DRAINING_KEY: "true"}
    nodes = [*two_nodes(annotations=draining, is_cordoned=True), there("l1", LARGE)]
    pods = [worker("c", "l1", is_ready=False), worker("b", "s2"), worker("d", "s1")]
    assert EVICT not in {action for _, action in steps(planned(pods, nodes))}


def test_while_a_moved_pod_is_on_its_way_nothing_is_taken_back() -> None:
    draining = {**WAITED, DRAINING_KEY: "true"}
    nodes = [*two_nodes(annotations=draining, is_cordoned=True), there("l1", LARGE, annotations=WAITED)]
    plan = planned([worker("a", ""), worker("b", "s2")], nodes)
    assert ([each.node for each in plan.existing], steps(plan)) == (["l1"], {("l1", UNMARK)})


def test_a_move_that_pays_no_more_is_taken_back() -> None:
    draining = {**WAITED, DRAINING_KEY: "true"}
    nodes = [there("s1", annotations=draining, is_cordoned=True)]
    assert steps(planned([worker("a", "s1")], nodes)) == {("s1", UNCORDON), ("s1", UNMARK)}


def test_pods_that_fit_beside_others_are_moved_there_and_nothing_is_bought() -> None:
    plan = planned(
        [worker("a", "s1"), worker("b", "l1")], [there("s1", annotations=WAITED), there("l1", LARGE)]
    )
    assert steps(plan) == {("s1", DRAIN)}
    assert plan.repack is not None
    assert (plan.repack.nodes, set(plan.repack.targets)) == ((), {"l1"})


def test_an_empty_node_is_given_back_rather_than_filled() -> None:
    plan = planned([worker("a", "s1"), worker("b", "s1")], [there("s1"), there("l1", LARGE)])
    assert steps(plan) == {("l1", MARK)}


BUDGET = Budget("default", "web", (), 0)


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param([replace(each, owner=None) for each in TWO], id="nothing would replace them"),
        pytest.param([replace(each, owner=Owner("Job", "j", "j")) for each in TWO], id="they lose work"),
        pytest.param(
            [replace(each, owner=Owner("ReplicaSet", each.name, each.name), labels={}) for each in TWO],
            id="they serve alone and cannot be replaced first",
        ),
        pytest.param([replace(each, claims=("data",)) for each in TWO], id="they have a volume"),
        pytest.param([replace(each, is_ready=False) for each in TWO], id="they are not ready"),
        pytest.param(
            [replace(each, annotations={"karpenter.sh/do-not-disrupt": "true"}) for each in TWO],
            id="they refuse",
        ),
        pytest.param(
            [replace(each, annotations={"pod.elotl.co/ignore": "true"}) for each in TWO], id="not ours"
        ),
    ],
)
def test_such_pods_are_never_moved(pods: list[Pod]) -> None:
    assert planned(pods, two_nodes()).steps == ()


@pytest.mark.parametrize(("allowed", "moves"), [(0, False), (1, True)])
def test_a_disruption_budget_is_kept(allowed: int, *, moves: bool) -> None:
    plan = planned(TWO, two_nodes(), budgets=(replace(BUDGET, allowed=allowed),))
    assert (plan.repack is not None) == moves


@pytest.mark.parametrize(
    "changes",
    [
        {"annotations": {"rightsize.io/do-not-evict": "true"}},
        {"is_ready": False},
        {"is_cordoned": True},
        {"is_deleting": True},
    ],
)
def test_such_nodes_are_never_emptied(changes: dict[str, Any]) -> None:
    assert planned(TWO, two_nodes(**changes)).repack is None


@pytest.mark.parametrize(("cost", "moves"), [("0.24", True), ("0.25", False)])
def test_it_has_to_save_more_than_the_moves_cost(cost: str, *, moves: bool) -> None:
    plan = planned(TWO, two_nodes(), replace(POLICY, repack_cost_per_pod=Decimal(cost)))
    assert (plan.repack is not None) == moves


@pytest.mark.parametrize(("life_s", "moves"), [(7200, True), (60, False)])
def test_it_has_to_save_that_over_the_expected_life(life_s: float, *, moves: bool) -> None:
    policy = replace(POLICY, repack_life_s=life_s, repack_cost_per_pod=Decimal("0.3"))
    assert (planned(TWO, two_nodes(), policy).repack is not None) == moves


@pytest.mark.parametrize(("unchanged_s", "moves"), [(3600, False), (7200, True)])
def test_what_has_not_changed_for_long_is_expected_to_last_as_long_again(
    unchanged_s: float, *, moves: bool
) -> None:
    policy = replace(POLICY, repack_life_s=60, repack_cost_per_pod=Decimal("0.3"))
    pods = [replace(each, created=NOW - timedelta(seconds=unchanged_s)) for each in TWO]
    plan = planned(pods, two_nodes(), policy)
    assert (plan.repack is not None) == moves
    assert bool(plan.declined) == (not moves)


def declined(policy: Policy, unchanged_s: float) -> str:
    pods = [replace(each, created=NOW - timedelta(seconds=unchanged_s)) for each in TWO]
    return planned(pods, two_nodes(), policy).declined


@pytest.mark.parametrize(
    ("unchanged_s", "life"),
    [(3600, "1:00:00"), (7199, "1:00:00"), (7200, "2:00:00"), (90_000, "1 day, 1:00:00")],
)
def test_a_reason_is_the_same_at_every_look_within_an_hour(unchanged_s: float, life: str) -> None:
    policy = replace(POLICY, repack_cost_per_pod=Decimal(9))
    said = declined(policy, unchanged_s)
    assert said == (
        "$0.5 an hour less is possible, but moving 2 pods is taken to cost $18, "
        f"and nodes to serve for {life}"
    )


def test_looks_ten_seconds_apart_give_the_same_reason() -> None:
    policy = replace(POLICY, repack_life_s=45, repack_cost_per_pod=Decimal(9))
    for unchanged_s in (0, 120, 3600, 5000):
        assert declined(policy, unchanged_s) == declined(policy, unchanged_s + 10)
    assert declined(policy, 0).endswith("for 0:00:45")


@pytest.mark.parametrize("changes", [{"repack": False}, {"mode": BIN_SELECT}, {"max_nodes": 2}])
def test_it_is_done_only_where_it_may_be(changes: dict[str, Any]) -> None:
    assert planned(TWO, two_nodes(), replace(POLICY, **changes)).repack is None


def test_nothing_is_moved_while_a_pod_has_no_place() -> None:
    assert planned([*TWO, pod("huge", "99")], two_nodes()).repack is None


def on_a_small_node_each(*pods: Pod) -> World:
    """Pods that came one after the other when nothing was moved, which it is from now on."""
    world = World(MARKET, replace(POLICY, repack=False))
    for each in pods:
        world.cluster.add(each)
        world.rounds(2)
    assert world.bought == ["small"] * len(pods)
    world.policy = POLICY
    world.restart()
    return world


def said_of_moving(world: World) -> list[str]:
    about = f" {{'subject': '{MOVING}'}}"
    lines = (line for line in world.log.lines if line.endswith(about))
    return [line.removesuffix(about).removeprefix("info ") for line in lines]


@pytest.mark.parametrize("restart", [lambda _: None, World.restart])
def test_the_whole_move_serves_all_the_time_and_ends(restart: Callable[[World], None]) -> None:
    world = on_a_small_node_each(worker("a", ""), worker("b", ""))
    for _ in range(30):
        world.rounds(1)
        restart(world)
        assert sum(each.is_ready for each in world.cluster.pods.values()) == 2
    assert (world.bought, world.price_per_hour) == (["small", "small", "large"], Decimal("1.5"))
    assert sorted(world.cluster.evicted) == ["a", "b"]


def test_a_reason_is_logged_once_and_so_is_that_it_holds_no_longer() -> None:
    world = on_a_small_node_each(worker("a", ""), worker("b", ""))
    world.policy = replace(POLICY, repack_cost_per_pod=Decimal(9))
    world.restart()
    world.rounds(3)
    assert said_of_moving(world) == [
        "$0.5 an hour less is possible, but moving 2 pods is taken to cost $18, and nodes to serve for 1:00:00"
    ]
    del world.cluster.pods["b"]
    world.rounds(3)
    assert said_of_moving(world)[1:] == [WITHDRAWN]
    world.cluster.add(worker("c", ""))
    world.rounds(5)
    assert said_of_moving(world)[2:] == said_of_moving(world)[:1]


def test_where_no_reason_was_given_none_is_withdrawn() -> None:
    world = World(MARKET, POLICY)
    world.cluster.add(worker("a", ""))
    world.rounds(5)
    assert said_of_moving(world) == []


HASH = {"app": "web", TEMPLATE_HASH: "7d4f"}


def alone(name: str, at: str, **changes: Any) -> Pod:
    return worker(name, at, **{"labels": HASH, "owner": Owner("ReplicaSet", name, f"of-{name}"), **changes})


def aside(name: str, at: str, since: timedelta = timedelta(), of: str = "of-a", **changes: Any) -> Pod:
    annotations = {STEPS_ASIDE_KEY: (NOW - since).isoformat(), STEPS_ASIDE_FROM_KEY: of}
    values = {"owner": None, "labels": {"app": "web"}, "annotations": annotations, **changes}
    return worker(name, at, **values)


EMPTIED = {**WAITED, DRAINING_KEY: "true"}


def moves(plan: Plan) -> list[tuple[str, str]]:
    return [(each.action, each.pod.name) for each in plan.steps if each.pod]


class TestLastPod:
    """A workload's last pod."""

    def test_is_replaced_before_it_goes(self) -> None:
        plan = planned(
            [alone("a", "s1"), worker("b", "l1")],
            [there("s1", annotations=EMPTIED, is_cordoned=True), there("l1", LARGE)],
        )
        assert moves(plan) == [(DETACH, "a")]

    def test_stays_where_a_budget_forbids_it(self) -> None:
        plan = planned(
            [alone("a", "s1"), worker("b", "l1")],
            [there("s1", annotations=EMPTIED, is_cordoned=True), there("l1", LARGE)],
            budgets=(BUDGET,),
        )
        assert moves(plan) == []

    @pytest.mark.parametrize(
        "replacement",
        [
            pytest.param([], id="is not there"),
            pytest.param([alone("x", "", owner=Owner("ReplicaSet", "a", "of-a"))], id="has no node"),
            pytest.param(
                [alone("x", "l1", owner=Owner("ReplicaSet", "a", "of-a"), is_ready=False)], id="is not ready"
            ),
            pytest.param(
                [
                    alone("x", "l1", owner=Owner("ReplicaSet", "a", "of-a"), is_ready=False),
                    alone("y", "l1", owner=Owner("ReplicaSet", "other", "of-other")),
                ],
                id="is not ready, though another workload's alike is",
            ),
            pytest.param(
                [alone("x", "l1", owner=Owner("ReplicaSet", "a", "of-a"), namespace="elsewhere")],
                id="is in another namespace",
            ),
            pytest.param(
                [alone("x", "l1", owner=Owner("ReplicaSet", "a", "of-a"), is_deleting=True)], id="is going"
            ),
        ],
    )
    def test_goes_on_serving_while_its_replacement(self, replacement: list[Pod]) -> None:
        nodes = [there("s1", annotations=EMPTIED, is_cordoned=True), there("l1", LARGE)]
        assert moves(planned([aside("a", "s1"), *replacement], nodes)) == []

    @pytest.mark.parametrize("owner", ["of-a", "after-a-rollout"])
    def test_goes_when_its_replacement_serves(self, owner: str) -> None:
        nodes = [there("s1", annotations=EMPTIED, is_cordoned=True), there("l1", LARGE)]
        pods = [aside("a", "s1"), alone("x", "l1", owner=Owner("ReplicaSet", "a", owner))]
        assert moves(planned(pods, nodes)) == [(EVICT, "a")]

    @pytest.mark.parametrize("policy", [POLICY, replace(POLICY, repack=False), Policy(mode=BIN_SELECT)])
    def test_goes_then_though_its_node_stays(self, policy: Policy) -> None:
        pods = [aside("a", "s1"), alone("x", "s1", owner=Owner("ReplicaSet", "a", "of-a"))]
        assert moves(planned(pods, [there("s1")], policy)) == [(EVICT, "a")]

    def test_goes_when_nobody_wants_a_replacement_for_long(self) -> None:
        waiting = planned([aside("a", "s1", timedelta(seconds=POLICY.registration_s - 1))], [there("s1")])
        ended = planned([aside("a", "s1", timedelta(seconds=POLICY.registration_s))], [there("s1")])
        assert (moves(waiting), moves(ended)) == ([], [(EVICT, "a")])


@pytest.mark.parametrize("restart", [lambda _: None, World.restart])
def test_last_pods_serve_all_the_time_while_they_move(restart: Callable[[World], None]) -> None:
    labels = {name: {"app": name, TEMPLATE_HASH: "7d4f"} for name in ("a", "b")}
    world = on_a_small_node_each(*(alone(name, "", labels=labels[name]) for name in labels))
    for _ in range(30):
        world.rounds(1)
        restart(world)
        assert {each.labels["app"] for each in world.cluster.pods.values() if each.is_ready} == {"a", "b"}
    assert (world.bought, world.price_per_hour) == (["small", "small", "large"], Decimal("1.5"))
    assert len(world.cluster.pods) == 2


def test_an_empty_node_that_is_too_large_by_now_does_not_hide_one_that_is_enough() -> None:
    """A pod left after the larger one was bought: the smaller one is found again, and not bought anew."""
    shape = next(each for each in OKE.offerings if each.shape == "VM.Standard.A2.Flex")
    nodes, pools = [], []
    for name, ocpus, gib in (("old", 2, 22), ("larger", 1, 12), ("smaller", 1, 7)):
        spec = replace(SMALL, shape=shape.shape, ocpus=ocpus, memory_gib=Decimal(gib), zone=shape.zones[0])
        labels = {**OKE.labels(shape, spec.zone), **dict(spec.labels), "kubernetes.io/hostname": name}
        room = OKE.size(shape, ocpus, gib).usable
        nodes.append(Node(name, name, labels, WAITED if name == "old" else {}, allocatable=room, created=NOW))
        pools.append(pool_of(spec, name))
    pods = (
        alone("vgg16", "old", requests=amounts("400m", "4G")),
        alone("squeezenet", "old", requests=amounts("400m", "1G")),
    )
    plan = decide(Snapshot(pods, tuple(nodes), tuple(pools)), OKE, Policy(), NOW, rounds(100))
    assert plan.repack is not None
    assert (plan.repack.nodes, set(plan.repack.targets)) == ((), {"smaller"})
