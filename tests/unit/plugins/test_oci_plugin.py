"""The `oci` plugin against the emulated cloud's real HTTP API, Kubernetes being a fake."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.oci import account
from emulator.oci.images import IMAGES
from emulator.plugins.oci.api import OracleApi
from emulator.plugins.oci.plugin import HANDLERS, OciProvider
from emulator.plugins.provider import Change, InitFailed, Made, Refused, Request
from emulator.plugins.rest.api import Unreachable
from tests.support import sdk_types
from tests.support.oracle import Oracle, running_oracle
from tests.support.until import until

VCN = "oci:Core/vcn:Vcn"
SUBNET = "oci:Core/subnet:Subnet"
GROUP = "oci:Core/networkSecurityGroup:NetworkSecurityGroup"
RULE = "oci:Core/networkSecurityGroupSecurityRule:NetworkSecurityGroupSecurityRule"
INTERNET = "oci:Core/internetGateway:InternetGateway"
NAT = "oci:Core/natGateway:NatGateway"
SERVICE = "oci:Core/serviceGateway:ServiceGateway"
ROUTES = "oci:Core/routeTable:RouteTable"
SECURITY_LIST = "oci:Core/securityList:SecurityList"
POLICY = "oci:Identity/policy:Policy"
REPOSITORY = "oci:Artifacts/containerRepository:ContainerRepository"
CLUSTER = "oci:ContainerEngine/cluster:Cluster"
POOL = "oci:ContainerEngine/nodePool:NodePool"
ADDON = "oci:ContainerEngine/addon:Addon"
Inputs = dict[str, Any]


class Stack:
    """Makes resources as the engine would have the plugin make them."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.provider = OciProvider(OracleApi(lambda: oracle.endpoint))

    def create(self, token: str, **inputs: Any) -> Made:
        return self.provider.create(self.request(token), inputs)

    def request(self, token: str, resource_id: str = "", **options: Any) -> Request:
        return Request(token=token, name="one", id=resource_id, **options)

    def inputs(self, token: str) -> Inputs:
        """Inputs of a resource, with what it stands on made already."""
        place = {"compartmentId": account.COMPARTMENT}
        if token == VCN:
            return {**place, "cidrBlocks": ["10.0.0.0/16"], "dnsLabel": "rightsize", "displayName": "net"}
        if token == POLICY:
            return {**place, "name": "p", "description": "d", "statements": [STATEMENT]}
        if token == REPOSITORY:
            return {**place, "displayName": "one/rightsize/serving", "isPublic": False}
        if token in {CLUSTER, POOL, ADDON}:
            return self._engine_inputs(token)
        if token == RULE:
            return {
                "networkSecurityGroupId": self.create(GROUP, **self.inputs(GROUP)).id,
                "direction": "INGRESS",
                "protocol": "6",
                "source": "10.0.0.0/16",
                "sourceType": "CIDR_BLOCK",
                "stateless": False,
                "tcpOptions": {"destinationPortRange": {"min": 6443, "max": 6443}},
            }
        place["vcnId"] = self.create(VCN, **self.inputs(VCN)).id
        more: dict[str, Inputs] = {
            SUBNET: {"cidrBlock": "10.0.1.0/24", "dnsLabel": "workers", "prohibitPublicIpOnVnic": True},
            INTERNET: {"enabled": True, "displayName": "internet"},
            SERVICE: {"services": [{"serviceId": self._service()}]},
            ROUTES: {"routeRules": []},
        }
        if token == ROUTES:
            gateway = self.create(NAT, **place).id
            more[ROUTES] = {"routeRules": [{**ANYWHERE, "networkEntityId": gateway}]}
        return {**place, **more.get(token, {})}

    def cluster(self) -> str:
        return self.create(CLUSTER, **self.inputs(CLUSTER)).id

    def _service(self) -> str:
        services = self.provider.invoke("oci:Core/getServices:getServices", {})["services"]
        return str(services[0]["id"])

    def _engine_inputs(self, token: str) -> Inputs:
        if token == CLUSTER:
            subnet = self.create(SUBNET, **self.inputs(SUBNET))
            return {
                "compartmentId": account.COMPARTMENT,
                "vcnId": subnet.outputs["vcnId"],
                "name": "c",
                "kubernetesVersion": "v1.36.3",
                "type": "ENHANCED_CLUSTER",
                "clusterPodNetworkOptions": [{"cniType": "OCI_VCN_IP_NATIVE"}],
                "endpointConfig": {"subnetId": subnet.id, "isPublicIpEnabled": False},
                "options": {"kubernetesNetworkConfig": {"servicesCidr": "10.96.0.0/16"}},
                "freeformTags": {"rightsize-stack": "s", "rightsize-timing": "demo"},
            }
        cluster = self.create(CLUSTER, **self.inputs(CLUSTER))
        if token == ADDON:
            return {"addonName": "CertManager", "clusterId": cluster.id, "removeAddonResourcesOnDelete": True}
        subnet = cluster.outputs["endpointConfig"]["subnetId"]
        return {
            "compartmentId": account.COMPARTMENT,
            "clusterId": cluster.id,
            "name": "pool",
            "kubernetesVersion": "v1.36.3",
            "nodeShape": "VM.Standard.A1.Flex",
            "nodeShapeConfig": {"ocpus": 2, "memoryInGbs": 8},
            "nodeSourceDetails": {"sourceType": "IMAGE", "imageId": ARM_IMAGE, "bootVolumeSizeInGbs": "50"},
            "initialNodeLabels": [{"key": "a", "value": "b"}],
            "nodeConfigDetails": {
                "size": 1,
                "placementConfigs": [
                    {"availabilityDomain": account.AVAILABILITY_DOMAINS[0], "subnetId": subnet}
                ],
                "nodePoolPodNetworkOptionDetails": {"cniType": "OCI_VCN_IP_NATIVE", "podSubnetIds": [subnet]},
            },
        }


