"""The right-sized stack with `provisioner.mode optimal`: models share what is cheapest for all of them."""

import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.cloud import Cloud, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK = "oke-right-sized"
MODELS = ("vgg16", "squeezenet1_1")
BIN_SELECT_AT_IDLE = Decimal("0.1710")
"""What the same stack costs an hour by its default mode."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("optimal") / "home") as cloud:
        chosen = cloud.pulumi(
            "config", "set", "--path", "rightsize:provisioner.mode", "optimal", "--stack", STACK
        )
        assert chosen.returncode == 0, chosen.stdout + chosen.stderr
        up = cloud.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        yield cloud


def price(cloud: Cloud) -> Decimal:
    return sum((Decimal(str(each["price_per_hour"])) for each in cloud.instances()), Decimal(0))


def test_idle_costs_no_more_than_a_node_for_each_model_and_what_was_said_before(cloud: Cloud) -> None:
    workers = {
        each["metadata"]["labels"]["rightsize.io/model"]: each["status"].get("readyReplicas", 0)
        for each in cloud.items(STACK, "deployments", "-n", "inference")
    }
    assert workers == dict.fromkeys(MODELS, 1)
    outputs = json.loads(cloud.pulumi("stack", "output", "--stack", STACK, "--json").stdout)
    assert Decimal(str(outputs["price_per_hour_idle"])) <= price(cloud) <= BIN_SELECT_AT_IDLE


def test_the_log_says_why_each_node_was_bought(cloud: Cloud) -> None:
    log = cloud.kubectl(STACK, "logs", "-n", "rightsize-system", "deployment/provisioner")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    bought = [line["what"] for line in lines if line["event"] == "buy"]
    assert [line["mode"] for line in lines if line["event"] == "starting"] == ["optimal"]
    assert len(bought) == len(cloud.instances()) - 2
    assert all("the cheapest that holds" in what for what in bought)
    assert all(any(f"inference/{name}" in what for what in bought) for name in ("vgg16", "squeezenet1-1"))


def test_the_cluster_is_explained_from_outside_by_the_controllers_own_settings(
    cloud: Cloud, tmp_path: Path
) -> None:
    config = json.loads(
        cloud.kubectl(STACK, "get", "configmap", "provisioner", "-n", "rightsize-system", "-o", "json")
    )
    settings = tmp_path / "settings.yaml"
    settings.write_text(config["data"]["settings.yaml"])
    words = ("--context", STACK, "--policy", str(settings))
    explained = cloud.run(sys.executable, "-m", "provisioner", "explain", *words)
    assert explained.returncode == 0, explained.stderr

    ours = {
        each["spec"]["providerID"].rpartition("/")[2]: each["metadata"]["name"]
        for each in cloud.items(STACK, "nodes", "-l", "rightsize.io/role=inference")
    }
    billed = [Decimal(str(each["price_per_hour"])) for each in cloud.instances() if each["id"] in ours]
    assert len(billed) == len(ours) > 0
    said = re.search(r"(\d+) nodes are bought, \$([\d.]+) an hour", explained.stdout)
    assert said is not None, explained.stdout
    assert (int(said[1]), Decimal(said[2])) == (len(ours), sum(billed))
    assert "0 nodes to buy" in explained.stdout
    assert all(name in explained.stdout for name in ours.values())


def test_requests_are_proposed_from_what_the_cluster_measures(cloud: Cloud) -> None:
    proposed = cloud.run(
        sys.executable, "-m", "provisioner", "explain", "--context", STACK, "--cloud", "oke", "--recommend"
    )
    assert proposed.returncode == 0, proposed.stderr
    assert proposed.stdout.startswith("1 samples over ")
    assert re.search(r"inference/vgg16, 1 pods: asks for 400m and \d+ MiB, used \d+m", proposed.stdout)


def test_destroy_leaves_nothing(cloud: Cloud) -> None:
    destroy = cloud.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    assert cloud.instances() == []
