"""The load Job: what the emulated cloud reads from it, and that nothing is bought for it."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.names import IMAGE_LOAD, MODEL_KEY, PROVISION_KEY, ROLE_KEY
from experiments import generator
from experiments.load import PEAK_DEMAND_CORES, closed_job, job, job_name, sending_job
from experiments.published import published

REQUEST_CORES = Decimal("0.4")
TARGET = Decimal("0.5")
TOLERANCE = Decimal("1.1")


def pod_of(model: str) -> dict[str, object]:
    spec: dict[str, object] = job(model)["spec"]["template"]["spec"]
    return spec


def test_the_container_names_model_and_demand() -> None:
    (container,) = job("squeezenet1_1")["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--model", "squeezenet1_1", "--demand-cores", "2.0"]
    assert container["image"].split(":")[0] == IMAGE_LOAD
    assert job_name("squeezenet1_1") == "load-squeezenet1-1"


def test_it_runs_on_management_nodes_and_is_neither_a_server_nor_provisioned_for() -> None:
    labels = job("vgg16")["spec"]["template"]["metadata"]["labels"]
    assert pod_of("vgg16")["nodeSelector"] == {ROLE_KEY: "management"}
    assert MODEL_KEY not in labels
    assert PROVISION_KEY not in labels


def test_it_is_admitted_under_pod_security_restricted() -> None:
    spec = job("vgg16")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


WORKERS = sorted(
    {w.max_workers for c in published().clouds.values() for v in c.variants.values() for w in v.values()}
)


@pytest.mark.parametrize("workers", WORKERS)
def test_the_peak_surely_reaches_every_published_count_of_workers(workers: int) -> None:
    """With one worker fewer, use per worker must exceed the target by more than the HPA's tolerance."""
    assert PEAK_DEMAND_CORES / (workers - 1) > TOLERANCE * TARGET * REQUEST_CORES


def test_on_a_real_cluster_every_variant_gets_the_stated_rate() -> None:
    spec = sending_job("vgg16", "http://10.0.0.9/x", "iad.ocir.io/mine")["spec"]["template"]["spec"]
    assert spec["containers"][0]["args"][-2:] == ["--rate", "0.8"]


@pytest.mark.parametrize(
    ("manifest", "form"),
    [
        (sending_job("vgg16", "http://127.1.2.3:8080/x"), ["--rate", "0.8", "--least-cores", "0.2"]),
        (closed_job("vgg16", "http://127.1.2.3:8080/x", 150), ["--connections", "150"]),
    ],
)
def test_real_load_is_the_same_job_with_a_generators_arguments(
    manifest: dict[str, Any], form: list[str]
) -> None:
    spec = manifest["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert container["args"] == ["--model", "vgg16", "--url", "http://127.1.2.3:8080/x", *form]
    assert generator._options(container["args"]).model == "vgg16"
    assert manifest["metadata"] == job("vgg16")["metadata"]
    assert spec["nodeSelector"] == {ROLE_KEY: "management"}
    assert spec["terminationGracePeriodSeconds"] == 10
