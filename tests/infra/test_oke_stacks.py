"""What each variant of an OKE stack declares, and what it must not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
import yaml

from catalog.loader import load
from catalog.timing import DEMO
from tests.support.every_variant import (
    CAPACITY,
    DEPLOYMENT,
    SERVICE,
    VARIANTS,
    EveryVariant,
    own_of,
    pod_of,
    scratch,
    settings_text,
    told,
)
from tests.support.mocks import Cloud
from tests.support.settings import COMPARTMENT
from tests.support.stacks import run

ADD_ON = "oci:ContainerEngine/addon:Addon"
CLUSTER = "oci:ContainerEngine/cluster:Cluster"
POLICY = "oci:Identity/policy:Policy"
POOL = "oci:ContainerEngine/nodePool:NodePool"
RULE = "oci:Core/networkSecurityGroupSecurityRule:NetworkSecurityGroupSecurityRule"
SUBNET = "oci:Core/subnet:Subnet"
VCN = "oci:Core/vcn:Vcn"
BIN_SELECT = {"variant": "right-sized", "provisioner.mode": "bin-select"}
CATALOG = Path(__file__).parents[2] / "catalog" / "oke.csv"


@pytest.fixture(scope="module")
def stacks() -> dict[str, Cloud]:
    return {variant: run({"variant": variant}) for variant in VARIANTS}


@pytest.fixture(params=VARIANTS)
def stack(request: pytest.FixtureRequest, stacks: dict[str, Cloud]) -> Cloud:
    return stacks[request.param]


class TestEveryVariant(EveryVariant):
    def test_has_an_enhanced_cluster_with_vcn_native_pods(self, stack: Cloud) -> None:
        cluster = stack.one(CLUSTER).inputs
        assert cluster["type"] == "ENHANCED_CLUSTER"
        assert cluster["clusterPodNetworkOptions"] == [{"cniType": "OCI_VCN_IP_NATIVE"}]
        assert cluster["kubernetesVersion"] == "v1.36.3"
        assert cluster["freeformTags"] == {
            "rightsize-accounting": "documented",
            "rightsize-timing": "cloud",
            "rightsize-stack": "oke",
        }

    def test_has_two_static_arm_management_nodes(self, stack: Cloud) -> None:
        pool = stack.one(POOL, "management").inputs
        assert pool["nodeShape"] == "VM.Standard.A1.Flex"
        assert pool["nodeShapeConfig"] == {"ocpus": 2, "memoryInGbs": 32}
        assert pool["nodeConfigDetails"]["size"] == 2
        assert pool["initialNodeLabels"] == [{"key": "rightsize.io/role", "value": "management"}]
        assert "taints" not in pool["nodeMetadata"]["kubelet-extra-args"]
        assert len(pool["nodeConfigDetails"]["placementConfigs"]) == 3

    def test_installs_what_the_autoscaler_of_pods_needs_in_order(self, stack: Cloud) -> None:
        cert_manager = stack.one(ADD_ON, "CertManager")
        metrics = stack.one(ADD_ON, "KubernetesMetricsServer")
        assert metrics.depends_on(cert_manager)
        assert stack.reaches(cert_manager, stack.one(POOL, "management"))
        assert cert_manager.inputs["removeAddonResourcesOnDelete"] is True

    def test_lets_model_pods_on_inference_nodes_only(self, stack: Cloud) -> None:
        for name in ("squeezenet1-1", "vgg16"):
            pod = pod_of(stack.one(DEPLOYMENT, name))
            assert pod["nodeSelector"]["rightsize.io/role"] == "inference"
            assert {
                "key": "rightsize.io/role",
                "operator": "Equal",
                "value": "inference",
                "effect": "NoSchedule",
            } in pod["tolerations"]

    def test_has_internal_load_balancers_in_a_private_subnet(self, stack: Cloud) -> None:
        for service in stack.all(SERVICE):
            annotations = service.inputs["metadata"]["annotations"]
            assert annotations["service.beta.kubernetes.io/oci-load-balancer-internal"] == "true"
            subnet = annotations["service.beta.kubernetes.io/oci-load-balancer-subnet1"]
            assert subnet == stack.one(SUBNET, "oke-lb").id
        assert stack.one(SUBNET, "oke-lb").inputs["prohibitPublicIpOnVnic"] is True

    def test_takes_objects_away_before_the_cluster(self, stack: Cloud) -> None:
        cluster, network = stack.one(CLUSTER), stack.one(VCN)
        for one in stack.declared:
            if one.token.startswith("kubernetes:"):
                provider = stack.by_urn(one.provider.rsplit("::", 1)[0])
                assert stack.reaches(provider, cluster), one.name
        assert stack.reaches(cluster, network)
        assert all(stack.reaches(cluster, rule) for rule in stack.all(RULE))


class TestMaxSized:
    def test_has_a_fixed_gpu_pool_for_the_sum_of_max_workers(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["max-sized"]
        pool = stack.one(POOL, "gpu-fixed")
        assert pool.inputs["nodeShape"] == "VM.GPU2.1"
        assert "nodeShapeConfig" not in pool.inputs
        assert pool.inputs["nodeConfigDetails"]["size"] == 6
        assert pool.ignore_changes == ()

    def test_declares_nothing_that_adapts(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["max-sized"]
        assert stack.names(POOL) == ["gpu-fixed", "management"]
        assert stack.names(ADD_ON) == ["CertManager", "KubernetesMetricsServer", "NvidiaGpuPlugin"]
        assert stack.names(POLICY) == []
        assert stack.names(CAPACITY) == []
        assert stack.names(DEPLOYMENT) == ["squeezenet1-1", "vgg16"]

    def test_costs_the_same_at_idle_and_at_peak(self, stacks: dict[str, Cloud]) -> None:
        exports = stacks["max-sized"].exports
        assert (exports["price_per_hour_idle"], exports["price_per_hour_peak"]) == (7.786, 7.786)


class TestDynamic:
    def test_has_a_gpu_pool_whose_size_is_the_autoscalers(self, stacks: dict[str, Cloud]) -> None:
        pool = stacks["dynamic"].one(POOL, "gpu-autoscaled")
        assert pool.inputs["nodeConfigDetails"]["size"] == 0
        assert pool.ignore_changes == ("nodeConfigDetails.size",)
        assert len(pool.inputs["nodeConfigDetails"]["placementConfigs"]) == 1

    def test_scales_it_between_none_and_twice_the_sum_of_max_workers(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["dynamic"]
        add_on = stack.one(ADD_ON, "ClusterAutoscaler")
        settings = {row["key"]: row["value"] for row in add_on.inputs["configurations"]}
        assert settings["nodes"] == f"0:12:{stack.one(POOL, 'gpu-autoscaled').id}"
        assert settings["authType"] == "workload"
        assert settings["scaleDownUnneededTime"] == "600s"
        assert settings["skipNodesWithLocalStorage"] == "false"

    def test_declares_neither_the_fixed_pool_nor_the_provisioner(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["dynamic"]
        assert stack.names(POOL) == ["gpu-autoscaled", "management"]
        assert stack.names(CAPACITY) == []
        assert stack.names(DEPLOYMENT) == ["squeezenet1-1", "vgg16"]

    def test_lets_only_the_autoscalers_account_add_nodes(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["dynamic"]
        statements = stack.one(POLICY, "oke-autoscaler").inputs["statements"]
        assert len(statements) == 10
        for statement in statements:
            assert f"in compartment id {COMPARTMENT} where ALL {{" in statement
            assert "request.principal.namespace='kube-system'" in statement
            assert "request.principal.service_account='cluster-autoscaler'" in statement
            assert f"request.principal.cluster_id='{stack.one(CLUSTER).id}'" in statement

    def test_waits_for_the_autoscaler_before_it_waits_for_models(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["dynamic"]
        assert stack.reaches(stack.one(DEPLOYMENT, "vgg16"), stack.one(ADD_ON, "ClusterAutoscaler"))

    def test_costs_one_node_a_model_at_idle(self, stacks: dict[str, Cloud]) -> None:
        exports = stacks["dynamic"].exports
        assert (exports["price_per_hour_idle"], exports["price_per_hour_peak"]) == (2.686, 7.786)

    def test_has_a_pool_for_each_availability_domain_that_is_named(self) -> None:
        domains = ["EMUL:US-ASHBURN-AD-1", "EMUL:US-ASHBURN-AD-3"]
        stack = run({"variant": "dynamic", "gpu.availabilityDomains": domains})
        pools = [stack.one(POOL, "gpu-autoscaled"), stack.one(POOL, "gpu-autoscaled-2")]
        placed = [one.inputs["nodeConfigDetails"]["placementConfigs"] for one in pools]
        assert [[row["availabilityDomain"] for row in rows] for rows in placed] == [[one] for one in domains]

    def test_takes_its_delays_from_the_timing(self) -> None:
        stack = run({"variant": "dynamic", "timing": "demo"})
        rows = stack.one(ADD_ON, "ClusterAutoscaler").inputs["configurations"]
        settings = {row["key"]: row["value"] for row in rows}
        assert settings["scanInterval"] == f"{DEMO.autoscaler_scan_s}s"
        assert settings["scaleDownDelayAfterAdd"] == f"{DEMO.autoscaler_delay_after_add_s}s"


class TestGpuVariants:
    @pytest.mark.parametrize(("variant", "pool"), [("max-sized", "gpu-fixed"), ("dynamic", "gpu-autoscaled")])
    def test_taint_their_nodes_and_reserve_for_the_system(
        self, stacks: dict[str, Cloud], variant: str, pool: str
    ) -> None:
        inputs = stacks[variant].one(POOL, pool).inputs
        arguments = inputs["nodeMetadata"]["kubelet-extra-args"]
        assert "--register-with-taints=rightsize.io/role=inference:NoSchedule" in arguments
        assert "--kube-reserved=cpu=138m," in arguments
        labels = {row["key"]: row["value"] for row in inputs["initialNodeLabels"]}
        assert labels == {"rightsize.io/role": "inference", "rightsize.io/pool": pool}

    @pytest.mark.parametrize(("variant", "pool"), [("max-sized", "gpu-fixed"), ("dynamic", "gpu-autoscaled")])
    def test_run_models_in_their_gpu_form(self, stacks: dict[str, Cloud], variant: str, pool: str) -> None:
        deployment = stacks[variant].one(DEPLOYMENT, "squeezenet1-1")
        pod = pod_of(deployment)
        assert pod["containers"][0]["resources"]["requests"] == {
            "cpu": "400m",
            "memory": "2G",
            "nvidia.com/gpu": "1",
        }
        assert pod["containers"][0]["image"] == "rightsize/serving:0.1.0-gpu"
        assert pod["nodeSelector"]["rightsize.io/pool"] == pool
        assert "affinity" not in pod
        labels = deployment.inputs["spec"]["template"]["metadata"]["labels"]
        assert "rightsize.io/provision" not in labels
        rolling = deployment.inputs["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxSurge": 0, "maxUnavailable": 1}
        assert stacks[variant].reaches(deployment, stacks[variant].one(POOL, pool))


class TestRightSized:
    def test_declares_no_inference_nodes(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        assert stack.names(POOL) == ["management"]
        assert stack.names(ADD_ON) == ["CertManager", "KubernetesMetricsServer"]

    def test_runs_models_alone_on_nodes_of_their_own_in_bin_select(self) -> None:
        deployment = run(BIN_SELECT).one(DEPLOYMENT, "squeezenet1-1")
        pod = pod_of(deployment)
        assert pod["nodeSelector"] == {
            "rightsize.io/role": "inference",
            "rightsize.io/dedicated": "squeezenet1_1",
            "kubernetes.io/arch": "arm64",
        }
        assert "podAntiAffinity" in pod["affinity"]
        assert pod["containers"][0]["resources"]["requests"] == {"cpu": "400m", "memory": "1G"}
        assert deployment.inputs["spec"]["template"]["metadata"]["labels"]["rightsize.io/provision"] == "true"

    @pytest.mark.parametrize("mode", ["bin-pack", "optimal"])
    def test_lets_pods_share_nodes_in_the_modes_that_pack(self, mode: str) -> None:
        stack = run({"variant": "right-sized", "provisioner.mode": mode})
        pod = pod_of(stack.one(DEPLOYMENT, "squeezenet1-1"))
        assert pod["nodeSelector"] == {"rightsize.io/role": "inference", "kubernetes.io/arch": "arm64"}
        assert "affinity" not in pod
        assert told(stack).policy.mode == mode

    def test_costs_what_the_provisioner_will_buy_in_its_mode(self) -> None:
        exports = run({"variant": "right-sized"}).exports
        assert (exports["price_per_hour_idle"], exports["price_per_hour_peak"]) == (0.164, 0.208)

    def test_goes_away_in_order_models_provisioner_what_it_bought_cluster(
        self, stacks: dict[str, Cloud]
    ) -> None:
        stack = stacks["right-sized"]
        provisioner, capacity = stack.one(DEPLOYMENT, "provisioner"), stack.one(CAPACITY)
        assert stack.reaches(stack.one(DEPLOYMENT, "vgg16"), provisioner)
        assert provisioner.depends_on(capacity)
        for later in (stack.one(CLUSTER), stack.one(POLICY), stack.one(POOL, "management"), stack.one(VCN)):
            assert stack.reaches(capacity, later)
        assert not stack.reaches(capacity, provisioner)

    def test_remembers_nothing_of_credentials_or_endpoints(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        capacity = stack.one(CAPACITY)
        assert set(capacity.inputs) - {"__provider"} == {"cloud", "cluster_id", "compartment_id"}
        assert capacity.inputs["cluster_id"] == stack.one(CLUSTER).id

    def test_lets_only_the_provisioners_account_add_nodes(self, stacks: dict[str, Cloud]) -> None:
        statements = stacks["right-sized"].one(POLICY, "oke-provisioner").inputs["statements"]
        for statement in statements:
            assert "request.principal.namespace='rightsize-system'" in statement
            assert "request.principal.service_account='provisioner'" in statement
        verbs = {statement.removeprefix("Allow any-user to ").split(" in ")[0] for statement in statements}
        assert "manage cluster-node-pools" in verbs
        assert not [verb for verb in verbs if "all-resources" in verb]

    @pytest.mark.parametrize("settings", [{"provisioner.mode": "bin-select"}, {"provisioner.repack": False}])
    def test_gives_a_provisioner_that_moves_no_pods_least_rights(self, settings: dict[str, Any]) -> None:
        stack = run({"variant": "right-sized", **settings})
        rules = stack.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
        granted = {
            f"{verb} {resource}" for rule in rules for resource in rule["resources"] for verb in rule["verbs"]
        }
        seen = {"list pods", "list nodes", "list horizontalpodautoscalers", "list daemonsets"}
        volumes = {
            f"list {kind}"
            for kind in ("persistentvolumeclaims", "persistentvolumes", "storageclasses", "csinodes")
        }
        assert granted == {*seen, *volumes, "patch nodes", "patch pods", "create events"}
        groups = {group for rule in rules for group in rule["apiGroups"]}
        assert groups == {"", "apps", "autoscaling", "storage.k8s.io"}

    def test_shows_it_no_autoscalers_where_growth_is_not_looked_at(self) -> None:
        stack = run({"variant": "right-sized", "provisioner.growth": "off"})
        rules = stack.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
        assert ["horizontalpodautoscalers"] not in [rule["resources"] for rule in rules]

    def test_lets_it_evict_where_it_moves_pods(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        rules = stack.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
        assert [rule["resources"] for rule in rules][-2:] == [["pods/eviction"], ["poddisruptionbudgets"]]
        assert told(stack).policy.policy().repack

    def test_keeps_decisions_where_that_is_asked_for(self, stacks: dict[str, Cloud]) -> None:
        stack = run({"variant": "right-sized", "provisioner.recordLast": 5})
        kept = told(stack)
        assert (kept.record_folder, kept.record_last, kept.record_mib) == ("/tmp/decisions", 5, 50)
        assert scratch(stack) == {"sizeLimit": "100Mi"}
        assert told(stacks["right-sized"]).record_folder == ""
        assert scratch(stacks["right-sized"]) == {}

    def test_tells_the_provisioner_all_it_needs(self, stacks: dict[str, Cloud]) -> None:
        stack = stacks["right-sized"]
        settings = yaml.safe_load(settings_text(stack))
        assert settings["cluster_id"] == stack.one(CLUSTER).id
        assert settings["stack"] == "oke"
        assert set(settings["site"]["node_images"]) == {"arm64", "amd64", "amd64-gpu"}
        assert settings["site"]["network"]["worker_subnet_id"] == stack.one(SUBNET, "oke-workers").id
        assert settings["policy"]["pod_selector"] == {"rightsize.io/provision": "true"}
        assert settings["policy"]["node_unneeded_s"] == 300

    def test_tells_it_in_the_provisioners_own_words(self, stacks: dict[str, Cloud]) -> None:
        policy = told(stacks["right-sized"]).policy.policy()
        assert (policy.mode, policy.architectures, policy.max_price_per_hour) == (
            "optimal",
            ("arm64",),
            None,
        )
        assert [str(taint) for taint in policy.node_taints] == ["rightsize.io/role=inference:NoSchedule"]

    def test_leaves_the_provisioner_the_budget_without_the_static_nodes(self) -> None:
        stack = run({"variant": "right-sized", "budget.pricePerHour": 1})
        assert told(stack).policy.max_price_per_hour == Decimal("0.864")

    def test_tells_it_what_nodes_cost_beside_their_price(self, stacks: dict[str, Cloud]) -> None:
        assert told(stacks["right-sized"]).policy.node_overhead_price_per_hour == 0
        stack = run({"variant": "right-sized", "provisioner.nodeOverheadPricePerHour": 0.0029})
        assert told(stack).policy.node_overhead_price_per_hour == Decimal("0.0029")

    def test_runs_the_provisioner_on_management_nodes(self, stacks: dict[str, Cloud]) -> None:
        deployment = stacks["right-sized"].one(DEPLOYMENT, "provisioner")
        pod = pod_of(deployment)
        assert pod["nodeSelector"] == {"rightsize.io/role": "management"}
        assert pod["containers"][0]["args"] == ["run"]
        assert deployment.inputs["spec"]["strategy"] == {"type": "Recreate"}

    def test_restarts_the_provisioner_when_its_settings_change(self, stacks: dict[str, Cloud]) -> None:
        def checksum(stack: Cloud) -> str:
            template = stack.one(DEPLOYMENT, "provisioner").inputs["spec"]["template"]
            return str(template["metadata"]["annotations"]["rightsize.io/settings-checksum"])

        same, other = run({"variant": "right-sized"}), run({"variant": "right-sized", "timing": "demo"})
        assert checksum(same) == checksum(stacks["right-sized"]) != checksum(other)

    def test_costs_as_published_where_it_counts_as_published(self) -> None:
        changes = {"accounting": "nominal", "provisioner.families": ["VM.Standard.A1", "VM.GPU2"]}
        exports = run({**BIN_SELECT, **changes}).exports
        assert (exports["price_per_hour_idle"], exports["price_per_hour_peak"]) == (0.1635, 0.246)

    def test_costs_a_little_more_where_nodes_reserve(self) -> None:
        exports = run(BIN_SELECT).exports
        assert exports["price_per_hour_idle"] == pytest.approx(0.136 + 0.016 + 0.019)
        assert exports["price_per_hour_peak"] == pytest.approx(0.136 + 4 * 0.016 + 4 * 0.019)

    def test_may_run_models_on_any_architecture_it_may_buy(self) -> None:
        stack = run({"variant": "right-sized", "provisioner.architectures": ["arm64", "amd64"]})
        assert "kubernetes.io/arch" not in pod_of(stack.one(DEPLOYMENT, "vgg16"))["nodeSelector"]


class TestSwitchingInPlace:
    def test_keeps_what_every_variant_has(self, stacks: dict[str, Cloud]) -> None:
        assert own_of(stacks) == {
            "max-sized": {"gpu-fixed", "NvidiaGpuPlugin"},
            "dynamic": {"gpu-autoscaled", "NvidiaGpuPlugin", "oke-autoscaler", "ClusterAutoscaler"},
            "right-sized": {"oke-provisioner", "provisioned-capacity", "provisioner", "rightsize-system"},
        }

    def test_changes_nothing_of_what_every_variant_has_but_the_models(self, stacks: dict[str, Cloud]) -> None:
        first, *others = stacks.values()
        for one in first.declared:
            if one.token.startswith(("oci:Core", CLUSTER)) or one.name == "management":
                assert all(other.one(one.token, one.name).inputs == one.inputs for other in others), one.name

    def test_never_changes_a_selector_of_a_deployment(self, stacks: dict[str, Cloud]) -> None:
        selectors = [stack.one(DEPLOYMENT, "vgg16").inputs["spec"]["selector"] for stack in stacks.values()]
        assert selectors[0] == selectors[1] == selectors[2]


class TestFaults:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"variant": "max"}, "variant: 'max' must be one of"),
            (
                {"models.vgg16.gpu.memory": "80G"},
                "models.vgg16.gpu.memory: '80G' must be at most .*, which a VM.GPU2.1 leaves to pods",
            ),
            ({"models.vgg16.gpu.gpus": 2}, "models.vgg16.gpu.gpus: '2' must be at most 1, which"),
            (
                {"gpu.shape": "VM.GPU2.2"},
                "gpu.shape: 'VM.GPU2.2' is not in catalog/oke.csv; did you mean 'VM.GPU",
            ),
            ({"gpu.shape": "VM.Standard.A1.Flex"}, "gpu.shape: 'VM.Standard.A1.Flex' has no GPU; with one: "),
            ({"management.memoryGib": 1}, "management.memoryGib: 1 must be from 2 to 128 for 2 OCPUs"),
            (
                {"provisioner.families": ["VM.Standard.A9"]},
                r"provisioner.families\[0\]: 'VM.Standard.A9' is not a family of the catalog; did you mean",
            ),
            ({"budget.pricePerHour": 5}, "budget.pricePerHour: '5' must be at least 7.786"),
            (
                {"kubernetesVersion": "v1.36.4"},
                "kubernetesVersion: 'v1.36.4' is not offered; did you mean 'v1.36.3'",
            ),
            (
                {"gpu.availabilityDomains": ["EMUL:US-ASHBURN-AD-4"]},
                r"gpu.availabilityDomains\[0\]: 'EMUL:US-ASHBURN-AD-4' is not an availability domain",
            ),
            (
                {"variant": "right-sized", "models.vgg16.right_sized.memory": "9000G"},
                "models.vgg16.right_sized: '400m CPU, 9T, 0 GPUs' gets no node: .* no size",
            ),
        ],
    )
    def test_a_stack_that_cannot_be_is_refused_before_anything_is_declared(
        self, changes: dict[str, Any], message: str
    ) -> None:
        cloud = Cloud()
        with pytest.raises(pulumi.RunError, match=message):
            run(changes, cloud=cloud)
        assert not cloud.declared

    def test_a_missing_price_is_refused_where_it_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = CATALOG.read_text().replace("P100,1.275,", "P100,,")
        broken = tmp_path / "oke.csv"
        broken.write_text(rows)
        monkeypatch.setattr("stacks.preflight.bundled", lambda _cloud: load(broken))
        with pytest.raises(
            pulumi.RunError, match=r"catalog/oke.csv, line \d+, price_per_hour is not set: it must be"
        ):
            run()

    def test_a_shape_without_an_image_is_refused(self) -> None:
        cloud = Cloud()
        cloud.results["oci:ContainerEngine/getNodePoolOption:getNodePoolOption"] = lambda _args: {
            "sources": []
        }
        with pytest.raises(
            pulumi.RunError, match=r"gpu.shape: 'VM.GPU2.1' has no Oracle Linux 8 image"
        ) as caught:
            run(cloud=cloud)
        assert "management.shape" in str(caught.value)

    def test_a_cloud_that_does_not_answer_is_one_line(self) -> None:
        class Refused(grpc.RpcError):
            def code(self) -> grpc.StatusCode:
                return grpc.StatusCode.UNKNOWN

            def details(self) -> str:
                return "404 NotAuthorizedOrNotFound\nsuggestion: check the policy"

        def refuse(_args: object) -> dict[str, Any]:
            raise Refused

        cloud = Cloud()
        cloud.results["oci:ContainerEngine/getClusterOption:getClusterOption"] = refuse
        with pytest.raises(pulumi.RunError, match="404 NotAuthorizedOrNotFound") as caught:
            run(cloud=cloud)
        assert len(str(caught.value).splitlines()) == 1
