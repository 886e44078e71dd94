"""Where images are pushed to and pulled from, on both clouds: the same settings, the same export."""

import base64
import json
from typing import Any

import pulumi
import pytest
import yaml

from emulator.oci.account import NAMESPACE
from tests.infra.both_clouds import BOTH, SECRET, Run
from tests.support.every_variant import DEPLOYMENT, pod_of
from tests.support.mocks import Cloud
from tests.support.settings import COMPARTMENT, PROJECT
from tests.support.stacks import run, run_gke

GOOGLES = "gcp:artifactregistry/repository:Repository"
ORACLES = "oci:Artifacts/containerRepository:ContainerRepository"
LOGIN = json.dumps({"auths": {"iad.ocir.io": {"auth": "dXNlcjpwYXNz"}}})
RIGHT_SIZED = {"variant": "right-sized"}


def pods_of(stack: Cloud) -> dict[str, Any]:
    return {one.name: pod_of(one) for one in stack.all(DEPLOYMENT)}


def images_of(stack: Cloud) -> set[str]:
    return {pod["containers"][0]["image"] for pod in pods_of(stack).values()}


@BOTH
def test_nothing_is_made_and_nothing_opened_unless_it_is_asked_for(build: Run) -> None:
    stack = build(RIGHT_SIZED)
    assert "repository" not in stack.exports
    assert not [*stack.all(GOOGLES), *stack.all(ORACLES), *stack.all(SECRET)]
    assert all("imagePullSecrets" not in pod for pod in pods_of(stack).values())


def test_oracles_registry_has_a_private_repository_for_each_image() -> None:
    stack = run({"images.repository": True})
    assert {one.inputs["displayName"] for one in stack.all(ORACLES)} == {
        "oke/rightsize/provisioner",
        "oke/rightsize/load",
        "oke/rightsize/serving",
    }
    assert all(one.inputs["compartmentId"] == COMPARTMENT for one in stack.all(ORACLES))
    assert not any(one.inputs["isPublic"] for one in stack.all(ORACLES))
    assert stack.exports["repository"] == f"ocir.us-ashburn-1.oci.oraclecloud.com/{NAMESPACE}/oke"


def test_googles_registry_has_one_for_all_in_the_stacks_region() -> None:
    stack = run_gke({"images.repository": True})
    repository = stack.one(GOOGLES).inputs
    assert (repository["format"], repository["location"]) == ("DOCKER", "us-central1")
    assert stack.exports["repository"] == f"us-central1-docker.pkg.dev/{PROJECT}/gke"


@BOTH
def test_the_projects_images_come_from_the_registry_that_is_named(build: Run) -> None:
    stack = build({**RIGHT_SIZED, "images.registry": "iad.ocir.io/mine"})
    assert images_of(stack) == {
        "iad.ocir.io/mine/rightsize/provisioner:0.1.0",
        "iad.ocir.io/mine/rightsize/serving:0.1.0",
    }
    on_gpus = build({"images.registry": "iad.ocir.io/mine"})
    assert images_of(on_gpus) == {"iad.ocir.io/mine/rightsize/serving:0.1.0-gpu"}


@BOTH
def test_an_image_that_is_named_in_full_is_left_as_it_is(build: Run) -> None:
    stack = build({"images.registry": "iad.ocir.io/mine", "serving.gpuImage": "example.org/triton:1"})
    assert images_of(stack) == {"example.org/triton:1"}


@BOTH
def test_a_private_registry_is_opened_for_every_pod_by_a_secret_that_comes_first(build: Run) -> None:
    stack = build({**RIGHT_SIZED, "images.pullSecret": LOGIN})
    secrets = {one.inputs["metadata"]["namespace"]: one for one in stack.all(SECRET)}
    assert set(secrets) == {"inference", "rightsize-system"}
    for secret in secrets.values():
        assert secret.inputs["type"] == "kubernetes.io/dockerconfigjson"
        assert base64.b64decode(secret.inputs["data"][".dockerconfigjson"]).decode() == LOGIN
        assert secret.secrets == {"data"}
    for deployment in stack.all(DEPLOYMENT):
        pod = pod_of(deployment)
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        namespace = deployment.inputs["metadata"]["namespace"]
        assert stack.reaches(deployment, secrets[namespace])


def test_googles_nodes_may_start_containers_while_their_image_is_pulled() -> None:
    stack = run_gke({"images.streaming": True})
    for pool in stack.all("gcp:container/nodePool:NodePool"):
        assert pool.inputs["nodeConfig"]["gcfsConfig"] == {"enabled": True}
    roles = {one.inputs["role"] for one in stack.all("gcp:projects/iAMMember:IAMMember")}
    assert "roles/serviceusage.serviceUsageConsumer" in roles


def test_the_nodes_that_are_bought_do_so_too() -> None:
    stack = run_gke({**RIGHT_SIZED, "images.streaming": True})
    config = stack.one("kubernetes:core/v1:ConfigMap", "provisioner").inputs["data"]["settings.yaml"]
    assert yaml.safe_load(config)["site"]["image_streaming"] is True


def test_nothing_is_streamed_unless_it_is_said() -> None:
    stack = run_gke()
    for pool in stack.all("gcp:container/nodePool:NodePool"):
        assert "gcfsConfig" not in pool.inputs["nodeConfig"]


def test_oracles_nodes_cannot() -> None:
    with pytest.raises(pulumi.RunError, match=r"images\.streaming"):
        run({"images.streaming": True})
