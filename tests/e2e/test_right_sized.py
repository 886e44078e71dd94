"""The right-sized stack over its whole life: up, peak, idle again, destroy; nothing left."""

import json
import signal
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest

from experiments.load import job
from tests.support.cloud import Cloud, eventually, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK = "oke-right-sized"
MODELS = ("vgg16", "squeezenet1_1")
MANAGEMENT_PRICE = 2 * 0.068


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("right-sized") / "home") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def stack(cloud: Cloud) -> Cloud:
    up = cloud.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    return cloud


def sizes(cloud: Cloud) -> Counter[tuple[str, int, int]]:
    """Shape, millicores and GiB of running inference instances."""
    found = Counter(
        (each["shape"], each["cpu_millicores"], each["memory_bytes"] // 2**30) for each in cloud.instances()
    )
    found.subtract({("VM.Standard.A1.Flex", 2000, 32): 2})
    return +found


def price(cloud: Cloud) -> float:
    return round(sum(each["price_per_hour"] for each in cloud.instances()), 4)


def workers(cloud: Cloud) -> dict[str, int]:
    """Ready workers of each model."""
    return {
        each["metadata"]["labels"]["rightsize.io/model"]: each["status"].get("readyReplicas", 0)
        for each in cloud.items(STACK, "deployments", "-n", "inference")
    }


def test_idle_has_one_right_sized_node_for_each_model(stack: Cloud) -> None:
    outputs = json.loads(stack.pulumi("stack", "output", "--stack", STACK, "--json").stdout)
    assert workers(stack) == dict.fromkeys(MODELS, 1)
    assert sizes(stack) == {("VM.Standard.A1.Flex", 1000, 6): 1, ("VM.Standard.A1.Flex", 1000, 4): 1}
    assert price(stack) == pytest.approx(MANAGEMENT_PRICE + 0.019 + 0.016)
    assert outputs["price_per_hour_idle"] == pytest.approx(price(stack))


def test_a_second_preview_finds_nothing_to_change(stack: Cloud) -> None:
    preview = stack.pulumi("preview", "--stack", STACK, "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout + preview.stderr


def test_the_provisioner_says_why_it_bought(stack: Cloud) -> None:
    log = stack.kubectl(STACK, "logs", "-n", "rightsize-system", "deployment/provisioner")
    assert "VM.Standard.A1.Flex" in log


def test_load_brings_workers_and_nodes_and_its_end_removes_them(stack: Cloud) -> None:
    for model in MODELS:
        stack.kubectl(STACK, "apply", "-n", "inference", "-f", "-", text=json.dumps(job(model)))
    eventually(lambda: workers(stack) == dict.fromkeys(MODELS, 4), "four ready workers of each model")
    assert sizes(stack) == {("VM.Standard.A1.Flex", 1000, 6): 4, ("VM.Standard.A1.Flex", 1000, 4): 4}

    stack.kubectl(STACK, "delete", "jobs", "-n", "inference", "--all", "--wait=false")
    eventually(lambda: workers(stack) == dict.fromkeys(MODELS, 1), "one worker of each model")
    eventually(
        lambda: sizes(stack) == {("VM.Standard.A1.Flex", 1000, 6): 1, ("VM.Standard.A1.Flex", 1000, 4): 1},
        "one node for each model",
    )


def test_destroy_leaves_nothing_although_the_provisioner_was_killed(stack: Cloud) -> None:
    for process in provisioners(stack):
        process.send_signal(signal.SIGKILL)
    destroy = stack.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    eventually(lambda: stack.instances() == [], "no running instance on the bill", within_s=60)
    assert provisioners(stack) == []


def provisioners(cloud: Cloud) -> list[psutil.Process]:
    return [each for each in cloud.processes() if "provisioner" in each.cmdline()]
