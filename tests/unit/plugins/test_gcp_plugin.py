"""The `gcp` plugin against the emulated cloud's real HTTP API, Kubernetes being a fake."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.gcp.account import PROJECT, REGION
from emulator.plugins.gcp.api import GoogleApi
from emulator.plugins.gcp.plugin import HANDLERS, GcpProvider
from emulator.plugins.model import FUNCTIONS, invoke_of
from emulator.plugins.provider import Change, InitFailed, Made, Refused, Request, StatusLine
from emulator.plugins.values import UNKNOWN
from tests.support import sdk_types
from tests.support.google_cloud import Google, running_google
from tests.support.until import until

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"

ZONE = f"{REGION}-a"
HERE = {"project": PROJECT}
IN_REGION = {**HERE, "region": REGION}
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
TAINT = {"key": "rightsize.io/role", "value": "inference", "effect": "NO_SCHEDULE"}
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
T4 = {
    "type": "nvidia-tesla-t4",
    "count": 1,
    "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
}
GPUS = {"machineType": "n1-standard-2", "guestAccelerators": [T4], "taints": [TAINT, GPU_TAINT]}
Inputs = dict[str, Any]


class Stack:
    """Makes resources as the engine would have the plugin make them."""

    def __init__(self, google: Google) -> None:
        self.google = google
        self.provider = GcpProvider(GoogleApi(lambda: google.endpoint))

    def create(self, token: str, **inputs: Any) -> Made:
        return self.provider.create(self.request(token), inputs)

    def request(self, token: str, resource_id: str = "", **options: Any) -> Request:
        return Request(token=token, name="one", id=resource_id, **options)

    def update(self, token: str, made: Made, old: Inputs, new: Inputs, *ignored: str) -> Inputs:
        change = Change(made.outputs, old, new, ignored)
        return self.provider.update(self.request(token, made.id), change)

    def delete(self, token: str, made: Made, inputs: Inputs) -> None:
        self.provider.delete(self.request(token, made.id), inputs, made.outputs)

    def read(self, token: str, made: Made, inputs: Inputs) -> Inputs | None:
        """What the program would have had to say."""
        found = self.provider.read(self.request(token, made.id), inputs, made.outputs)
        return None if found is None else found.inputs

    def inputs(self, token: str, **changes: Any) -> Inputs:
        """Inputs of a resource as the components give them, with what it stands on made already."""
        return {**_INPUTS[token](self), **changes}

    def network(self) -> Inputs:
        return {**HERE, "name": "net", "autoCreateSubnetworks": False, "routingMode": "REGIONAL"}

    def subnetwork(self) -> Inputs:
        return {
            **IN_REGION,
            "name": "sub",
            "network": self.create(NETWORK, **self.network()).id,
            "ipCidrRange": "10.0.0.0/22",
            "secondaryIpRanges": [
                {"rangeName": "pods", "ipCidrRange": "10.8.0.0/14"},
                {"rangeName": "services", "ipCidrRange": "10.12.0.0/20"},
            ],
            "privateIpGoogleAccess": True,
        }

    def router(self) -> Inputs:
        return {**IN_REGION, "name": "router", "network": self.create(NETWORK, **self.network()).id}

    def nat(self) -> Inputs:
        subnetwork = self.create(SUBNETWORK, **self.subnetwork())
        router = {**IN_REGION, "name": "router", "network": "net"}
        return {
            **IN_REGION,
            "name": "nat",
            "router": self.create(ROUTER, **router).outputs["name"],
            "natIpAllocateOption": "AUTO_ONLY",
            "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS",
            "subnetworks": [{"name": subnetwork.id, "sourceIpRangesToNats": ["ALL_IP_RANGES"]}],
        }

    def account(self) -> Inputs:
        return {**HERE, "accountId": "the-nodes", "displayName": "Nodes of one"}

    def account_member(self) -> Inputs:
        account = self.create(ACCOUNT, **self.account())
        return {
            "serviceAccountId": account.outputs["name"],
            "role": "roles/iam.serviceAccountUser",
            "member": account.outputs["member"],
        }

    def project_member(self) -> Inputs:
        role = self.create(ROLE, **self.role()).outputs["name"]
        member = self.create(ACCOUNT, **self.account()).outputs["member"]
        return {**HERE, "role": role, "member": member}

    def role(self) -> Inputs:
        return {
            **HERE,
            "roleId": "one_provisioner",
            "title": "Provisioner of one",
            "description": "Adds and removes nodes",
            "permissions": ["container.clusters.update", "container.clusters.get"],
        }

    def repository(self) -> Inputs:
        return {
            **HERE,
            "location": REGION,
            "repositoryId": "one",
            "format": "DOCKER",
            "description": "Images of one",
        }

    def cluster(self) -> Inputs:
        subnetwork = self.create(SUBNETWORK, **self.subnetwork())
        return {
            **HERE,
            "name": "gke",
            "location": ZONE,
            "deletionProtection": False,
            "initialNodeCount": 1,
            "removeDefaultNodePool": True,
            "network": subnetwork.outputs["network"],
            "subnetwork": subnetwork.id,
            "networkingMode": "VPC_NATIVE",
            "datapathProvider": "ADVANCED_DATAPATH",
            "ipAllocationPolicy": {
                "clusterSecondaryRangeName": "pods",
                "servicesSecondaryRangeName": "services",
            },
            "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
            "masterAuthorizedNetworksConfig": {
                "cidrBlocks": [{"cidrBlock": "192.0.2.0/24", "displayName": "office"}],
                "gcpPublicCidrsAccessEnabled": False,
            },
            "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": False}},
            "releaseChannel": {"channel": "REGULAR"},
            "workloadIdentityConfig": {"workloadPool": f"{PROJECT}.svc.id.goog"},
            "costManagementConfig": {"enabled": True},
            "enableShieldedNodes": True,
            "clusterAutoscaling": {"enabled": False, "autoscalingProfile": "OPTIMIZE_UTILIZATION"},
            "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
            "monitoringConfig": {
                "enableComponents": ["SYSTEM_COMPONENTS"],
                "managedPrometheus": {"enabled": False},
            },
            "nodeConfig": {"oauthScopes": SCOPES, "shieldedInstanceConfig": {"enableSecureBoot": True}},
            "resourceLabels": {"rightsize-stack": "gke", "rightsize-timing": "demo"},
        }

    def pool(self) -> Inputs:
        cluster = self.create(CLUSTER, **self.cluster())
        account = self.create(ACCOUNT, **self.account())
        return {
            **HERE,
            "name": "management",
            "location": ZONE,
            "cluster": cluster.outputs["name"],
            "nodeCount": 2,
            "nodeLocations": [ZONE],
            "management": {"autoRepair": True, "autoUpgrade": True},
            "upgradeSettings": {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0},
            "nodeConfig": {
                "machineType": "t2a-standard-2",
                "imageType": "COS_CONTAINERD",
                "diskType": "pd-balanced",
                "diskSizeGb": 50,
                "labels": {"rightsize.io/role": "management"},
                "taintConfig": {"architectureTaintBehavior": "NONE"},
                "serviceAccount": account.outputs["email"],
                "oauthScopes": SCOPES,
                "metadata": {"disable-legacy-endpoints": "true"},
                "workloadMetadataConfig": {"mode": "GKE_METADATA"},
                "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
            },
        }

    def gpu_pool(self, **changes: Any) -> Inputs:
        """One whose size belongs to the cloud's autoscaler."""
        inputs = self.pool()
        del inputs["nodeCount"]
        return {
            **inputs,
            "name": "gpu-autoscaled",
            "initialNodeCount": 0,
            "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 3, "locationPolicy": "ANY"},
            "nodeConfig": GPUS,
            **changes,
        }


