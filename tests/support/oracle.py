"""The emulated Oracle cloud on a loopback port, called by the real SDK; Kubernetes is a fake."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import oci

from emulator import keys
from emulator.injection import Injection
from emulator.oci import account
from emulator.oci.cloud import OracleCloud
from emulator.oci.server import Server
from tests.support.fake_kube import FakeClock, FakeComputer, FakeKube
from tests.support.loopback import serving
from tests.support.until import until

VERSION = "v1.36.3"
FINISHED = ("SUCCEEDED", "FAILED")


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

    def artifacts(self) -> Any:
        return self._client(oci.artifacts.ArtifactsClient)

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
        self.computer = FakeComputer(home)
        self.cloud = OracleCloud(self.computer.machine, self.clock, seed="test")
        self.region = self.cloud.region
        self.world = self.region.world
        self.faults = self.computer.machine.faults

    @property
    def kubes(self) -> list[FakeKube]:
        """Kubernetes sides, oldest first."""
        return self.computer.kubes

    def injection(self) -> Injection:
        return Injection([self.cloud], self.faults, self.clock)


@contextmanager
def running_oracle(home: Path) -> Iterator[Oracle]:
    """The cloud, served for the time of a test."""
    oracle = Oracle(home)
    apis = Server(oracle.world, oracle.region.tokens)
    with serving([*apis.routes(), *apis.fallbacks()]) as oracle.endpoint:
        yield oracle
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
