"""Nodes register shut; their own pods are let in first, and then everybody."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

import pytest

from provisioner.core.decide import decide
from provisioner.core.kinds import kinds_of
from provisioner.core.model import Node, Pod
from provisioner.core.opening import PLACED_WITHIN, STARTING, LetIn, openings, shut_nodes, ticket
from provisioner.core.plan import Placement, Plan
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.site import Site
from provisioner.core.snapshot import Snapshot, is_shut
from provisioner.kube import KubeUnavailable
from tests.support.provision import ANY_ARCH, NOW, bought, catalog, node, offering, pod, pods
from tests.support.world import World

POLICY = Policy(mode=OPTIMAL)
LATER = NOW + timedelta(seconds=POLICY.registration_s)
MARKET = catalog(offering("small", "1", vcpus=1))
EVERYBODY = ["everybody"]


def shut(name: str, **changes: Any) -> Node:
    return node(name, taints=(STARTING,), **changes)


def seen(*nodes: Node, shape: str = "small", pods: tuple[Pod, ...] = ()) -> Snapshot:
    """All of these nodes are ours."""
    machines = tuple(Instance(each.provider_id) for each in nodes)
    spec = PoolSpec(shape, 0, Decimal(4), "z1", "on-demand")
    return Snapshot(pods, nodes, (Pool("p", "p", spec, len(nodes), machines),))


def opened(
    meant: Mapping[str, tuple[Pod, ...]],
    *nodes: Node,
    now: datetime = NOW,
    running: tuple[Pod, ...] = (),
    let_in: Mapping[str, datetime] = MappingProxyType({}),
) -> dict[str, list[str]]:
    """Whom nodes are opened to."""
    plan = Plan(OPTIMAL, existing=tuple(Placement(name, pods) for name, pods in meant.items()))
    found = openings(plan, seen(*nodes, pods=running), POLICY, now, let_in)
    return {
        each.node.name: [one.name for one in each.pods] if isinstance(each, LetIn) else EVERYBODY
        for each in found
    }


def test_the_pods_that_a_node_was_bought_for_are_let_in_first() -> None:
    assert opened({"a": (pod("p"), pod("q"))}, shut("a")) == {"a": ["p", "q"]}


def test_whoever_is_let_in_already_is_waited_for() -> None:
    inside = pod("p", tolerations=(ticket(shut("a")),))
    assert opened({"a": (inside,)}, shut("a")) == {}
    assert opened({"a": (inside, pod("q"))}, shut("a")) == {"a": ["q"]}


def test_a_ticket_to_another_node_lets_nobody_in() -> None:
    elsewhere = pod("p", tolerations=(ticket(shut("b")),))
    assert opened({"a": (elsewhere,)}, shut("a")) == {"a": ["p"]}


def test_when_nobody_is_waited_for_everybody_may_come() -> None:
    assert opened({}, shut("a")) == {"a": EVERYBODY}


def test_one_that_is_not_ready_or_open_already_is_let_be() -> None:
    assert opened({}, shut("a", is_ready=False), node("b")) == {}
    assert opened({"b": (pod("p"),)}, node("b")) == {}


def test_one_that_does_not_become_ready_because_it_is_shut_is_opened_in_the_end() -> None:
    assert opened({"a": (pod("p"),)}, shut("a", is_ready=False), now=LATER) == {"a": EVERYBODY}


def test_a_node_of_somebody_else_is_let_be() -> None:
    assert list(openings(Plan(OPTIMAL), Snapshot(nodes=(shut("a"),)), POLICY, NOW, {})) == []


def test_pods_that_the_scheduler_does_not_place_keep_a_node_shut_for_a_minute() -> None:
    inside = pod("p", tolerations=(ticket(shut("a")),))
    waits = partial(opened, {"a": (inside,)}, shut("a"), let_in={"a": NOW})
    assert waits(now=NOW + PLACED_WITHIN) == {}
    assert waits(now=NOW + PLACED_WITHIN + timedelta(seconds=1)) == {"a": EVERYBODY}


def test_a_node_is_opened_to_the_driver_of_the_gpu_that_its_pods_wait_for() -> None:
    meant, without = {"a": (pod("p", gpus=1),)}, shut("a")
    with_gpu = replace(without, allocatable=replace(without.allocatable, gpus=1))
    assert opened(meant, without) == {"a": EVERYBODY}
    assert opened(meant, with_gpu) == {"a": ["p"]}


@pytest.mark.parametrize(
    ("asks", "comes_in_between"),
    [
        (pod("q"), True),
        (pod("q", "3"), False),
        (pod("q", node_selector={"kubernetes.io/arch": "amd64"}), False),
    ],
    ids=["fits", "too large", "another architecture"],
)
def test_a_node_stays_shut_to_pods_whose_own_node_is_on_its_way(asks: Pod, *, comes_in_between: bool) -> None:
    meant = {"on-its-way": (asks,)}
    long_ago = {"a": NOW - 2 * PLACED_WITHIN}
    assert opened(meant, shut("a")) == ({} if comes_in_between else {"a": EVERYBODY})
    assert opened(meant, shut("a"), let_in=long_ago) == ({} if comes_in_between else {"a": EVERYBODY})
    assert opened(meant, shut("a"), now=LATER) == {"a": EVERYBODY}
    full = pod("full", "2", node_name="a", phase="Running")
    assert opened(meant, shut("a"), running=(full,)) == {"a": EVERYBODY}
    gone = replace(full, phase="Succeeded")
    assert opened(meant, shut("a"), running=(gone,)) == ({} if comes_in_between else {"a": EVERYBODY})


def test_a_node_stays_shut_to_pods_whose_own_node_is_bought_now() -> None:
    plan = decide(Snapshot(pods(1)), MARKET, ANY_ARCH, NOW, lambda: False)
    assert len(plan.nodes) == 1
    assert list(openings(plan, seen(shut("a")), POLICY, NOW, {})) == []


def test_pods_meant_for_nodes_that_are_open_already_tempt_nobody() -> None:
    assert opened({"b": (pod("q"),)}, shut("a"), node("b")) == {"a": EVERYBODY}


def test_shut_nodes_are_those_of_ours() -> None:
    assert [each.name for each in shut_nodes(seen(shut("a"), node("b")))] == ["a"]
    assert shut_nodes(Snapshot(nodes=(shut("a"),))) == ()


def test_a_machines_place_is_counted_on_before_its_node_says_which_machine_it_is() -> None:
    """A node gets its provider id from the cloud's controller, a moment after it registers."""
    (pool,) = seen(node("a")).pools
    named = replace(pool, instances=(Instance("id-a", "a"),))
    unsaid = Snapshot(pods(1), (shut("a", provider_id=""),), (named,))
    plan = decide(unsaid, MARKET, ANY_ARCH, NOW, lambda: False)
    assert ([each.node for each in plan.existing], bought(plan)) == (["a"], {})