_INPUTS = {
    NETWORK: Stack.network,
    SUBNETWORK: Stack.subnetwork,
    ROUTER: Stack.router,
    NAT: Stack.nat,
    ACCOUNT: Stack.account,
    ACCOUNT_MEMBER: Stack.account_member,
    PROJECT_MEMBER: Stack.project_member,
    ROLE: Stack.role,
    REPOSITORY: Stack.repository,
    CLUSTER: Stack.cluster,
    POOL: Stack.pool,
}
IDS = {
    NETWORK: f"projects/{PROJECT}/global/networks/net",
    SUBNETWORK: f"projects/{PROJECT}/regions/{REGION}/subnetworks/sub",
    ROUTER: f"projects/{PROJECT}/regions/{REGION}/routers/router",
    NAT: f"{PROJECT}/{REGION}/router/nat",
    ACCOUNT: f"projects/{PROJECT}/serviceAccounts/the-nodes@{PROJECT}.iam.gserviceaccount.com",
    ACCOUNT_MEMBER: (
        f"projects/{PROJECT}/serviceAccounts/the-nodes@{PROJECT}.iam.gserviceaccount.com/"
        f"roles/iam.serviceAccountUser/serviceAccount:the-nodes@{PROJECT}.iam.gserviceaccount.com"
    ),
    PROJECT_MEMBER: (
        f"{PROJECT}/projects/{PROJECT}/roles/one_provisioner/"
        f"serviceAccount:the-nodes@{PROJECT}.iam.gserviceaccount.com"
    ),
    ROLE: f"projects/{PROJECT}/roles/one_provisioner",
    REPOSITORY: f"projects/{PROJECT}/locations/{REGION}/repositories/one",
    CLUSTER: f"projects/{PROJECT}/locations/{ZONE}/clusters/gke",
    POOL: f"projects/{PROJECT}/locations/{ZONE}/clusters/gke/nodePools/management",
}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running_google(tmp_path) as google:
        yield Stack(google)


