"""The emulated Oracle cloud on a loopback port, called by the real SDK; Kubernetes is a fake."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import oci
import uvicorn
from starlette.applications import Starlette

from emulator import keys
from emulator.cloud.machine import Machine, Published
from emulator.kube.drain import DrainRefused
from emulator.kube.spec import (
    AutoscalerSettings,
    CloudHooks,
    ClusterFailed,
    ClusterSpec,
    NodeSpec,
    ServiceAccountRef,
)
from emulator.oci import account
from emulator.oci.region import Region
from emulator.oci.server import Server
from tests.support.until import until

VERSION = "v1.36.3"
FINISHED = ("SUCCEEDED", "FAILED")


def service_account_token(name: str) -> str:
    """A token in the form that the SDK looks at before it sends it: a JWT that has not expired."""
    claims = {"sub": name, "iat": 1_700_000_000, "exp": 4_000_000_000}
    parts = ({"alg": "RS256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))


TOKEN = service_account_token("provisioner")
"""The one token that `FakeKube` vouches for."""


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = now
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class FakeKube:
    """Remembers what it was asked; drains are refused for the nodes in `stuck`."""

    spec: ClusterSpec
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    removed: list[tuple[str, float | None, bool]] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    hooks: CloudHooks | None = None
    autoscaler: AutoscalerSettings | None = None
    annotations: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    deleted: bool = False
    gate: threading.Event | None = None
    """When set, `add_node` waits for it."""
    server: str = "https://127.0.0.1:6443"
    ca_pem: bytes = b"ca"
    client_cert_pem: bytes = b"certificate"
    client_key_pem: bytes = b"key"

    def start(self, hooks: CloudHooks) -> None:
        self.hooks = hooks

    def add_node(self, node: NodeSpec) -> None:
        if self.gate is not None:
            assert self.gate.wait(30)
        self.nodes[node.name] = node

    def remove_node(self, name: str, grace_s: float | None = None, *, force: bool = True) -> None:
        self.removed.append((name, grace_s, force))
        if name in self.stuck and not force:
            raise DrainRefused(name, ["default/pod"])
        self.nodes.pop(name, None)

    def review_token(self, token: str, audiences: tuple[str, ...] = ()) -> ServiceAccountRef | None:  # noqa: ARG002 - the fake's token has none
        return ServiceAccountRef("rightsize-system", "provisioner", "uid") if token == TOKEN else None

    def annotations_of(self, namespace: str, service_account: str) -> Mapping[str, str] | None:
        return self.annotations.get((namespace, service_account))

    def set_autoscaler(self, settings: AutoscalerSettings | None) -> None:
        self.autoscaler = settings

    def delete(self) -> None:
        self.deleted = True


@cache
def _key() -> keys.ApiKey:
    """One for all tests: no test is about it, and making one takes a while."""
    return keys.generate()


class Client:
    """The SDK's clients of the account's user."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.key = _key()

    def engine(self, **options: Any) -> Any:
        return self._client(oci.container_engine.ContainerEngineClient, **options)

    def network(self) -> Any:
        return self._client(oci.core.VirtualNetworkClient)

    def identity(self) -> Any:
        return self._client(oci.identity.IdentityClient)

    def finished(self, response: Any) -> Any:
        """The work request of an answer, when it has finished."""
        engine = self.engine()
        request_id = response.headers["opc-work-request-id"]

        def ask() -> Any:
            found = engine.get_work_request(request_id).data
            return found if found.status in FINISHED else None

        return until(f"work request {request_id} has finished", ask, 30)

    def succeeded(self, response: Any) -> str:
        """The id of the first resource of a work request that has succeeded."""
        request = self.finished(response)
        errors = self.engine().list_work_request_errors(account.COMPARTMENT, request.id).data
        assert request.status == "SUCCEEDED", errors
        return str(request.resources[0].identifier)

    def _client(self, kind: Any, **options: Any) -> Any:
        config = {
            "user": account.USER,
            "tenancy": account.TENANCY,
            "fingerprint": self.key.fingerprint,
            "region": account.REGION,
            "key_content": self.key.private_pem,
        }
        config = {} if "signer" in options else config
        return kind(
            config, service_endpoint=self.endpoint, retry_strategy=oci.retry.NoneRetryStrategy(), **options
        )


class Oracle(Client):
    """The cloud with its clients and what a test needs to look inside."""

    def __init__(self, home: Path) -> None:
        super().__init__("")
        self.clock = FakeClock()
        self.kubes: list[FakeKube] = []
        self.failure: str | None = None
        self.published: list[str] = []
        machine = Machine(
            make_kube=self._make_kube,
            clusters_home=home / "clusters",
            account_home=home / "account",
            on_context=lambda cluster: self.published.append(cluster.context),
            off_context=self._unpublish,
        )
        self.region = Region(machine, self.clock, seed="test")
        self.world = self.region.world

    def _make_kube(self, spec: ClusterSpec) -> FakeKube:
        if self.failure is not None:
            raise ClusterFailed(self.failure)
        kube = FakeKube(spec)
        self.kubes.append(kube)
        return kube

    def _unpublish(self, cluster: Published) -> None:
        if cluster.context in self.published:
            self.published.remove(cluster.context)


