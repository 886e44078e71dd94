"""The right-sized stack as it comes: models share the nodes that are cheapest for all of them, whatever came before."""

import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.load import job
from tests.support.cloud import Cloud, eventually, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK = "oke-right-sized"
MODELS = ("vgg16", "squeezenet1_1")
IDLE, PEAK = Decimal("0.1640"), Decimal("0.2080")
"""What the stack costs an hour at least; found by exact search over sets of nodes."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("optimal") / "home") as cloud:
        up = cloud.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        yield cloud


def price(cloud: Cloud) -> Decimal:
    return sum((Decimal(str(each["price_per_hour"])) for each in cloud.instances()), Decimal(0))


def workers(cloud: Cloud) -> dict[str, int]:
    return {
        each["metadata"]["labels"]["rightsize.io/model"]: each["status"].get("readyReplicas", 0)
        for each in cloud.items(STACK, "deployments", "-n", "inference")
    }


def log(cloud: Cloud) -> list[dict[str, str]]:
    text = cloud.kubectl(STACK, "logs", "-n", "rightsize-system", "deployment/provisioner")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def is_cheapest_or_declined(cloud: Cloud, least: Decimal) -> bool:
    """Whether it costs the least, or the log says last that the difference is not worth the moves."""
    more = price(cloud) - least
    said = [line["event"] for line in log(cloud) if line.get("subject") == "moving"]
    return not more or bool(said and said[-1].startswith(f"${more.normalize():f} an hour less is possible"))


def test_idle_costs_the_least_that_one_worker_of_each_model_can(cloud: Cloud) -> None:
    assert workers(cloud) == dict.fromkeys(MODELS, 1)
    outputs = json.loads(cloud.pulumi("stack", "output", "--stack", STACK, "--json").stdout)
    assert (outputs["price_per_hour_idle"], outputs["price_per_hour_peak"]) == (float(IDLE), float(PEAK))
    eventually(lambda: price(cloud) == IDLE, f"${IDLE} an hour")


def test_the_log_says_why_each_node_was_bought(cloud: Cloud) -> None:
    bought = [line["what"] for line in log(cloud) if line["event"] == "buy"]
    assert [line["mode"] for line in log(cloud) if line["event"] == "starting"] == ["optimal"]
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
    def proposed() -> str:
        words = ("--context", STACK, "--cloud", "oke", "--recommend")
        answer = cloud.run(sys.executable, "-m", "provisioner", "explain", *words)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.startswith("1 samples over ")
        return answer.stdout

    line = r"inference/vgg16, 1 pods: asks for 400m and \d+ MiB, used \d+m"
    eventually(lambda: re.search(line, proposed()) is not None, "requests from the new pod's first metrics")


def test_peak_and_idle_again_cost_the_least_or_what_is_not_worth_moving(cloud: Cloud) -> None:
    for model in MODELS:
        cloud.kubectl(STACK, "apply", "-n", "inference", "-f", "-", text=json.dumps(job(model)))
    eventually(lambda: workers(cloud) == dict.fromkeys(MODELS, 4), "four ready workers of each model")
    eventually(lambda: is_cheapest_or_declined(cloud, PEAK), f"${PEAK} an hour, or a reason")

    cloud.kubectl(STACK, "delete", "jobs", "-n", "inference", "--all", "--wait=false")
    eventually(lambda: workers(cloud) == dict.fromkeys(MODELS, 1), "one worker of each model")
    eventually(lambda: is_cheapest_or_declined(cloud, IDLE), f"${IDLE} an hour, or a reason")
    assert workers(cloud) == dict.fromkeys(MODELS, 1)


def test_destroy_leaves_nothing(cloud: Cloud) -> None:
    destroy = cloud.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    assert cloud.instances() == []
