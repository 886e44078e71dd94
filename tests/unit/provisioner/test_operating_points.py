"""The published operating points on OKE in the mode `optimal`: idle, peak and idle again, in memory."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from provisioner.core.model import Pod
from provisioner.core.policy import OPTIMAL, Policy
from tests.support.provision import OKE, pod
from tests.support.world import World

MEMORY = {"vgg16": "4G", "squeezenet1-1": "1G"}
WORKERS = 4
IDLE = Decimal("0.028")


def worker(model: str, number: int) -> Pod:
    return pod(f"{model}-{number}", "400m", MEMORY[model], labels={"model": model})


def workers(first: int, last: int) -> list[Pod]:
    return [worker(model, number) for number in range(first, last) for model in MEMORY]


def scale_in(world: World) -> None:
    """To one worker of each model, chosen as a ReplicaSet does: crowded nodes first, then the newest."""
    for model in MEMORY:
        own = [each for each in world.cluster.pods.values() if each.labels["model"] == model]
        crowd = Counter(each.node_name for each in own)
        stays, *_ = sorted(own, key=lambda each: (crowd[each.node_name], each.name))
        for each in own:
            if each is not stays:
                del world.cluster.pods[each.name]


def at_once(world: World) -> None:
    world.cluster.add(*workers(1, WORKERS))
    world.rounds(3)


def step_by_step(world: World) -> None:
    for number in range(1, WORKERS):
        world.cluster.add(*workers(number, number + 1))
        world.rounds(2)


@pytest.mark.parametrize(
    ("grow", "peak"),
    [
        # The cheapest set for all workers costs 0.072; what runs already is not moved for it.
        (at_once, "0.0835"),
        (step_by_step, "0.112"),
    ],
)
def test_idle_peak_and_idle_again(grow: Callable[[World], None], peak: str) -> None:
    world = World(OKE, Policy(mode=OPTIMAL, architectures=("arm64",), node_unneeded_s=30))
    world.cluster.add(*workers(0, 1))
    world.rounds(2)
    assert (world.price_per_hour, world.cluster.pending) == (IDLE, [])
    grow(world)
    assert (world.price_per_hour, world.cluster.pending) == (Decimal(peak), [])
    scale_in(world)
    world.rounds(8)
    assert (world.price_per_hour, len(world.cluster.pods)) == (IDLE, len(MEMORY))
    assert {each.node_name for each in world.cluster.pods.values()} == set(world.cluster.nodes)