@contextmanager
def running_oracle(home: Path) -> Iterator[Oracle]:
    """The cloud, served for the time of a test."""
    oracle = Oracle(home)
    apis = Server(oracle.world, oracle.region.tokens)
    config = uvicorn.Config(
        Starlette(routes=[*apis.routes(), *apis.fallbacks()]),
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until("the server listens", lambda: server.started and server.servers)
    oracle.endpoint = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield oracle
    finally:
        server.should_exit = True
        thread.join(10)
        oracle.world.work.join(10)
        oracle.region.close()


@dataclass(frozen=True)
class Ground:
    """A network to build clusters on."""

    vcn: str
    subnet: str
    pods: str
    group: str


def ground(oracle: Client) -> Ground:
    """A VCN with a subnet for nodes and one for pods, and a security group."""
    models = oci.core.models
    network = oracle.network()
    vcn = network.create_vcn(
        models.CreateVcnDetails(compartment_id=account.COMPARTMENT, cidr_blocks=["10.0.0.0/16"])
    ).data.id
    shared = {"compartment_id": account.COMPARTMENT, "vcn_id": vcn}
    nodes = network.create_subnet(models.CreateSubnetDetails(cidr_block="10.0.1.0/24", **shared)).data.id
    pods = network.create_subnet(models.CreateSubnetDetails(cidr_block="10.0.32.0/19", **shared)).data.id
    group = network.create_network_security_group(models.CreateNetworkSecurityGroupDetails(**shared)).data.id
    return Ground(vcn, nodes, pods, group)


def cluster_details(place: Ground, **changes: Any) -> Any:
    """An enhanced cluster with VCN-native pods at the demonstration's pace."""
    models = oci.container_engine.models
    values: dict[str, Any] = {
        "name": "oke-right-sized",
        "compartment_id": account.COMPARTMENT,
        "vcn_id": place.vcn,
        "kubernetes_version": VERSION,
        "type": "ENHANCED_CLUSTER",
        "cluster_pod_network_options": [models.OciVcnIpNativeClusterPodNetworkOptionDetails()],
        "endpoint_config": models.CreateClusterEndpointConfigDetails(
            subnet_id=place.subnet, is_public_ip_enabled=True
        ),
        "freeform_tags": {"rightsize-stack": "oke-right-sized", "rightsize-timing": "demo"},
    }
    return models.CreateClusterDetails(**{**values, **changes})


def image(oracle: Client, arch: str = "aarch64", version: str = VERSION) -> str:
    """The node image whose name has all that; `arch` is aarch64, GPU, or empty for plain x86."""
    sources = oracle.engine().get_node_pool_options("all").data.sources
    marks = {"aarch64", "GPU"}
    for source in sources:
        name = source.source_name
        found = next((mark for mark in marks if mark in name), "")
        if f"OKE-{version.removeprefix('v')}-" in name and found == arch:
            return str(source.image_id)
    raise AssertionError(f"no image for {arch} {version}")


def pool_details(oracle: Client, place: Ground, cluster: str, **changes: Any) -> Any:
    """A pool of one A1 node with 2 OCPU and 8 GB."""
    models = oci.container_engine.models
    size = changes.pop("size", 1)
    placements = changes.pop("placements", None) or [
        models.NodePoolPlacementConfigDetails(
            availability_domain=account.AVAILABILITY_DOMAINS[0], subnet_id=place.subnet
        )
    ]
    pod_network = changes.pop("pod_network", None) or models.OciVcnIpNativeNodePoolPodNetworkOptionDetails(
        pod_subnet_ids=[place.pods]
    )
    values: dict[str, Any] = {
        "compartment_id": account.COMPARTMENT,
        "cluster_id": cluster,
        "name": "pool",
        "kubernetes_version": VERSION,
        "node_shape": "VM.Standard.A1.Flex",
        "node_shape_config": models.CreateNodeShapeConfigDetails(ocpus=2, memory_in_gbs=8),
        "node_source_details": models.NodeSourceViaImageDetails(
            image_id=changes.pop("image_id", None) or image(oracle)
        ),
        "node_config_details": models.CreateNodePoolNodeConfigDetails(
            size=size,
            placement_configs=placements,
            nsg_ids=[place.group],
            node_pool_pod_network_option_details=pod_network,
        ),
    }
    return models.CreateNodePoolDetails(**{**values, **changes})