def test_pods_that_were_let_in_somewhere_are_no_kinds_of_their_own() -> None:
    alike = tuple(replace(pod(name), tolerations=(ticket(shut(name)),)) for name in "abc")
    assert len(kinds_of(alike, Site(()))) == 1


def test_nobody_is_counted_on_going_to_a_shut_node_that_nobody_opens() -> None:
    foreign = Snapshot(pods(1), (shut("a"),))
    plan = decide(foreign, MARKET, ANY_ARCH, NOW, lambda: False)
    assert (plan.existing, bought(plan)) == ((), {"small": 1})


class TestTheLoop:
    MARKET = catalog(
        offering("one", "1.01"),
        offering("two", "1.9", vcpus=2, memory_gib=Decimal(8)),
        offering("four", "3.7", vcpus=4, memory_gib=Decimal(16)),
    )
    POLICY = replace(POLICY, batch_idle_s=0, batch_longest_s=0, repack=False)

    def test_small_pods_do_not_take_the_room_of_a_large_one(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(*(pod(name, "800m") for name in "ab"), pod("c", "3500m"))
        world.rounds(2)
        assert sorted(map(sorted, world.cluster.let_in_to.values())) == [["a", "b"], ["c"]]
        assert world.cluster.pending == []
        world.rounds(1)
        assert not any(map(is_shut, world.cluster.nodes.values()))

    def test_what_came_on_its_own_way_is_not_let_in_again(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(*pods(3, "800m"))
        world.settle()
        assert sorted(name for names in world.cluster.let_in_to.values() for name in names) == [
            "p0",
            "p1",
            "p2",
        ]

    def test_a_pod_that_comes_later_is_let_in_to_a_node_that_is_still_shut(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(pod("a", "3"))
        world.rounds(1)
        world.cluster.add(pod("b", "900m"))
        world.rounds(2)
        assert (world.bought, world.cluster.pending) == (["four"], [])

    def test_a_restart_lets_everybody_keep_the_place_that_he_was_let_in_to(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(*(pod(name, "800m") for name in "ab"), pod("c", "3500m"))
        world.rounds(1)
        world.step()
        world.restart()
        world.rounds(2)
        assert (sorted(world.bought), world.cluster.pending) == (["four", "two"], [])

    def test_a_node_whose_pods_are_not_placed_is_opened_to_all(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(pod("a", "3500m"))
        world.cluster.schedule = lambda: None  # type: ignore[method-assign]
        world.rounds(4)
        assert world.cluster.let_in_to == {"instance-2": ["a"]}
        assert all(map(is_shut, world.cluster.nodes.values()))
        world.rounds(10)
        assert not any(map(is_shut, world.cluster.nodes.values()))

    def test_what_cannot_be_let_in_now_is_tried_again(self) -> None:
        world = World(self.MARKET, self.POLICY)
        world.cluster.add(pod("a", "3500m"))
        let_in, refused = world.cluster.let_in, [KubeUnavailable("busy")]

        def busy_once(pod: Pod, node: Node) -> None:
            if refused:
                raise refused.pop()
            let_in(pod, node)

        world.cluster.let_in = busy_once  # type: ignore[method-assign]
        world.rounds(3)
        assert world.cluster.let_in_to == {"instance-2": ["a"]}
        assert world.cluster.pending == []


class TestThePause:
    """How long the controller waits before it looks again."""

    def pauses(self, world: World, count: int) -> list[float]:
        stop = Stopped(count, world.boot)
        world.controller.run(10, stop, lambda: world.now, lambda: 0)  # type: ignore[arg-type]
        return stop.pauses

    def test_it_is_short_while_a_node_is_shut(self) -> None:
        world = World(TestTheLoop.MARKET, TestTheLoop.POLICY)
        world.cluster.add(pod("a", "3500m"))
        assert self.pauses(world, 4) == [10, 2, 2, 10]


class Stopped:
    """An event that is set after so many waits; what happens meanwhile is told."""

    def __init__(self, count: int, meanwhile: Callable[[], None]) -> None:
        self._count, self._meanwhile = count, meanwhile
        self.pauses: list[float] = []

    def is_set(self) -> bool:
        return len(self.pauses) == self._count

    def wait(self, timeout: float) -> bool:
        self.pauses.append(timeout)
        self._meanwhile()
        return self.is_set()
