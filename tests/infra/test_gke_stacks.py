"""What each variant of a GKE stack declares, and what it must not."""

from decimal import Decimal

import pulumi
import pytest
import yaml

from tests.support.every_variant import (
    CAPACITY,
    DEPLOYMENT,
    SERVICE,
    VARIANTS,
    EveryVariant,
    own_of,
    pod_of,
    told,
)
from tests.support.google_project import Project
from tests.support.mocks import Cloud
from tests.support.settings import PROJECT
from tests.support.stacks import run_gke

ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
CLUSTER = "gcp:container/cluster:Cluster"
NAT = "gcp:compute/routerNat:RouterNat"
POOL = "gcp:container/nodePool:NodePool"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
NODES = f"serviceAccount:gke-nodes@{PROJECT}.iam.gserviceaccount.com"
PROVISIONER = f"serviceAccount:gke-provisioner@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def stacks() -> dict[str, Cloud]:
    return {variant: run_gke({"variant": variant}) for variant in VARIANTS}


@pytest.fixture(params=VARIANTS)
def stack(request: pytest.FixtureRequest, stacks: dict[str, Cloud]) -> Cloud:
    return stacks[request.param]


def roles_of(stack: Cloud, member: str) -> set[str]:
    return {one.inputs["role"] for one in stack.all(PROJECT_MEMBER) if one.inputs["member"] == member}


class TestEveryVariant(EveryVariant):
    def test_exports_the_full_name_of_its_cluster(self, stack: Cloud) -> None:
        assert stack.exports["cluster_id"] == f"projects/{PROJECT}/locations/us-central1-a/clusters/gke"

    def test_has_a_vpc_native_cluster_with_private_nodes_and_dataplane_v2(self, stack: Cloud) -> None:
        cluster = stack.one(CLUSTER).inputs
        assert cluster["networkingMode"] == "VPC_NATIVE"
        assert cluster["datapathProvider"] == "ADVANCED_DATAPATH"
        assert cluster["ipAllocationPolicy"] == {
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
        }
        assert cluster["privateClusterConfig"]["enablePrivateNodes"] is True
        assert cluster["workloadIdentityConfig"] == {"workloadPool": f"{PROJECT}.svc.id.goog"}
        assert cluster["costManagementConfig"] == {"enabled": True}
        assert cluster["releaseChannel"] == {"channel": "REGULAR"}
        assert "minMasterVersion" not in cluster
        assert cluster["resourceLabels"] == {
            "rightsize-accounting": "documented",
            "rightsize-timing": "cloud",
            "rightsize-stack": "gke",
        }

    def test_is_born_without_the_default_pool_and_stays_so(self, stack: Cloud) -> None:
        cluster = stack.one(CLUSTER)
        assert cluster.inputs["removeDefaultNodePool"] is True
        assert cluster.inputs["initialNodeCount"] == 1
        assert (
            cluster.inputs["nodeConfig"]["serviceAccount"] == stack.one(ACCOUNT, "gke-nodes").outputs["email"]
        )
        assert cluster.ignore_changes == ("nodeConfig",)

    def test_lets_only_listed_addresses_reach_the_api_server(self, stack: Cloud) -> None:
        cluster = stack.one(CLUSTER).inputs
        listed = cluster["masterAuthorizedNetworksConfig"]
        assert listed == {
            "cidrBlocks": [{"cidrBlock": "203.0.113.7/32", "displayName": "203.0.113.7/32"}],
            "gcpPublicCidrsAccessEnabled": False,
        }
        dns = cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
        assert dns == {"allowExternalTraffic": False}

    def test_has_two_static_arm_management_nodes_that_take_every_pod(self, stack: Cloud) -> None:
        pool = stack.one(POOL, "management").inputs
        config = pool["nodeConfig"]
        assert (pool["nodeCount"], pool["nodeLocations"]) == (2, ["us-central1-a"])
        assert config["machineType"] == "t2a-standard-2"
        assert config["taintConfig"] == {"architectureTaintBehavior": "NONE"}
        assert config["labels"] == {"rightsize.io/role": "management"}
        assert not config.get("taints")

    def test_gives_nodes_the_least_and_no_secrets_of_the_machine(self, stack: Cloud) -> None:
        assert roles_of(stack, NODES) == {
            "roles/container.defaultNodeServiceAccount",
            "roles/artifactregistry.reader",
        }
        for pool in stack.all(POOL):
            config = pool.inputs["nodeConfig"]
            assert config["serviceAccount"] == stack.one(ACCOUNT, "gke-nodes").outputs["email"]
            assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
            assert config["shieldedInstanceConfig"]["enableSecureBoot"] is True
            assert config["metadata"] == {"disable-legacy-endpoints": "true"}

    def test_gives_nobody_a_broad_role(self, stack: Cloud) -> None:
        given = {one.inputs["role"] for one in [*stack.all(PROJECT_MEMBER), *stack.all(ACCOUNT_MEMBER)]}
        assert not given & {"roles/owner", "roles/editor", "roles/container.admin", "roles/compute.admin"}

    def test_has_internal_load_balancers(self, stack: Cloud) -> None:
        for service in stack.all(SERVICE):
            annotations = service.inputs["metadata"]["annotations"]
            assert annotations == {"networking.gke.io/load-balancer-type": "Internal"}
            assert "loadBalancerSourceRanges" not in service.inputs["spec"]

    def test_takes_objects_away_before_nodes_cluster_and_network(self, stack: Cloud) -> None:
        cluster, management = stack.one(CLUSTER), stack.one(POOL, "management")
        for one in stack.declared:
            if one.token.startswith("kubernetes:"):
                provider = stack.by_urn(one.provider.rsplit("::", 1)[0])
                assert stack.reaches(provider, cluster), one.name
        for deployment in stack.all(DEPLOYMENT):
            assert stack.reaches(deployment, management)
        assert stack.reaches(management, cluster)
        assert stack.reaches(cluster, stack.one(NAT))
        assert all(
            stack.reaches(cluster, grant)
            for grant in stack.all(PROJECT_MEMBER)
            if grant.inputs["member"] == NODES
        )