@pytest.mark.parametrize("token", HANDLERS)
def test_a_resource_lives_from_creation_to_deletion(stack: Stack, token: str) -> None:
    inputs = stack.inputs(token)
    assert stack.provider.check(stack.request(token), {}, inputs, b"seed").faults == ()
    made = stack.create(token, **inputs)
    assert made.id == IDS[token], "as the official provider forms it"
    found = stack.provider.read(stack.request(token, made.id), inputs, made.outputs)
    assert found is not None
    assert found.inputs == inputs, "nothing has drifted"
    assert found.outputs == made.outputs
    stack.delete(token, made, inputs)
    assert stack.read(token, made, inputs) is None
    stack.delete(token, made, inputs)


@pytest.mark.parametrize("token", HANDLERS)
def test_every_output_is_a_property_of_the_sdk(stack: Stack, token: str) -> None:
    outputs = stack.create(token, **stack.inputs(token)).outputs
    assert sdk_types.faults_of(outputs, sdk_types.output_properties(token)) == []


def test_a_preview_makes_nothing(stack: Stack) -> None:
    made = stack.provider.create(stack.request(NETWORK, preview=True), stack.inputs(NETWORK))
    assert made.id == ""
    with pytest.raises(Refused, match="was not found"):
        stack.provider.invoke("gcp:compute/getNetwork:getNetwork", {**HERE, "name": "net"})


def test_a_missing_name_is_made_up_once_in_lower_case_and_kept(stack: Stack) -> None:
    request = Request(token=POOL, name="GPUs")
    first = stack.provider.check(request, {}, {"cluster": "c"}, b"seed").inputs
    assert first["name"].startswith("gpus-")
    again = stack.provider.check(request, first, {"cluster": "d"}, b"other").inputs
    assert again["name"] == first["name"]
    assert not stack.provider.diff(request, Change({}, first, again)).delete_before_replace


@pytest.mark.parametrize(
    ("token", "before", "after", "replaces"),
    [
        (NETWORK, {"routingMode": "REGIONAL"}, {"routingMode": "GLOBAL"}, False),
        (NETWORK, {"autoCreateSubnetworks": False}, {"autoCreateSubnetworks": True}, True),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/22"}, {"ipCidrRange": "10.0.0.0/20"}, False),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/22"}, {"ipCidrRange": "10.0.0.0/24"}, True),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/22"}, {"ipCidrRange": UNKNOWN}, True),
        (SUBNETWORK, {"network": "a"}, {"network": UNKNOWN}, True),
        (NAT, {"minPortsPerVm": 64}, {"minPortsPerVm": 128}, False),
        (NAT, {"router": "a"}, {"router": "b"}, True),
        (ACCOUNT, {"displayName": "a"}, {"displayName": "b"}, False),
        (ACCOUNT, {"accountId": "a"}, {"accountId": "b"}, True),
        (PROJECT_MEMBER, {"role": "a"}, {"role": "b"}, True),
        (ACCOUNT_MEMBER, {"member": "a"}, {"member": "b"}, True),
        (ROLE, {"permissions": ["a"]}, {"permissions": ["b"]}, False),
        (REPOSITORY, {"description": "a"}, {"description": "b"}, False),
        (REPOSITORY, {"location": "a"}, {"location": "b"}, True),
        (ROLE, {"roleId": "a"}, {"roleId": "b"}, True),
        (CLUSTER, {"releaseChannel": {"channel": "RAPID"}}, {"releaseChannel": {"channel": "STABLE"}}, False),
        (CLUSTER, {"resourceLabels": {"a": "b"}}, {"resourceLabels": {"a": "c"}}, False),
        (CLUSTER, {"location": ZONE}, {"location": REGION}, True),
        (CLUSTER, {"network": "a"}, {"network": "b"}, True),
        (CLUSTER, {"datapathProvider": "LEGACY_DATAPATH"}, {"datapathProvider": "ADVANCED_DATAPATH"}, True),
        (POOL, {"nodeCount": 1}, {"nodeCount": 2}, False),
        (POOL, {"nodeConfig": {"labels": {"a": "b"}}}, {"nodeConfig": {"labels": {"a": "c"}}}, False),
        (POOL, {"nodeConfig": {"taints": [TAINT]}}, {"nodeConfig": {"taints": []}}, False),
        (POOL, {"nodeConfig": {"machineType": "a"}}, {"nodeConfig": {"machineType": "b"}}, False),
        (POOL, {"nodeConfig": {"guestAccelerators": [T4]}}, {"nodeConfig": {"guestAccelerators": []}}, True),
        (POOL, {"nodeConfig": {"serviceAccount": "a"}}, {"nodeConfig": {"serviceAccount": "b"}}, True),
        (POOL, {"nodeConfig": {"spot": False}}, {"nodeConfig": {"spot": True}}, True),
        (POOL, {"initialNodeCount": 1}, {"initialNodeCount": 2}, True),
        (POOL, {"cluster": "a"}, {"cluster": "b"}, True),
        (POOL, {"maxPodsPerNode": 110}, {"maxPodsPerNode": 32}, True),
    ],
)
def test_some_changes_need_another_resource(
    stack: Stack, token: str, before: Inputs, after: Inputs, replaces: bool
) -> None:
    difference = stack.provider.diff(stack.request(token, "id"), Change({}, before, after))
    assert difference.changes
    assert difference.replaces == replaces


