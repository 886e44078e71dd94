"""The published operating points in the mode `optimal`, one after the other, in memory: each costs the least it can."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal

import pytest

from catalog.offering import ARCHITECTURES
from provisioner.core.decide import decide
from provisioner.core.model import Owner, Pod
from provisioner.core.policy import OPTIMAL, Policy
from provisioner.core.snapshot import Snapshot
from provisioner.core.surge import TEMPLATE_HASH
from tests.support.packing import rounds
from tests.support.provision import GKE, NOW, OKE, pod
from tests.support.world import World

VGG16, SQUEEZENET = "vgg16", "squeezenet1-1"
MEMORY = {VGG16: "4G", SQUEEZENET: "1G"}
WORKERS = 4
POINTS: Mapping[str, tuple[int, int]] = {
    "idle": (1, 1),
    "peak": (4, 4),
    "vgg16-idle-squeezenet-peak": (1, 4),
    "vgg16-peak-squeezenet-idle": (4, 1),
}
"""Workers of vgg16 and of squeezenet."""


MARKETS = {"oke": (OKE, ("arm64",)), "gke-arm64": (GKE, ("arm64",)), "gke": (GKE, ARCHITECTURES)}
CHEAPEST = {
    "oke": ("0.028", "0.072", "0.045", "0.0585"),
    "gke-arm64": ("0.077", "0.29596", "0.154", "0.231"),
    "gke": ("0.067011", "0.265993", "0.134022", "0.201033"),
}
"""What inference nodes cost at least at each point; proven anew by the lower bound of a plan for all pods."""
WALK = ("idle", "peak", "idle", "peak", "vgg16-idle-squeezenet-peak", "vgg16-peak-squeezenet-idle", "idle")


class Models:
    """Two Deployments: they grow pod by pod or at once, and shrink as ReplicaSets do."""

    def __init__(self, world: World) -> None:
        self.world, self._made = world, Counter[str]()

    def pods(self, model: str) -> list[Pod]:
        return [each for each in self.world.cluster.pods.values() if each.labels["model"] == model]

    def scale(self, workers: tuple[int, int], *, step: int) -> None:
        """Towards so many workers, so many at a time."""
        wanted = dict(zip(MEMORY, workers, strict=True))
        for model, count in wanted.items():
            for each in self._surplus(model)[: max(0, len(self.pods(model)) - count)]:
                del self.world.cluster.pods[each.name]
        while missing := [model for model in MEMORY if len(self.pods(model)) < wanted[model]]:
            for model in missing:
                self.world.cluster.add(*(self._new(model) for _ in range(step)))
                while len(self.pods(model)) > wanted[model]:
                    del self.world.cluster.pods[self.pods(model)[-1].name]
            self.world.rounds(2)

    def _new(self, model: str) -> Pod:
        self._made[model] += 1
        labels = {"model": model, TEMPLATE_HASH: "1"}
        owner = Owner("ReplicaSet", model, model)
        return pod(f"{model}-{self._made[model]:02}", "400m", MEMORY[model], labels=labels, owner=owner)

    def _surplus(self, model: str) -> list[Pod]:
        """Crowded nodes first, then the newest."""
        own = self.pods(model)
        crowd = Counter(each.node_name for each in own)
        return sorted(
            sorted(own, key=lambda each: each.name, reverse=True), key=lambda each: -crowd[each.node_name]
        )


def walk(market: str, step: int) -> Iterator[tuple[str, World]]:
    """The world at rest at each point of the walk."""
    catalog, architectures = MARKETS[market]
    world = World(catalog, Policy(mode=OPTIMAL, architectures=architectures, node_unneeded_s=30))
    models = Models(world)
    for point in WALK:
        models.scale(POINTS[point], step=step)
        world.settle()
        assert world.cluster.pending == []
        assert {model: len(models.pods(model)) for model in MEMORY} == dict(
            zip(MEMORY, POINTS[point], strict=True)
        )
        yield point, world


def cheapest(market: str, point: str) -> Decimal:
    return Decimal(CHEAPEST[market][list(POINTS).index(point)])


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("point", POINTS)
def test_no_set_of_nodes_for_a_points_pods_is_cheaper(market: str, point: str) -> None:
    catalog, architectures = MARKETS[market]
    wanted = zip(MEMORY.items(), POINTS[point], strict=True)
    pods = [pod(f"{model}-{n}", "400m", memory) for (model, memory), count in wanted for n in range(count)]
    plan = decide(Snapshot(tuple(pods)), catalog, Policy(architectures=architectures), NOW, rounds(100))
    assert plan.price_per_hour == plan.lower_bound_per_hour == cheapest(market, point)


@pytest.mark.parametrize("market", MARKETS)
def test_each_point_comes_to_that_wherever_it_is_reached_from(market: str) -> None:
    found = [(point, world.price_per_hour) for point, world in walk(market, step=WORKERS)]
    assert found == [(point, cheapest(market, point)) for point in WALK]


@pytest.mark.parametrize("market", MARKETS)
def test_after_growing_pod_by_pod_it_does_too_or_says_why_moving_does_not_pay(market: str) -> None:
    for point, world in walk(market, step=1):
        more = world.price_per_hour - cheapest(market, point)
        assert bool(world.plan.declined) == bool(more)
        assert f"${more.normalize():f} an hour less is possible" in world.plan.declined or not more