class TestMaxSized:
    def test_has_a_fixed_gpu_pool_for_the_sum_of_max_workers(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["max-sized"]
        pool = stack.one(POOL, "gpu-fixed")
        assert pool.inputs["nodeCount"] == 15
        assert "autoscaling" not in pool.inputs
        assert pool.ignore_changes == ()

    def test_declares_nothing_that_adapts(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["max-sized"]
        assert stack.names(POOL) == ["gpu-fixed", "management"]
        assert stack.names(ACCOUNT) == ["gke-nodes"]
        assert stack.names(ROLE) == []
        assert stack.names(CAPACITY) == []
        assert stack.names(DEPLOYMENT) == ["squeezenet1-1", "vgg16"]

    def test_costs_as_published_at_idle_and_at_peak(self, stacks: dict[str, Cloud]) -> None:
        exports = stacks["max-sized"].exports
        prices = (exports["price_per_hour_idle"], exports["price_per_hour_peak"])
        assert [round(price, 4) for price in prices] == [6.8290, 6.8290]


class TestDynamic:
    def test_has_a_gpu_pool_whose_size_is_the_autoscalers(self, stacks: dict[str, Cloud]) -> None:
        pool = stacks["dynamic"].one(POOL, "gpu-autoscaled")
        assert "nodeCount" not in pool.inputs
        assert pool.inputs["initialNodeCount"] == 0
        assert pool.ignore_changes == ("initialNodeCount",)

    def test_scales_it_between_none_and_twice_the_sum_of_max_workers(self, stacks: dict[str, Cloud]) -> None:
        pool = stacks["dynamic"].one(POOL, "gpu-autoscaled")
        assert pool.inputs["autoscaling"] == {
            "totalMinNodeCount": 0,
            "totalMaxNodeCount": 30,
            "locationPolicy": "ANY",
        }
        limited = run_gke({"variant": "dynamic", "gpu.maxNodes": 5}).one(POOL, "gpu-autoscaled")
        assert limited.inputs["autoscaling"]["totalMaxNodeCount"] == 5

    def test_declares_neither_the_fixed_pool_nor_the_provisioner(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["dynamic"]
        assert stack.names(POOL) == ["gpu-autoscaled", "management"]
        assert stack.names(CAPACITY) == []
        assert stack.names(DEPLOYMENT) == ["squeezenet1-1", "vgg16"]

    def test_costs_one_node_a_model_at_idle_as_published(self, stacks: dict[str, Cloud]) -> None:
        exports = stacks["dynamic"].exports
        prices = (exports["price_per_hour_idle"], exports["price_per_hour_peak"])
        assert [round(price, 4) for price in prices] == [1.0440, 6.8290]


@pytest.mark.parametrize(("variant", "name"), [("max-sized", "gpu-fixed"), ("dynamic", "gpu-autoscaled")])
class TestGpuVariants:
    def test_attach_a_t4_whose_driver_the_cloud_installs(
        self, stacks: dict[str, Cloud], variant: str, name: str
    ) -> None:
        config = stacks[variant].one(POOL, name).inputs["nodeConfig"]
        assert config["machineType"] == "n1-standard-2"
        assert config["guestAccelerators"] == [
            {
                "type": "nvidia-tesla-t4",
                "count": 1,
                "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
            }
        ]

    def test_say_both_taints_themselves(self, stacks: dict[str, Cloud], variant: str, name: str) -> None:
        config = stacks[variant].one(POOL, name).inputs["nodeConfig"]
        assert config["taints"] == [
            {"key": "rightsize.io/role", "value": "inference", "effect": "NO_SCHEDULE"},
            {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        ]
        assert config["labels"] == {"rightsize.io/role": "inference", "rightsize.io/pool": name}

    def test_come_after_the_management_pool(self, stacks: dict[str, Cloud], variant: str, name: str) -> None:
        stack = stacks[variant]
        assert stack.one(POOL, name).depends_on(stack.one(POOL, "management"))

    def test_run_models_in_their_gpu_form(self, stacks: dict[str, Cloud], variant: str, name: str) -> None:
        stack = stacks[variant]
        deployment = stack.one(DEPLOYMENT, "squeezenet1-1")
        pod = pod_of(deployment)
        assert pod["containers"][0]["resources"]["requests"] == {
            "cpu": "400m",
            "memory": "3G",
            "nvidia.com/gpu": "1",
        }
        assert pod["nodeSelector"] == {
            "rightsize.io/role": "inference",
            "rightsize.io/pool": name,
            "kubernetes.io/arch": "amd64",
        }
        tolerated = {toleration["key"] for toleration in pod["tolerations"]}
        taints = stack.one(POOL, name).inputs["nodeConfig"]["taints"]
        assert tolerated == {taint["key"] for taint in taints}
        assert stack.reaches(deployment, stack.one(POOL, name))


class TestRightSized:
    def test_declares_no_inference_nodes(self, stacks: dict[str, Cloud]) -> None:
        assert stacks["right-sized"].names(POOL) == ["management"]

    def test_goes_away_in_order_models_provisioner_what_it_bought_cluster(
        self, stacks: dict[str, Cloud]
    ) -> None:
        stack = stacks["right-sized"]
        provisioner, capacity = stack.one(DEPLOYMENT, "provisioner"), stack.one(CAPACITY)
        assert stack.reaches(stack.one(DEPLOYMENT, "vgg16"), provisioner)
        assert provisioner.depends_on(capacity)
        later = [stack.one(CLUSTER), stack.one(ROLE), stack.one(POOL, "management"), stack.one(NAT)]
        assert all(stack.reaches(capacity, one) for one in [*later, *stack.all(ACCOUNT_MEMBER)])
        assert not stack.reaches(capacity, provisioner)

    def test_remembers_nothing_of_credentials_or_endpoints(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        inputs = {key: value for key, value in stack.one(CAPACITY).inputs.items() if key != "__provider"}
        assert inputs == {"cloud": "gke", "cluster_id": stack.one(CLUSTER).id}

    def test_gives_the_provisioner_a_role_of_what_it_does_and_no_other(
        self, stacks: dict[str, Cloud]
    ) -> None:
        stack = stacks["right-sized"]
        role = stack.one(ROLE)
        assert roles_of(stack, PROVISIONER) == {role.outputs["name"]}
        assert set(role.inputs["permissions"]) == {
            "container.clusters.get",
            "container.clusters.update",  # node pools have no permission of their own
            "container.operations.get",
            "compute.instanceGroupManagers.get",
            "compute.instanceGroupManagers.update",  # to remove one chosen machine
        }

    def test_lets_only_the_provisioners_account_act_as_it(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        granted = {
            (one.inputs["serviceAccountId"], one.inputs["role"], one.inputs["member"])
            for one in stack.all(ACCOUNT_MEMBER)
        }
        nodes, provisioner = stack.one(ACCOUNT, "gke-nodes"), stack.one(ACCOUNT, "gke-provisioner")
        workload = f"serviceAccount:{PROJECT}.svc.id.goog[rightsize-system/provisioner]"
        assert granted == {
            (nodes.outputs["name"], "roles/iam.serviceAccountUser", PROVISIONER),
            (provisioner.outputs["name"], "roles/iam.workloadIdentityUser", workload),
        }
        account = stack.one(SERVICE_ACCOUNT, "provisioner").inputs["metadata"]
        assert account["annotations"] == {"iam.gke.io/gcp-service-account": provisioner.outputs["email"]}

    def test_waits_for_the_cluster_that_brings_the_pool_of_identities(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        grant = next(one for one in stack.all(ACCOUNT_MEMBER) if "workloadIdentityUser" in one.inputs["role"])
        assert grant.depends_on(stack.one(CLUSTER))

    def test_tells_the_provisioner_all_it_needs_in_its_own_words(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        found = told(stack)
        assert (found.cloud, found.stack, found.cluster_id) == ("gke", "gke", stack.one(CLUSTER).id)
        assert found.kubernetes_version == "1.36.3-gke.1092000"
        assert found.site.model_dump() == {
            "project": PROJECT,
            "location": "us-central1-a",
            "cluster": "gke",
            "zones": ("us-central1-a",),
            "node_service_account": stack.one(ACCOUNT, "gke-nodes").outputs["email"],
            "boot_disk_gib": 50,
            "image_streaming": False,
            "boot_disk_type": "",
            "network_tags": (),
        }

    def test_runs_the_provisioner_without_another_clouds_environment(self, stacks: dict[str, Cloud]) -> None:
        container = pod_of(stacks["right-sized"].one(DEPLOYMENT, "provisioner"))["containers"][0]
        assert [variable["name"] for variable in container["env"]] == ["RIGHTSIZE_SETTINGS"]

    def test_leaves_the_provisioner_the_budget_without_the_static_nodes(self) -> None:
        stack = run_gke({"variant": "right-sized", "budget.pricePerHour": 1})
        assert told(stack).policy.max_price_per_hour == Decimal("0.846")

    def test_costs_as_published_where_nodes_reserve(self) -> None:
        exports = run_gke({"variant": "right-sized", "provisioner.mode": "bin-select"}).exports
        assert (exports["price_per_hour_idle"], exports["price_per_hour_peak"]) == (0.2695, 0.616)


class TestSwitchingInPlace:
    def test_keeps_what_every_variant_has(self, stacks: dict[str, Cloud]) -> None:
        assert own_of(stacks) == {
            "max-sized": {"gpu-fixed"},
            "dynamic": {"gpu-autoscaled"},
            "right-sized": {
                "gke-provisioner",
                "gke-provisioner-uses-nodes",
                "gke-provisioner-workload",
                "provisioned-capacity",
                "provisioner",
                "rightsize-system",
            },
        }

    def test_changes_nothing_of_what_every_variant_has_but_the_models(self, stacks: dict[str, Cloud]) -> None:
        first, *others = stacks.values()
        for one in first.declared:
            if one.token.startswith(("gcp:compute", CLUSTER)) or one.name == "management":
                assert all(other.one(one.token, one.name).inputs == one.inputs for other in others), one.name

    def test_stays_in_the_zone_where_the_cluster_is(self) -> None:
        built = Project(built="us-central1-f")
        assert run_gke(project=built).one(CLUSTER).inputs["location"] == "us-central1-f"
        assert run_gke({"zones": ["us-central1-b"]}, project=built).one(CLUSTER).inputs["location"] == (
            "us-central1-b"
        )


class TestRegionalClusters:
    def test_have_nodes_in_each_zone_as_many_as_were_asked_for_in_all(self) -> None:
        stack = run_gke({"zones": ["us-central1-a", "us-central1-b"]})
        cluster = stack.one(CLUSTER).inputs
        assert cluster["location"] == "us-central1"
        assert cluster["nodeLocations"] == ["us-central1-a", "us-central1-b"]
        placed = {one.name: (one.inputs["nodeLocations"], one.inputs["nodeCount"]) for one in stack.all(POOL)}
        assert placed == {
            "management": (["us-central1-a"], 1),
            "management-2": (["us-central1-b"], 1),
            "gpu-fixed": (["us-central1-a"], 8),
            "gpu-fixed-2": (["us-central1-b"], 7),
        }

    def test_have_a_pool_only_where_its_machines_are_sold(self) -> None:
        stack = run_gke({"variant": "dynamic", "zones": ["us-central1-a", "us-central1-c"]})
        assert stack.one(POOL, "management").inputs["nodeLocations"] == ["us-central1-a"]
        assert stack.one(POOL, "gpu-autoscaled").inputs["nodeLocations"] == [
            "us-central1-a",
            "us-central1-c",
        ]

    def test_tell_the_provisioner_all_their_zones(self) -> None:
        stack = run_gke({"variant": "right-sized", "zones": ["us-central1-f", "us-central1-a"]})
        site = told(stack).site
        assert (site.location, site.zones) == ("us-central1", ("us-central1-f", "us-central1-a"))


class TestOtherMachines:
    @pytest.mark.parametrize(
        ("shape", "disk", "arm"),
        [
            ("c4a-standard-2", "hyperdisk-balanced", True),
            ("n4a-standard-2", "hyperdisk-balanced", True),
            ("e2-standard-2", "pd-balanced", False),
        ],
    )
    def test_management_nodes_of_another_family(self, shape: str, disk: str, arm: bool) -> None:
        config = run_gke({"management.shape": shape}).one(POOL, "management").inputs["nodeConfig"]
        assert (config["machineType"], config["diskType"]) == (shape, disk)
        assert ("taintConfig" in config) == arm

    def test_a_gpu_that_is_part_of_the_machine(self) -> None:
        stack = run_gke({"gpu.shape": "g2-standard-4"})
        config = stack.one(POOL, "gpu-fixed").inputs["nodeConfig"]
        assert config["machineType"] == "g2-standard-4"
        assert config["guestAccelerators"][0]["type"] == "nvidia-l4"


class TestAccess:
    def test_private_has_no_public_endpoint(self) -> None:
        stack = run_gke(
            {"api.access": "private", "api.allowedCidrs": [], "api.proxyUrl": "http://bastion:3128"}
        )
        cluster = stack.one(CLUSTER)
        assert cluster.inputs["privateClusterConfig"]["enablePrivateEndpoint"] is True
        assert not cluster.inputs["masterAuthorizedNetworksConfig"].get("cidrBlocks")
        reached = yaml.safe_load(stack.exports["kubeconfig"])["clusters"][0]["cluster"]
        assert reached["server"] == f"https://{cluster.outputs['privateClusterConfig']['privateEndpoint']}"
        assert reached["proxy-url"] == "http://bastion:3128"

    def test_the_dns_endpoint_is_used_where_it_is_asked_for(self) -> None:
        stack = run_gke({"api.access": "private", "api.dnsEndpoint": True})
        dns = stack.one(CLUSTER).outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
        assert dns["allowExternalTraffic"] is True
        reached = yaml.safe_load(stack.exports["kubeconfig"])["clusters"][0]["cluster"]
        assert reached == {"server": f"https://{dns['endpoint']}"}

    def test_deletion_protection_is_the_users(self) -> None:
        assert run_gke().one(CLUSTER).inputs["deletionProtection"] is False
        protected = run_gke({"cluster.deletionProtection": True})
        assert protected.one(CLUSTER).inputs["deletionProtection"] is True

    def test_exposed_models_answer_listed_addresses_only(self) -> None:
        stack = run_gke({"expose.allowedCidrs": ["198.51.100.0/24"]})
        for service in stack.all(SERVICE):
            assert not service.inputs["metadata"].get("annotations")
            assert service.inputs["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24"]


class TestVersions:
    def test_the_release_channel_decides_where_nothing_is_said(self) -> None:
        stack = run_gke({"variant": "right-sized", "cluster.releaseChannel": "STABLE"})
        assert stack.one(CLUSTER).outputs["masterVersion"] == "1.35.6-gke.1204000"
        assert told(stack).kubernetes_version == "1.35.6-gke.1204000"

    @pytest.mark.parametrize("asked", ["1.35", "1.35.6", "1.35.6-gke.1204000"])
    def test_else_it_is_the_newest_of_what_was_asked_for(self, asked: str) -> None:
        assert run_gke({"kubernetesVersion": asked}).one(CLUSTER).inputs["minMasterVersion"] == (
            "1.35.6-gke.1204000"
        )

    def test_one_that_is_not_offered_is_refused(self) -> None:
        with pytest.raises(pulumi.RunError, match=r"kubernetesVersion: '1.37' is not offered; "):
            run_gke({"kubernetesVersion": "1.37"})