@pytest.mark.parametrize(
    ("token", "before", "after"),
    [
        (CLUSTER, {"network": "net"}, {"network": f"projects/{PROJECT}/global/networks/net"}),
        (
            SUBNETWORK,
            {"network": f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/networks/net"},
            {"network": f"projects/{PROJECT}/global/networks/net"},
        ),
        (ROLE, {"permissions": ["a", "b"]}, {"permissions": ["b", "a"]}),
        (
            POOL,
            {"nodeConfig": {"imageType": "cos_containerd"}},
            {"nodeConfig": {"imageType": "COS_CONTAINERD"}},
        ),
    ],
)
def test_what_means_the_same_is_no_change(stack: Stack, token: str, before: Inputs, after: Inputs) -> None:
    assert stack.provider.diff(stack.request(token, "id"), Change({}, before, after)).changes == ()


def test_a_cluster_of_the_same_name_goes_before_its_replacement_comes(stack: Stack) -> None:
    change = Change({}, {"name": "gke", "network": "a"}, {"name": "gke", "network": "b"})
    assert stack.provider.diff(stack.request(CLUSTER, "id"), change).delete_before_replace


def test_an_input_that_would_not_be_heeded_is_refused_by_its_path(stack: Stack) -> None:
    inputs = {"name": "p", "cluster": "c", "nodeConfig": {"sandboxConfig": {"type": "gvisor"}}}
    checked = stack.provider.check(stack.request(POOL), {}, inputs, b"seed")
    assert checked.faults == (("nodeConfig.sandboxConfig.type", "the emulated cloud does not have it"),)


def test_two_counts_of_a_pool_exclude_each_other(stack: Stack) -> None:
    inputs = {"name": "p", "cluster": "c", "nodeCount": 1, "initialNodeCount": 1}
    checked = stack.provider.check(stack.request(POOL), {}, inputs, b"seed")
    assert [path for path, _ in checked.faults] == ["nodeCount"]


def test_a_cluster_keeps_no_default_pool_and_shows_what_a_kubeconfig_needs(stack: Stack) -> None:
    outputs = stack.create(CLUSTER, **stack.inputs(CLUSTER)).outputs
    assert stack.google.world.clusters[IDS[CLUSTER]].pools == {}
    assert outputs["endpoint"] == "127.0.0.1:6443"
    assert outputs["masterAuth"]["clusterCaCertificate"]
    assert outputs["masterVersion"].startswith("1.")
    assert outputs["initialNodeCount"] == 1


def test_a_cluster_may_keep_its_default_pool(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER, removeDefaultNodePool=False, nodeConfig={"machineType": "e2-medium"})
    stack.create(CLUSTER, **inputs)
    assert set(stack.google.world.clusters[IDS[CLUSTER]].pools) == {"default-pool"}


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({"privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True}}, ""),
        ({"minMasterVersion": "1.35"}, "127.0.0.1:6443"),
        ({"location": REGION, "nodeLocations": [f"{REGION}-b", ZONE]}, "127.0.0.1:6443"),
        ({"location": REGION}, "127.0.0.1:6443"),
        ({"nodeLocations": [f"{REGION}-b"]}, "127.0.0.1:6443"),
    ],
    ids=str,
)
def test_clusters_of_every_kind_have_not_drifted(stack: Stack, changes: Inputs, endpoint: str) -> None:
    inputs = stack.inputs(CLUSTER, **changes)
    made = stack.create(CLUSTER, **inputs)
    assert stack.read(CLUSTER, made, inputs) == inputs
    assert made.outputs["privateClusterConfig"]["publicEndpoint"] == endpoint
    assert made.outputs["emulatedVersion"] == made.outputs["masterVersion"].partition("-")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1.36"},
        {"maxPodsPerNode": 32},
        {"cluster": IDS[CLUSTER], "location": None},
        {"nodeCount": 1, "nodeLocations": [ZONE, f"{REGION}-b"]},
        {"nodeConfig": {"machineType": "n2d-standard-2", "spot": True, "tags": ["nodes"]}},
        {"nodeConfig": {"machineType": "c4a-standard-1", "diskType": "hyperdisk-balanced"}},
        {"nodeConfig": None},
    ],
    ids=str,
)
def test_pools_of_every_kind_have_not_drifted(stack: Stack, changes: Inputs) -> None:
    inputs = stack.inputs(POOL, **changes)
    inputs = {name: value for name, value in inputs.items() if value is not None}
    made = stack.create(POOL, **inputs)
    assert made.id == IDS[POOL]
    assert stack.read(POOL, made, inputs) == inputs


