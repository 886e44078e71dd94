"""The emulated Google cloud on a loopback port, called by the real SDK; Kubernetes is a fake."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from google.cloud import compute_v1, container_v1
from google.oauth2 import credentials as oauth2

from emulator.gcp.account import PROJECT, REGION
from emulator.gcp.cloud import GoogleCloud
from emulator.injection import Injection
from tests.support.fake_kube import FakeClock, FakeComputer, FakeKube
from tests.support.loopback import serving
from tests.support.until import until

ZONE = f"{REGION}-a"
PLACE = f"projects/{PROJECT}/locations/{ZONE}"
Done = container_v1.Operation.Status.DONE


class Client:
    """The SDK's clients with an access token; whoever has none of a workload's is the owner.

    With a key the SDK would look up, over the internet, in which regions its account may be used.
    """

    def __init__(self, endpoint: str, token: str = "owner") -> None:
        self.endpoint = endpoint
        self.token = token

    def engine(self) -> container_v1.ClusterManagerClient:
        return container_v1.ClusterManagerClient(**self._options())

    def compute(self, kind: type[Any]) -> Any:
        return kind(**self._options())

    def groups(self) -> Any:
        return self.compute(compute_v1.InstanceGroupManagersClient)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Call over plain REST, as a Pulumi plugin does; refusals are answers."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, self.endpoint + path, json=body, params=query, headers=headers)
        return answer.json() if answer.content else None

    def finished(self, operation: container_v1.Operation) -> container_v1.Operation:
        """A container operation, when it is done."""
        engine, name = (
            self.engine(),
            f"projects/{PROJECT}/locations/{operation.location}/operations/{operation.name}",
        )

        def ask() -> Any:
            found = engine.get_operation(name=name)
            return found if found.status == Done else None

        return until(f"{operation.name} is done", ask, 30)

    def succeeded(self, operation: container_v1.Operation) -> None:
        """Wait for a container operation that has to succeed."""
        assert not self.finished(operation).error.message, operation

    def _options(self) -> dict[str, Any]:
        return {
            "credentials": oauth2.Credentials(self.token),  # type: ignore[no-untyped-call]
            "transport": "rest",
            "client_options": {"api_endpoint": self.endpoint},
        }


class Google(Client):
    """The cloud with its clients and what a test needs to look inside."""

    def __init__(self, home: Path) -> None:
        super().__init__("")
        self.clock = FakeClock()
        self.computer = FakeComputer(home)
        self.cloud = GoogleCloud(self.computer.machine, self.clock, seed="test")
        self.world = self.cloud.world
        self.faults = self.computer.machine.faults

    @property
    def kubes(self) -> list[FakeKube]:
        """Kubernetes sides, oldest first."""
        return self.computer.kubes

    def injection(self) -> Injection:
        return Injection([self.cloud], self.faults, self.clock)

    def settle(self) -> None:
        """Wait for everything that goes on."""
        self.world.operations.join(30)
        self.world.background.join(30)
        self.world.compute.join(30)


@contextmanager
def running_google(home: Path) -> Iterator[Google]:
    """The cloud, served for the time of a test."""
    google = Google(home)
    with serving(google.cloud.routes()) as google.endpoint:
        yield google
    google.settle()
    google.cloud.close()


def cluster_message(**changes: Any) -> container_v1.Cluster:
    """A zonal cluster at the demonstration's pace, with one small node and workload identity."""
    values: dict[str, Any] = {
        "name": "gke",
        "initial_node_count": 1,
        "workload_identity_config": {"workload_pool": f"{PROJECT}.svc.id.goog"},
        "resource_labels": {"rightsize-stack": "gke-right-sized", "rightsize-timing": "demo"},
    }
    return container_v1.Cluster({**values, **changes})


def pool_message(
    name: str = "pool", config: Mapping[str, Any] | None = None, **changes: Any
) -> container_v1.NodePool:
    """A pool of one t2a-standard-2."""
    values: dict[str, Any] = {
        "name": name,
        "initial_node_count": 1,
        "config": {"machine_type": "t2a-standard-2", **(config or {})},
    }
    return container_v1.NodePool({**values, **changes})


def a_cluster(google: Client, location: str = ZONE, **changes: Any) -> str:
    """Path of a new cluster."""
    parent = f"projects/{PROJECT}/locations/{location}"
    message = cluster_message(**changes)
    google.succeeded(google.engine().create_cluster(parent=parent, cluster=message))
    return f"{parent}/clusters/{message.name}"


def a_pool(google: Client, cluster: str, name: str = "pool", **changes: Any) -> str:
    """Path of a new node pool."""
    made = google.engine().create_node_pool(parent=cluster, node_pool=pool_message(name, **changes))
    google.succeeded(made)
    return f"{cluster}/nodePools/{name}"


def group_of(google: Client, pool: str, zone: str = ZONE) -> str:
    """Name of a pool's instance group in a zone."""
    urls = google.engine().get_node_pool(name=pool).instance_group_urls
    return next(url for url in urls if f"/zones/{zone}/" in url).rpartition("/")[2]
