"""The loop over a cloud and a cluster in memory: it converges, repeats nothing, and forgets nothing."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core.model import Pod
from provisioner.core.policy import OPTIMAL
from provisioner.drivers.contract import Denied, Gone, NoCapacity, Retry
from provisioner.kube import KubeUnavailable
from tests.support.provision import NOW, OKE, bin_select, catalog, offering, pod, pods
from tests.support.world import World

MARKET = catalog(
    offering("cheap", "1", zones=("z1", "z2")),
    offering("dear", "2", zones=("z1",)),
    offering("large", "9", vcpus=8),
)
POLICY = bin_select(node_unneeded_s=60, no_capacity_s=100, registration_s=300, empty_pool_s=600)


@pytest.fixture
def world() -> World:
    return World(MARKET, POLICY)


def busy(count: int) -> tuple[Pod, ...]:
    return pods(count, "900m", "3Gi")


def test_pending_pods_get_nodes_and_run(world: World) -> None:
    world.cluster.add(*busy(3))
    world.rounds(2)
    assert (world.cluster.pending, world.bought) == ([], ["cheap"] * 3)


def test_nodes_of_one_size_are_ordered_together(world: World) -> None:
    world.cluster.add(*busy(3))
    world.step()
    assert [(spec.shape, count) for spec, count, _ in world.driver.launches] == [("cheap", 3)]


def test_what_is_on_its_way_is_not_ordered_again(world: World) -> None:
    world.cluster.add(*busy(2))
    for _ in range(5):
        world.step()
    assert world.bought == ["cheap"] * 2


@pytest.mark.parametrize("rounds", range(4))
def test_a_restart_at_any_moment_buys_nothing_twice(world: World, rounds: int) -> None:
    world.cluster.add(*busy(2))
    for index in range(4):
        world.step()
        if index == rounds:
            world.restart()
        if index >= 2:
            world.boot()
    assert (world.bought, world.cluster.pending) == (["cheap"] * 2, [])


def test_a_lost_reply_buys_nothing_twice(world: World) -> None:
    world.driver.loses_reply = True
    world.driver.errors = deque([None, Retry("no answer", 1)])
    world.cluster.add(*busy(2))
    world.step()
    world.rounds(3)
    assert (world.bought, world.cluster.pending) == (["cheap"] * 2, [])


def test_an_order_that_fails_does_not_keep_others_from_being_made(world: World) -> None:
    world.driver.errors = deque([None, Retry("busy", 1)])
    world.cluster.add(*busy(1), pod("big", "6", "3Gi"))
    world.step()
    assert len(world.bought) == 1
    world.rounds(3)
    assert (sorted(world.bought), world.cluster.pending) == (["cheap", "large"], [])


def test_a_busy_pool_is_tried_again(world: World) -> None:
    world.driver.errors = deque([None, Retry("busy", 1)])
    world.cluster.add(*busy(1))
    world.rounds(3)
    assert (world.bought, world.cluster.pending) == (["cheap"], [])


def test_a_shape_without_capacity_is_passed_over_and_tried_again_later(world: World) -> None:
    world.driver.errors = deque([None, NoCapacity("z1 is full")])
    world.cluster.add(*busy(1))
    world.rounds(3)
    assert [(spec.shape, spec.zone) for spec, _, _ in world.driver.launches] == [("cheap", "z2")]
    world.now += timedelta(seconds=POLICY.no_capacity_s)
    world.cluster.add(pod("later", "900m", "3Gi"))
    world.rounds(2)
    assert [(spec.shape, spec.zone) for spec, _, _ in world.driver.launches][1:] == [("cheap", "z1")]


def test_an_order_that_fails_later_is_taken_back_and_replaced(world: World) -> None:
    world.driver.sold_out = {"cheap"}
    world.cluster.add(*busy(1))
    world.rounds(6)
    assert (world.bought, world.cluster.pending) == (["cheap", "cheap", "dear"], [])
    assert sum(pool.size for pool in world.driver.pools()) == 1


def test_what_is_refused_is_said_and_not_insisted_on(world: World) -> None:
    world.driver.errors = deque([None, Denied("no rights")])
    world.cluster.add(*busy(1))
    world.step()
    assert any("no rights" in line for line in world.log.lines)
    world.step()
    assert [(spec.shape, spec.zone) for spec, _, _ in world.driver.launches] == [("cheap", "z2")]


def test_an_empty_node_is_given_back_after_the_wait(world: World) -> None:
    world.cluster.add(*busy(2))
    world.rounds(2)
    del world.cluster.pods["p0"]
    world.rounds(6)
    assert world.driver.terminated == []
    assert sum(REMOVABLE_SINCE_KEY in node.annotations for node in world.cluster.nodes.values()) == 1
    world.rounds(3)
    assert (len(world.driver.terminated), len(world.cluster.nodes)) == (1, 1)
    assert world.cluster.pods["p1"].node_name in world.cluster.nodes


def test_a_restart_while_it_waits_loses_no_time(world: World) -> None:
    world.cluster.add(*busy(1))
    world.rounds(2)
    world.cluster.pods.clear()
    world.rounds(5)
    world.restart()
    world.rounds(4)
    assert len(world.driver.terminated) == 1


def test_a_pod_that_comes_before_the_end_keeps_the_node(world: World) -> None:
    world.cluster.add(*busy(1))
    world.rounds(2)
    world.cluster.pods.clear()
    world.rounds(6)
    world.cluster.add(pod("new", "900m", "3Gi"))
    world.rounds(10)
    assert (world.driver.terminated, world.bought, world.cluster.pending) == ([], ["cheap"], [])
    assert all(REMOVABLE_SINCE_KEY not in node.annotations for node in world.cluster.nodes.values())


def test_a_machine_that_is_gone_already_is_no_fault(world: World) -> None:
    world.cluster.add(*busy(1))
    world.rounds(2)
    world.cluster.pods.clear()
    world.rounds(7)
    world.driver.errors = deque([None, Gone("i")])
    world.rounds(1)
    assert any("gone already" in line for line in world.log.lines)


def test_a_machine_that_never_registers_is_given_back(world: World) -> None:
    world.cluster.add(*busy(1))
    world.step()
    (machine,) = world.driver.boot()
    for _ in range(32):
        world.step()
    assert world.driver.terminated[0] == machine[0].id


def test_an_emptied_pool_is_used_again_or_deleted(world: World) -> None:
    world.cluster.add(*busy(1))
    world.rounds(2)
    world.cluster.pods.clear()
    world.rounds(12)
    assert [pool.size for pool in world.driver.pools()] == [0]
    world.cluster.add(pod("new", "900m", "3Gi"))
    world.rounds(2)
    assert [pool.size for pool in world.driver.pools()] == [1]
    world.cluster.pods.clear()
    world.rounds(75)
    assert world.driver.pools() == ()


def test_every_decision_has_its_reason_in_the_log_once(world: World) -> None:
    world.cluster.add(pod("fits", "900m", "3Gi"), pod("huge", "900", "3Gi"))
    world.rounds(5)
    said = "\n".join(world.log.lines)
    assert said.count("huge") == 1
    assert "too-large" in said
    assert said.count("cheapest that holds it") == 1
    assert "runner-up" in said
    assert [event[:2] for event in world.cluster.events] == [
        ("huge", "NotProvisioned"),
        ("fits", "NodeOrdered"),
    ]


@pytest.mark.parametrize("error", [Retry("cloud away", 1), KubeUnavailable("restarting"), Denied("not yet")])
def test_the_loop_outlives_a_cloud_or_cluster_that_is_away(world: World, error: Exception) -> None:
    stop = threading.Event()
    world.cluster.errors = [error, error]
    clock = stopping_after(world, stop)
    world.cluster.add(*busy(1))
    world.controller.run(0.001, stop, clock, lambda: 0)
    assert world.bought == ["cheap"]


def test_a_fault_of_ours_is_not_hidden(world: World) -> None:
    world.cluster.errors = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        world.controller.run(0.001, threading.Event(), lambda: NOW, lambda: 0)


def test_the_loop_ends_when_it_is_told_to(world: World) -> None:
    stop = threading.Event()
    stop.set()
    world.cluster.add(*busy(1))
    world.controller.run(60, stop, lambda: NOW, lambda: 0)
    assert world.bought == []


@pytest.mark.parametrize(("deadline_s", "asked_at"), [(0, [0, 1]), (3, [0, 1, 2, 3])])
def test_better_plans_are_looked_for_until_the_deadline(deadline_s: float, asked_at: list[int]) -> None:
    asked: list[int] = []

    def seconds() -> float:
        asked.append(len(asked))
        return asked[-1]

    policy = replace(POLICY, mode=OPTIMAL, decision_deadline_s=deadline_s)
    world = World(OKE, policy, seconds)
    world.cluster.add(*(pod(f"p{at}", f"{100 + 30 * at}m", f"{500 + 77 * at}M") for at in range(70)))
    world.rounds(1)
    assert (asked, bool(world.bought)) == (asked_at, True)


def stopping_after(world: World, stop: threading.Event) -> Callable[[], datetime]:
    """A clock that ends the loop once something was bought."""

    def clock() -> datetime:
        if world.driver.launches:
            stop.set()
        return NOW

    return clock
