"""What stacks of every cloud declare alike, and how it is looked at."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from provisioner.settings import Settings, parse
from tests.support.mocks import Cloud, Declared

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE = "kubernetes:core/v1:Service"
CAPACITY = "pulumi-python:dynamic/rightsize:ProvisionedCapacity"
VARIANTS = ("max-sized", "dynamic", "right-sized")


def pod_of(deployment: Declared) -> Any:
    return deployment.inputs["spec"]["template"]["spec"]


def settings_text(stack: Cloud) -> str:
    """What the provisioner is told, as YAML."""
    return str(stack.one(CONFIG_MAP, "provisioner").inputs["data"]["settings.yaml"])


def told(stack: Cloud) -> Settings[Any]:
    """The same, as the provisioner reads it."""
    return parse(settings_text(stack))


def scratch(stack: Cloud) -> Mapping[str, Any]:
    """The provisioner's own volume."""
    (volume,) = pod_of(stack.one(DEPLOYMENT, "provisioner"))["volumes"]
    found: Mapping[str, Any] = volume["emptyDir"]
    return found


def own_of(stacks: Mapping[str, Cloud]) -> dict[str, set[str]]:
    """Names of what a variant has and not all of them have, without our components."""
    sets = {variant: {(one.token, one.name) for one in stack.declared} for variant, stack in stacks.items()}
    common = set.intersection(*sets.values())
    return {
        variant: {name for token, name in found - common if not token.startswith("rightsize:")}
        for variant, found in sets.items()
    }


class EveryVariant:
    """Tried on each variant of each cloud; the fixture `stack` is the module's."""

    def test_exports_exactly_what_the_promise_says(self, stack: Cloud) -> None:
        assert set(stack.exports) == {
            "cluster_id",
            "kubeconfig",
            "namespace",
            "endpoints",
            "price_per_hour_idle",
            "price_per_hour_peak",
        }
        assert stack.exports["namespace"] == "inference"
        assert set(stack.exports["endpoints"]) == {"squeezenet1_1", "vgg16"}
        assert stack.exports["endpoints"]["vgg16"].endswith(":8080/predictions/vgg16")

    def test_keeps_the_kubeconfig_secret(self, stack: Cloud) -> None:
        assert stack.secret_exports == {"kubeconfig"}
        provider = stack.one("pulumi:providers:kubernetes")
        assert "kubeconfig" in provider.secrets
        server = yaml.safe_load(stack.exports["kubeconfig"])["clusters"][0]["cluster"]["server"]
        others = [one for one in stack.declared if one is not provider and one.custom]
        assert not [one.name for one in others if server in json.dumps(one.inputs)]

    def test_serves_each_model_with_one_deployment_service_autoscaler_and_budget(self, stack: Cloud) -> None:
        names = ["squeezenet1-1", "vgg16"]
        assert stack.names("kubernetes:autoscaling/v2:HorizontalPodAutoscaler") == names
        assert stack.names("kubernetes:policy/v1:PodDisruptionBudget") == names
        assert stack.names(SERVICE) == names
        for name in names:
            deployment = stack.one(DEPLOYMENT, name).inputs
            assert "replicas" not in deployment["spec"]
            assert deployment["metadata"]["namespace"] == "inference"

    def test_admits_restricted_pods_only(self, stack: Cloud) -> None:
        for namespace in stack.all(NAMESPACE):
            labels = namespace.inputs["metadata"]["labels"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
