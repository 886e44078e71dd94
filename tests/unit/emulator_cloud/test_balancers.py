"""Load balancers on the bill: as many as there are Services of that type, as long as there are."""

import json
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from catalog.timing import DEMO
from emulator.cloud.balancers import BalancerWatch, Billing
from emulator.cloud.kube import Kube
from emulator.cloud.meter import Meter
from emulator.kube.spec import ClusterSpec
from tests.support.fake_kube import FakeClock, FakeKube

PRICE = Decimal("0.025")


@dataclass
class ACluster:
    """What the watch sees of a cluster."""

    id: str
    server: str
    context: str = "stack"
    usable: bool = True
    gone: bool = False
    credential: str = ""
    kube: FakeKube = field(init=False)

    def __post_init__(self) -> None:
        spec = ClusterSpec("c", Path("/nonexistent"), DEMO, "gke", "documented")
        self.kube = FakeKube(spec, server=self.server)


class Watched:
    """A watch over clusters whose Services are given by their API servers' addresses."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.clock = FakeClock()
        self.clusters: list[ACluster] = []
        self.services: dict[str, list[dict[str, object]]] = {}
        billing = Billing("gke", PRICE, self.meter, self.clock, threading.RLock())
        self.watch = BalancerWatch(billing, lambda: self.clusters, self._connect)

    def running(self) -> list[str]:
        self.watch.look()
        return [reading.charge.id.rpartition("/")[2] for reading in self.meter.running()]

    def _connect(self, kube: Kube) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            assert request.url.path == "/api/v1/services"
            items = self.services.get(kube.server)
            return (
                httpx.Response(200, text=json.dumps({"items": items}))
                if items is not None
                else httpx.Response(503)
            )

        return httpx.Client(base_url=kube.server, transport=httpx.MockTransport(answer))


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.clusters = [ACluster("one", "https://one")]
    watched.services["https://one"] = [service("a"), service("b", "ClusterIP")]
    return watched


def service(uid: str, kind: str = "LoadBalancer") -> dict[str, object]:
    return {"metadata": {"uid": uid}, "spec": {"type": kind}}


def test_only_load_balancers_are_charged_each_once(watched: Watched) -> None:
    assert watched.running() == ["a"]
    assert watched.running() == ["a"]
    (reading,) = watched.meter.running()
    assert (reading.charge.kind, reading.charge.price_per_hour) == ("load-balancer", PRICE)


def test_a_service_that_goes_ends_its_charge(watched: Watched) -> None:
    watched.running()
    watched.services["https://one"] = []
    assert watched.running() == []


def test_an_api_server_that_does_not_answer_ends_nothing(watched: Watched) -> None:
    watched.running()
    del watched.services["https://one"]
    assert watched.running() == ["a"]


@pytest.mark.parametrize("how", ["is said to be gone", "is not listed any more"])
def test_a_cluster_that_goes_takes_its_load_balancers_along(watched: Watched, how: str) -> None:
    watched.running()
    watched.clusters[0].gone = True
    if how == "is not listed any more":
        watched.clusters = []
    assert watched.running() == []


def test_another_cluster_of_the_same_id_is_another_one(watched: Watched) -> None:
    watched.running()
    watched.clusters = [ACluster("one", "https://two")]
    watched.services = {"https://two": [service("c")]}
    assert watched.running() == ["c"]