STATEMENT = f"Allow any-user to read clusters in compartment id {account.COMPARTMENT}"
ANYWHERE = {"destination": "0.0.0.0/0", "destinationType": "CIDR_BLOCK"}
ARM_IMAGE = next(
    image.id for image in IMAGES if (image.arch, image.kubernetes_version) == ("arm64", "v1.36.3")
)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running_oracle(tmp_path) as oracle:
        yield Stack(oracle)


@pytest.mark.parametrize("token", HANDLERS)
def test_a_resource_lives_from_creation_to_deletion(stack: Stack, token: str) -> None:
    inputs = stack.inputs(token)
    made = stack.create(token, **inputs)
    found = stack.provider.read(stack.request(token, made.id), inputs, made.outputs)
    assert found is not None
    assert found.inputs == inputs, "nothing has drifted"
    assert found.outputs == made.outputs
    stack.provider.delete(stack.request(token, made.id), inputs, made.outputs)
    assert stack.provider.read(stack.request(token, made.id), inputs, made.outputs) is None
    stack.provider.delete(stack.request(token, made.id), inputs, made.outputs)


@pytest.mark.parametrize("token", HANDLERS)
def test_every_output_is_a_property_of_the_sdk(stack: Stack, token: str) -> None:
    outputs = stack.create(token, **stack.inputs(token)).outputs
    assert sdk_types.faults_of(outputs, sdk_types.output_properties(token)) == []


def test_a_preview_makes_nothing(stack: Stack) -> None:
    made = stack.provider.create(stack.request(VCN, preview=True), stack.inputs(VCN))
    assert made.id == ""
    assert not list(stack.oracle.network().list_vcns(account.COMPARTMENT).data)


def test_a_missing_name_is_made_up_once_and_kept(stack: Stack) -> None:
    request = stack.request(POLICY)
    first = stack.provider.check(request, {}, {"description": "d"}, b"seed").inputs
    assert first["name"].startswith("one-")
    assert (
        stack.provider.check(request, first, {"description": "e"}, b"other").inputs["name"] == first["name"]
    )
    assert stack.provider.check(request, first, {"name": "mine"}, b"other").inputs["name"] == "mine"


@pytest.mark.parametrize(
    ("token", "before", "after", "replaces"),
    [
        (VCN, {"displayName": "a"}, {"displayName": "b"}, False),
        (VCN, {"dnsLabel": "a"}, {"dnsLabel": "b"}, True),
        (CLUSTER, {"endpointConfig": {"subnetId": "a"}}, {"endpointConfig": {"subnetId": "b"}}, True),
        (CLUSTER, {"kubernetesVersion": "v1.35.0"}, {"kubernetesVersion": "v1.36.3"}, False),
        (POOL, {"nodeConfigDetails": {"size": 1}}, {"nodeConfigDetails": {"size": 2}}, False),
        (POOL, {"clusterId": "a"}, {"clusterId": "b"}, True),
        (ADDON, {"addonName": "a"}, {"addonName": "b"}, True),
    ],
)
def test_some_changes_need_another_resource(
    stack: Stack, token: str, before: Inputs, after: Inputs, replaces: bool
) -> None:
    difference = stack.provider.diff(stack.request(token, "id"), Change({}, before, after))
    assert difference.changes
    assert difference.replaces == replaces


def test_a_policy_of_the_same_name_goes_before_its_replacement_comes(stack: Stack) -> None:
    change = Change({}, {"name": "p", "compartmentId": "a"}, {"name": "p", "compartmentId": "b"})
    assert stack.provider.diff(stack.request(POLICY, "id"), change).delete_before_replace


