from dataclasses import replace
from typing import Any

import pytest

from catalog.timing import CLOUD, DEMO
from components.model_manifests import (
    Placement,
    Server,
    autoscaler_spec,
    config_properties,
    deployment_spec,
    disruption_budget_spec,
    service_spec,
)

VGG = Server(
    model="vgg16",
    image="rightsize/serving:0.1.0",
    archive="vgg16.mar",
    environment={"LOG_LEVEL": "info"},
    cpu_millicores=400,
    memory_bytes=4_000_000_000,
    gpus=0,
    max_workers=4,
)
ALONE = Placement(node_selector={"role": "inference"}, pod_labels={"served": "true"}, alone=True, surge=True)
SHARED = replace(ALONE, alone=False, surge=False)


def pod(server: Server = VGG, placement: Placement = ALONE) -> Any:
    return deployment_spec(server, placement, CLOUD)["template"]["spec"]


def container(server: Server = VGG) -> Any:
    (found,) = pod(server)["containers"]
    return found


def test_replicas_are_the_autoscalers() -> None:
    assert "replicas" not in deployment_spec(VGG, ALONE, CLOUD)


def test_a_worker_asks_for_the_published_size() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "400m", "memory": "4G"},
        "limits": {"memory": "4G"},
    }


def test_a_gpu_is_asked_for_and_its_taint_tolerated() -> None:
    on_gpu = replace(VGG, gpus=1)
    assert container(on_gpu)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {row["key"] for row in pod(on_gpu)["tolerations"]} == {"rightsize.io/role", "nvidia.com/gpu"}
    assert {row["key"] for row in pod()["tolerations"]} == {"rightsize.io/role"}


def test_pods_alone_on_their_nodes_repel_their_like() -> None:
    (term,) = pod()["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"].items() <= labels().items()
    assert "affinity" not in pod(placement=SHARED)


def labels() -> Any:
    return deployment_spec(VGG, ALONE, CLOUD)["template"]["metadata"]["labels"]


@pytest.mark.parametrize(("placement", "steps"), [(ALONE, (1, 0)), (SHARED, (0, 1))])
def test_a_full_pool_is_rolled_without_a_surge(placement: Placement, steps: tuple[int, int]) -> None:
    rolling = deployment_spec(VGG, placement, CLOUD)["strategy"]["rollingUpdate"]
    assert (rolling["maxSurge"], rolling["maxUnavailable"]) == steps


def test_every_selector_finds_the_pods() -> None:
    for spec in (
        deployment_spec(VGG, ALONE, CLOUD)["selector"]["matchLabels"],
        service_spec(VGG)["selector"],
        disruption_budget_spec(VGG)["selector"]["matchLabels"],
    ):
        assert spec.items() <= labels().items()


def test_a_changed_configuration_rolls_the_pods() -> None:
    def template(server: Server) -> Any:
        return deployment_spec(server, ALONE, CLOUD)["template"]

    assert template(VGG) == template(replace(VGG))
    assert template(VGG)["metadata"] != template(replace(VGG, archive="other.mar"))["metadata"]


def test_the_autoscaler_goes_up_in_one_step_and_down_after_the_window() -> None:
    spec = autoscaler_spec(VGG, DEMO)
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 4)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    assert spec["behavior"]["scaleUp"]["policies"] == [{"type": "Pods", "value": 4, "periodSeconds": 15}]
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == DEMO.hpa_scale_down_window_s


def test_one_pod_may_be_disrupted_at_a_time() -> None:
    assert disruption_budget_spec(VGG)["maxUnavailable"] == 1


def test_pods_meet_the_restricted_standard() -> None:
    context, inner = pod()["securityContext"], container()["securityContext"]
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not inner["allowPrivilegeEscalation"]
    assert inner["capabilities"] == {"drop": ["ALL"]}
    assert {kind for volume in pod()["volumes"] for kind in volume} == {"name", "configMap", "emptyDir"}
    assert not pod()["automountServiceAccountToken"]


def test_torchserve_has_one_worker_one_thread_and_a_private_management_api() -> None:
    lines = config_properties(VGG).splitlines()
    assert "default_workers_per_model=1" in lines
    assert "number_of_netty_threads=1" in lines
    assert "load_models=vgg16=vgg16.mar" in lines
    assert "management_address=http://127.0.0.1:8081" in lines


def test_probes_ask_the_port_that_serves() -> None:
    ports = {port["name"] for port in container()["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container()[probe]["httpGet"]["port"] in ports
    assert service_spec(VGG)["ports"][0]["targetPort"] in ports
