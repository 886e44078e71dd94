"""Pods that come together are waited for, a moment, and nodes are then bought for all of them."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from provisioner.core import batch
from provisioner.core.model import Pod
from provisioner.core.policy import Policy
from tests.support.provision import NOW, catalog, offering, pod
from tests.support.world import World

POLICY = Policy(batch_idle_s=2, batch_longest_s=10)
MARKET = catalog(offering("small", "1", vcpus=1), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))


def aged(name: str, seconds: float, now: datetime = NOW) -> Pod:
    return pod(name, "700m", "2Gi", created=now - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("ages", "waits"),
    [
        ((), False),
        ((0,), True),
        ((1.9,), True),
        ((2,), False),
        ((5, 1), True),
        ((10, 1), False),
    ],
)
def test_the_last_pod_is_given_time_and_the_first_one_waits_no_longer(
    ages: tuple[float, ...], *, waits: bool
) -> None:
    assert batch.is_open([aged(str(age), age) for age in ages], POLICY, NOW) == waits


def test_a_pod_of_unknown_age_waits_for_nobody() -> None:
    assert not batch.is_open([pod()], POLICY, NOW)
    assert not batch.is_open([pod(), aged("new", 0)], POLICY, NOW)


def test_pods_that_come_one_after_the_other_share_a_node() -> None:
    world = World(MARKET, replace(POLICY, repack=False))
    world.cluster.add(aged("a", 1, world.now))
    world.step()
    assert world.bought == []
    world.cluster.add(aged("b", 3, world.now))
    world.step()
    assert world.bought == ["large"]


class Stopwatch(threading.Event):
    """Is set by the first wait, and says how long that was to be."""

    paused_s: float | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.paused_s = timeout
        self.set()
        return True


@pytest.mark.parametrize(("age_s", "pause_s"), [(1, 2), (5, 30)])
def test_the_loop_looks_again_as_soon_as_the_wait_may_be_over(age_s: float, pause_s: float) -> None:
    world, stop = World(MARKET, POLICY), Stopwatch()
    world.cluster.add(aged("a", age_s, world.now))
    world.controller.run(30, stop, lambda: world.now, lambda: 0.0)
    assert stop.paused_s == pause_s