def test_an_ignored_size_that_an_autoscaler_changed_is_left_alone(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    made = stack.create(POOL, **inputs)
    stack.provider.update(
        stack.request(POOL, made.id),
        Change(made.outputs, inputs, _with_size(inputs, 3)),
    )
    # The program still says 1 and ignores it; it wants other security groups.
    change = Change(
        made.outputs, inputs, {**inputs, "initialNodeLabels": []}, ignored=("nodeConfigDetails.size",)
    )
    outputs = stack.provider.update(stack.request(POOL, made.id), change)
    assert outputs["nodeConfigDetails"]["size"] == 3
    assert len(outputs["nodes"]) == 3
    assert outputs["initialNodeLabels"] == []


def test_a_cluster_that_fails_to_come_up_is_not_forgotten(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    stack.oracle.computer.failure = "no ports left"
    with pytest.raises(InitFailed, match="no ports left") as caught:
        stack.create(CLUSTER, **inputs)
    assert caught.value.made.id in stack.oracle.world.clusters
    stack.provider.delete(stack.request(CLUSTER, caught.value.made.id), inputs, {})


def test_a_pool_whose_creation_is_cancelled_is_not_forgotten(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    gate = stack.oracle.kubes[0].gate = threading.Event()
    cancelled = threading.Event()
    request = stack.request(POOL, cancelled=cancelled)

    def cancel() -> None:
        until("a pool is there", lambda: stack.oracle.world.pools)
        cancelled.set()

    until_asked = threading.Thread(target=cancel)
    until_asked.start()
    with pytest.raises(InitFailed, match="cancelled") as caught:
        stack.provider.create(request, inputs)
    gate.set()
    until_asked.join()
    assert caught.value.made.id in stack.oracle.world.pools
    stack.provider.delete(stack.request(POOL, caught.value.made.id), inputs, {})


def test_a_subnet_in_use_is_deleted_as_soon_as_it_is_free(stack: Stack) -> None:
    pool_inputs = stack.inputs(POOL)
    pool = stack.create(POOL, **pool_inputs)
    subnet = pool_inputs["nodeConfigDetails"]["placementConfigs"][0]["subnetId"]
    with pytest.raises(Refused, match="uses it"):
        stack.provider.delete(stack.request(SUBNET, subnet, timeout_s=0.01), {}, {"vcnId": "v"})
    stack.provider.delete(stack.request(POOL, pool.id), pool_inputs, {})
    stack.provider.delete(stack.request(CLUSTER, pool_inputs["clusterId"]), {"name": "c"}, {})
    stack.provider.delete(stack.request(SUBNET, subnet), {}, {"vcnId": "v"})


def test_what_the_api_refuses_is_said_in_its_words(stack: Stack) -> None:
    with pytest.raises(Refused, match=r"InvalidParameter: .*compartmentId: required"):
        stack.create(VCN, cidrBlocks=["10.0.0.0/16"])


def test_a_kubeconfig_names_a_command_and_no_credential(stack: Stack) -> None:
    cluster = stack.cluster()
    content = stack.provider.invoke(
        "oci:ContainerEngine/getClusterKubeConfig:getClusterKubeConfig",
        {"clusterId": cluster, "tokenVersion": "2.0.0", "endpoint": "PUBLIC_ENDPOINT"},
    )["content"]
    assert "generate-token" in content
    assert cluster in content


@pytest.mark.parametrize(
    ("token", "args"),
    [
        ("oci:Core/getServices:getServices", {}),
        (
            "oci:Identity/getAvailabilityDomains:getAvailabilityDomains",
            {"compartmentId": account.COMPARTMENT},
        ),
        ("oci:ContainerEngine/getClusterOption:getClusterOption", {"clusterOptionId": "all"}),
        ("oci:ContainerEngine/getNodePoolOption:getNodePoolOption", {"nodePoolOptionId": "all"}),
    ],
)
def test_a_function_returns_what_the_sdk_knows(stack: Stack, token: str, args: Inputs) -> None:
    result = stack.provider.invoke(token, args)
    assert sdk_types.faults_of(result, sdk_types.result_properties(token)) == []


def test_unknown_resources_and_functions_are_named(stack: Stack) -> None:
    with pytest.raises(Refused, match=r"oci:Core/drg:Drg: .* has no such resource"):
        stack.create("oci:Core/drg:Drg")
    with pytest.raises(Refused, match=r"getDrg: .* has no such function"):
        stack.provider.invoke("oci:Core/getDrg:getDrg", {})


def test_a_cloud_that_does_not_run_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMULATOR_HOME", str(tmp_path))
    with pytest.raises(Refused, match=r"not running; start it with `python -m emulator start`"):
        OciProvider().create(Request(token=VCN, name="one"), {"compartmentId": account.COMPARTMENT})
    with pytest.raises(Unreachable, match="does not answer"):
        OracleApi(lambda: "http://127.0.0.1:1").get("/")


def _with_size(inputs: Inputs, size: int) -> Inputs:
    return {**inputs, "nodeConfigDetails": {**inputs["nodeConfigDetails"], "size": size}}