def test_labels_of_the_program_and_of_the_provider_are_told_apart(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    made = stack.create(CLUSTER, **inputs)
    mark = {"goog-pulumi-provisioned": "true"}
    assert made.outputs["resourceLabels"] == inputs["resourceLabels"]
    assert made.outputs["effectiveLabels"] == {**inputs["resourceLabels"], **mark}
    assert made.outputs["pulumiLabels"] == {**inputs["resourceLabels"], **mark}
    after = {**inputs, "resourceLabels": {"rightsize-stack": "other"}}
    outputs = stack.update(CLUSTER, made, inputs, after)
    assert outputs["effectiveLabels"] == {"rightsize-stack": "other", **mark}
    stack.provider.configure({}, {"gcp:config:addPulumiAttributionLabel": "false"})
    outputs = stack.update(CLUSTER, made, after, inputs)
    assert outputs["effectiveLabels"] == inputs["resourceLabels"]


@pytest.mark.parametrize(
    "changes",
    [
        {"masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "198.51.100.0/24"}]}},
        {"releaseChannel": {"channel": "RAPID"}},
        {"loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]}},
        {"monitoringConfig": {"enableComponents": [], "managedPrometheus": {"enabled": True}}},
        {"costManagementConfig": {"enabled": False}},
        {"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}}},
        {"privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True}},
        {"enableShieldedNodes": False},
        {"clusterAutoscaling": {"enabled": False, "autoscalingProfile": "BALANCED"}},
        {"deletionProtection": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_cluster_is_changed_in_place(stack: Stack, changes: Inputs) -> None:
    inputs = stack.inputs(CLUSTER)
    made = stack.create(CLUSTER, **inputs)
    after = {**inputs, **changes}
    assert not stack.provider.diff(stack.request(CLUSTER, made.id), Change({}, inputs, after)).replaces
    outputs = stack.update(CLUSTER, made, inputs, after)
    assert stack.read(CLUSTER, Made(made.id, outputs), after) == after


@pytest.mark.parametrize(
    "changes",
    [
        {"nodeCount": 3},
        {"nodeCount": 0},
        {"management": {"autoRepair": False, "autoUpgrade": True}},
        {"upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}},
        {"version": "1.35"},
        {"autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 5, "locationPolicy": "BALANCED"}},
        {"nodeLocations": [ZONE, f"{REGION}-b"]},
    ],
    ids=str,
)
def test_a_pool_is_changed_in_place(stack: Stack, changes: Inputs) -> None:
    inputs = stack.inputs(POOL)
    made = stack.create(POOL, **inputs)
    after = {**inputs, **changes}
    assert not stack.provider.diff(stack.request(POOL, made.id), Change({}, inputs, after)).replaces
    outputs = stack.update(POOL, made, inputs, after)
    assert stack.read(POOL, Made(made.id, outputs), after) == after


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": {"a": "b"}},
        {"labels": {}},
        {"taints": [TAINT]},
        {"tags": ["nodes"]},
        {"machineType": "t2a-standard-4"},
        {"diskSizeGb": 60, "diskType": "pd-ssd"},
        {"resourceLabels": {"team": "ml"}},
        {"loggingVariant": "MAX_THROUGHPUT"},
    ],
    ids=str,
)
def test_the_nodes_of_a_pool_are_changed_in_place(stack: Stack, changes: Inputs) -> None:
    inputs = stack.inputs(POOL)
    made = stack.create(POOL, **inputs)
    after = {**inputs, "nodeConfig": {**inputs["nodeConfig"], **changes}}
    assert not stack.provider.diff(stack.request(POOL, made.id), Change({}, inputs, after)).replaces
    outputs = stack.update(POOL, made, inputs, after)
    assert stack.read(POOL, Made(made.id, outputs), after) == after


@pytest.mark.parametrize(
    ("token", "changes"),
    [
        (NETWORK, {"routingMode": "GLOBAL"}),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/20"}),
        (SUBNETWORK, {"privateIpGoogleAccess": False}),
        (SUBNETWORK, {"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.8.0.0/14"}]}),
        (SUBNETWORK, {"secondaryIpRanges": []}),
        (NAT, {"minPortsPerVm": 128}),
        (ACCOUNT, {"displayName": "Others", "description": "for others"}),
        (ACCOUNT, {"disabled": True}),
        (ROLE, {"permissions": ["container.clusters.get"]}),
        (ROLE, {"title": "Another", "description": None}),
    ],
    ids=str,
)
def test_networks_and_identities_are_changed_in_place(stack: Stack, token: str, changes: Inputs) -> None:
    inputs = stack.inputs(token)
    made = stack.create(token, **inputs)
    after = {name: value for name, value in {**inputs, **changes}.items() if value is not None}
    assert not stack.provider.diff(stack.request(token, made.id), Change({}, inputs, after)).replaces
    outputs = stack.update(token, made, inputs, after)
    assert stack.read(token, Made(made.id, outputs), after) == after


def test_what_others_changed_is_found_by_a_refresh(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    made = stack.create(POOL, **inputs)
    other = {**inputs, "nodeCount": 1, "management": {"autoRepair": False, "autoUpgrade": True}}
    stack.update(POOL, made, inputs, other)
    assert stack.read(POOL, made, inputs) == other


def test_members_that_others_add_to_a_policy_are_no_drift(stack: Stack) -> None:
    inputs = stack.inputs(PROJECT_MEMBER)
    made = stack.create(PROJECT_MEMBER, **inputs)
    other = {**inputs, "role": "roles/artifactregistry.reader"}
    stack.create(PROJECT_MEMBER, **other)
    found = stack.provider.read(stack.request(PROJECT_MEMBER, made.id), inputs, made.outputs)
    assert found is not None
    assert found.outputs == made.outputs


def test_many_members_are_added_and_removed_at_once(stack: Stack) -> None:
    roles = [f"roles/{name}" for name in ("viewer", "editor", "compute.viewer", "container.viewer")]
    member = stack.create(ACCOUNT, **stack.account()).outputs["member"]
    inputs = [{**HERE, "role": role, "member": member} for role in roles]
    made = _at_once([lambda one=one: stack.create(PROJECT_MEMBER, **one) for one in inputs])
    assert all(
        stack.read(PROJECT_MEMBER, one, given) == given for one, given in zip(made, inputs, strict=True)
    )
    _at_once([lambda one=one: stack.delete(PROJECT_MEMBER, one, {}) for one in made])
    assert not any(stack.read(PROJECT_MEMBER, one, given) for one, given in zip(made, inputs, strict=True))


def test_a_deleted_role_comes_back_under_its_name(stack: Stack) -> None:
    inputs = stack.inputs(ROLE)
    made = stack.create(ROLE, **inputs)
    stack.delete(ROLE, made, inputs)
    after = {**inputs, "title": "Another"}
    again = stack.create(ROLE, **after)
    assert again.id == made.id
    assert stack.read(ROLE, again, after) == after


def test_an_account_that_is_there_is_taken_over_only_when_asked_to(stack: Stack) -> None:
    inputs = stack.inputs(ACCOUNT)
    stack.create(ACCOUNT, **inputs)
    with pytest.raises(Refused, match="ALREADY_EXISTS"):
        stack.create(ACCOUNT, **inputs)
    assert stack.create(ACCOUNT, **inputs, createIgnoreAlreadyExists=True).id == IDS[ACCOUNT]


def test_pools_wait_their_turn_at_a_busy_cluster(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    gate = stack.google.kubes[0].gate = threading.Event()
    line = _Line()
    other = {**inputs, "name": "other"}

    def first() -> Made:
        return stack.create(POOL, **inputs)

    def second() -> Made:
        return stack.provider.create(stack.request(POOL, status=line), other)

    def third() -> None:
        until("the second has heard that the cluster is busy", lambda: "ALREADY_HAS_OPERATION" in line.said)
        gate.set()

    _at_once([first, second, third])
    assert set(stack.google.world.clusters[IDS[CLUSTER]].pools) == {"management", "other"}


def test_what_goes_on_stands_on_the_line_until_it_is_done(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    gate = stack.google.kubes[0].gate = threading.Event()
    line = _Line("CREATE_NODE_POOL RUNNING", gate.set)
    stack.provider.create(stack.request(POOL, status=line), inputs)
    lines = line.said.splitlines()
    assert "" not in lines[: lines.index("CREATE_NODE_POOL RUNNING")]
    assert lines[-1] == ""


def test_a_pool_of_gpus_keeps_its_taints_beside_those_of_the_cloud(stack: Stack) -> None:
    inputs = stack.gpu_pool(nodeConfig={**GPUS, "taints": [TAINT]})
    stack.create(POOL, **{**inputs, "name": "first", "nodeConfig": {"machineType": "t2a-standard-2"}})
    made = stack.create(POOL, **inputs)
    assert made.outputs["nodeConfig"]["taints"] == [TAINT]
    assert GPU_TAINT in made.outputs["nodeConfig"]["effectiveTaints"]
    assert stack.read(POOL, made, inputs) == inputs


def test_an_autoscaled_pool_is_what_its_limits_say(stack: Stack) -> None:
    inputs = stack.gpu_pool()
    made = stack.create(POOL, **inputs)
    assert stack.read(POOL, made, inputs) == inputs
    assert made.outputs["nodeCount"] == 0
    assert made.outputs["nodeConfig"]["guestAccelerators"][0]["count"] == 1


def test_an_ignored_size_that_an_autoscaler_changed_is_left_alone(stack: Stack) -> None:
    inputs = stack.gpu_pool()
    made = stack.create(POOL, **inputs)
    pool = stack.google.world.clusters[IDS[CLUSTER]].pools["gpu-autoscaled"]
    stack.google.call("POST", f"/v1/{made.id}:setSize", {"nodeCount": 2})
    stack.google.settle()
    assert pool.size == 2
    after = {**inputs, "autoscaling": {**inputs["autoscaling"], "totalMaxNodeCount": 4}}
    outputs = stack.update(POOL, made, inputs, after, "initialNodeCount")
    assert pool.size == 2
    assert outputs["nodeCount"] == 2


@pytest.mark.parametrize("wanted", [1, 5])
def test_counts_are_left_alone_where_the_program_says_so(stack: Stack, wanted: int) -> None:
    before = {"name": "p", "nodeCount": 3, "ignoreNodeCountChanges": True}
    change = Change({}, before, {**before, "nodeCount": wanted})
    assert stack.provider.diff(stack.request(POOL, "id"), change).changes == ()


def test_a_cluster_that_fails_to_come_up_is_not_forgotten(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    stack.google.computer.failure = "no ports left"
    with pytest.raises(InitFailed, match="no ports left") as caught:
        stack.create(CLUSTER, **inputs)
    assert caught.value.made.id in stack.google.world.clusters
    stack.delete(CLUSTER, caught.value.made, inputs)
    assert not stack.google.world.clusters


def test_a_cluster_whose_creation_is_cancelled_is_finished_by_the_next_update(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    gate = stack.google.clock.gate = threading.Event()
    failed = _cancelled(stack, CLUSTER, inputs, lambda: stack.google.world.clusters)
    gate.set()
    stack.update(CLUSTER, failed.made, inputs, inputs)
    cluster = stack.google.world.clusters[failed.made.id]
    assert cluster.status == "RUNNING"
    assert cluster.pools == {}
    assert stack.read(CLUSTER, failed.made, inputs) == inputs


def test_a_pool_whose_creation_is_cancelled_is_not_forgotten(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    gate = stack.google.kubes[0].gate = threading.Event()
    failed = _cancelled(stack, POOL, inputs, lambda: stack.google.world.clusters[IDS[CLUSTER]].pools)
    gate.set()
    assert failed.made.id == IDS[POOL]
    stack.delete(POOL, failed.made, inputs)
    assert stack.google.world.clusters[IDS[CLUSTER]].pools == {}


def test_a_cluster_whose_default_pool_was_not_waited_for_is_not_forgotten(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    cancelled = threading.Event()
    request = stack.request(CLUSTER, cancelled=cancelled, status=_Line("DELETE_NODE_POOL", cancelled.set))
    with pytest.raises(InitFailed, match="cancelled") as caught:
        stack.provider.create(request, inputs)
    stack.update(CLUSTER, caught.value.made, inputs, inputs)
    assert stack.google.world.clusters[IDS[CLUSTER]].pools == {}


def test_a_pool_without_capacity_is_kept_and_says_what_it_lacks(stack: Stack) -> None:
    stack.google.world.quotas.regional["NVIDIA_T4_GPUS"] = 1
    inputs = stack.gpu_pool(initialNodeCount=2)
    with pytest.raises(InitFailed, match="NVIDIA_T4_GPUS") as caught:
        stack.create(POOL, **inputs)
    made = caught.value.made
    with pytest.raises(InitFailed, match="NVIDIA_T4_GPUS"):
        stack.update(POOL, made, inputs, inputs)
    stack.delete(POOL, made, inputs)
    assert stack.read(POOL, made, inputs) is None


def test_an_update_that_is_refused_is_tried_again_by_the_next(stack: Stack) -> None:
    inputs = stack.inputs(POOL)
    made = stack.create(POOL, **inputs)
    after = {**inputs, "nodeConfig": {**inputs["nodeConfig"], "machineType": "t2a-standard-3"}}
    with pytest.raises(Refused, match="t2a-standard-3"):
        stack.update(POOL, made, inputs, after)
    assert stack.read(POOL, made, inputs) == inputs


def test_a_protected_cluster_is_not_deleted_and_unprotected_it_is(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER, deletionProtection=True)
    made = stack.create(CLUSTER, **inputs)
    with pytest.raises(Refused, match="protected from deletion; set deletionProtection to false"):
        stack.delete(CLUSTER, made, inputs)
    del inputs["deletionProtection"]
    with pytest.raises(Refused, match="protected"):
        stack.delete(CLUSTER, Made(made.id, {}), inputs)
    stack.delete(CLUSTER, made, {**inputs, "deletionProtection": False})
    assert not stack.google.world.clusters


def test_a_deletion_policy_prevents_or_abandons(stack: Stack) -> None:
    made = stack.create(NETWORK, **stack.inputs(NETWORK))
    with pytest.raises(Refused, match="deletionPolicy is PREVENT"):
        stack.delete(NETWORK, made, {"deletionPolicy": "PREVENT"})
    stack.delete(NETWORK, made, {"deletionPolicy": "ABANDON"})
    assert stack.read(NETWORK, made, stack.network()) is not None


def test_a_subnetwork_in_use_is_deleted_as_soon_as_it_is_free(stack: Stack) -> None:
    inputs = stack.inputs(CLUSTER)
    cluster = stack.create(CLUSTER, **inputs)
    subnetwork = stack.request(SUBNETWORK, IDS[SUBNETWORK], timeout_s=0.01)
    with pytest.raises(Refused, match="already being used"):
        stack.provider.delete(subnetwork, {}, {**IN_REGION, "name": "sub"})
    stack.delete(CLUSTER, cluster, inputs)
    stack.provider.delete(subnetwork, {}, {**IN_REGION, "name": "sub"})


def test_what_the_api_refuses_is_said_in_its_words(stack: Stack) -> None:
    ranges = [{"rangeName": "pods", "ipCidrRange": "10.0.0.0/24"}]
    inputs = stack.inputs(SUBNETWORK, secondaryIpRanges=ranges)
    with pytest.raises(Refused, match=r"INVALID_ARGUMENT: .*conflicts with"):
        stack.create(SUBNETWORK, **inputs)


def test_project_and_place_may_come_from_the_providers_configuration(stack: Stack) -> None:
    variables = {"gcp:config:project": PROJECT, "gcp:config:region": REGION}
    stack.provider.configure({}, variables)
    network = stack.create(NETWORK, name="net", autoCreateSubnetworks=False)
    assert network.id == IDS[NETWORK]
    made = stack.create(SUBNETWORK, name="sub", network="net", ipCidrRange="10.0.0.0/22")
    assert made.id == IDS[SUBNETWORK]
    assert made.outputs["region"] == REGION
    for token, outputs in ((NETWORK, network.outputs), (SUBNETWORK, made.outputs)):
        assert sdk_types.faults_of(outputs, sdk_types.output_properties(token)) == []


def test_without_a_project_nothing_can_be_made(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    stack.provider.configure({}, {})
    with pytest.raises(Refused, match="project: required"):
        stack.create(NETWORK, name="net")


ARGUMENTS: Mapping[str, Inputs] = {
    "gcp:container/getEngineVersions:getEngineVersions": {**HERE, "location": ZONE, "versionPrefix": "1.36."},
    "gcp:compute/getZones:getZones": {**IN_REGION, "status": "UP"},
    "gcp:compute/getNetwork:getNetwork": {**HERE, "name": "net"},
    "gcp:compute/getSubnetwork:getSubnetwork": {**IN_REGION, "name": "sub"},
}


@pytest.mark.parametrize("token", [token for token in FUNCTIONS if token.startswith("gcp:")])
def test_a_function_returns_what_the_sdk_knows_and_the_model_has(stack: Stack, token: str) -> None:
    stack.create(SUBNETWORK, **stack.inputs(SUBNETWORK))
    result = stack.provider.invoke(token, ARGUMENTS[token])
    assert sdk_types.faults_of(result, sdk_types.result_properties(token)) == []
    assert set(result) >= set(invoke_of(token, ARGUMENTS[token]))


def test_functions_say_what_there_is(stack: Stack) -> None:
    stack.create(SUBNETWORK, **stack.inputs(SUBNETWORK))
    answers = {
        token.rpartition(":")[2]: stack.provider.invoke(token, ARGUMENTS[token]) for token in ARGUMENTS
    }
    assert answers["getZones"]["names"] == [f"{REGION}-{letter}" for letter in "abcf"]
    assert answers["getEngineVersions"]["latestMasterVersion"].startswith("1.36.")
    assert answers["getNetwork"]["subnetworksSelfLinks"] == [answers["getSubnetwork"]["selfLink"]]
    assert [one["rangeName"] for one in answers["getSubnetwork"]["secondaryIpRanges"]] == ["pods", "services"]


def test_what_does_not_exist_is_named(stack: Stack) -> None:
    with pytest.raises(Refused, match=r"gcp:storage/bucket:Bucket: .* has no such resource"):
        stack.create("gcp:storage/bucket:Bucket")
    with pytest.raises(Refused, match=r"getImage: .* has no such function"):
        stack.provider.invoke("gcp:compute/getImage:getImage", HERE)
    with pytest.raises(Refused, match=r"NOT_FOUND: .*networks/nowhere"):
        stack.provider.invoke("gcp:compute/getNetwork:getNetwork", {**HERE, "name": "nowhere"})


class _Line(StatusLine):
    """Remembers everything that was said, and calls when it hears a word."""

    def __init__(self, word: str = "", call: Callable[[], None] = lambda: None) -> None:
        self.said = ""
        self._word = word
        self._call = call

    def say(self, message: str) -> None:
        self.said += f"{message}\n"
        if self._word and self._word in message:
            self._call()


def _cancelled(stack: Stack, token: str, inputs: Inputs, there: Callable[[], Any]) -> InitFailed:
    """How a creation ends that is cancelled as soon as something is there."""
    cancelled = threading.Event()
    request = stack.request(token, cancelled=cancelled)

    def create() -> InitFailed:
        with pytest.raises(InitFailed, match="cancelled") as caught:
            stack.provider.create(request, inputs)
        return caught.value

    def cancel() -> None:
        until(f"a {token} is there", there)
        cancelled.set()

    failed: InitFailed = _at_once([create, cancel])[0]
    return failed


def _at_once(calls: list[Any]) -> list[Any]:
    """What the calls return, all of them made at the same time."""
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        results[place] = calls[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
