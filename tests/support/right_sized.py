"""The right-sized stack of a cloud over its whole life: up, peak, idle again, destroy; nothing left."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from experiments.load import job
from tests.support.cloud import Cloud, eventually, running_cloud

MODELS = ("vgg16", "squeezenet1_1")
Machine = tuple[str, int, int]
"""Shape, millicores and GiB."""


@dataclass(frozen=True)
class Case:
    """A stack, its two static nodes, and what one worker of each model gets."""

    stack: str
    management: Machine
    machines: tuple[Machine, Machine]
    price_at_idle: float

    def __str__(self) -> str:
        return self.stack


OKE = Case(
    "oke-right-sized",
    ("VM.Standard.A1.Flex", 2000, 32),
    (("VM.Standard.A1.Flex", 1000, 6), ("VM.Standard.A1.Flex", 1000, 4)),
    2 * 0.068 + 0.019 + 0.016,
)
GKE = Case(
    "gke-right-sized",
    ("t2a-standard-2", 2000, 8),
    (("n4a-standard-2", 2000, 8), ("n4a-standard-1", 1000, 4)),
    2 * 0.077 + 0.077 + 0.0385,
)


class Stack:
    """A stack that is up, on a cloud of its own."""

    def __init__(self, case: Case, cloud: Cloud) -> None:
        self.case = case
        self.cloud = cloud

    def bought(self) -> Counter[Machine]:
        """Running instances without the two static ones."""
        found = Counter(
            (each["shape"], each["cpu_millicores"], each["memory_bytes"] // 2**30)
            for each in self.cloud.instances()
        )
        found.subtract({self.case.management: 2})
        return +found

    def price(self) -> float:
        return sum(each["price_per_hour"] for each in self.cloud.instances())

    def workers(self) -> dict[str, int]:
        """Ready workers of each model."""
        return {
            each["metadata"]["labels"]["rightsize.io/model"]: each["status"].get("readyReplicas", 0)
            for each in self.cloud.items(self.case.stack, "deployments", "-n", "inference")
        }

    def provisioners(self) -> list[psutil.Process]:
        return [each for each in self.cloud.processes() if "provisioner" in each.cmdline()]


def brought_up(case: Case, home: Path) -> Iterator[Stack]:
    """The stack, up on a cloud of its own for the time of the tests; each pod with a node of its own."""
    with running_cloud(home) as cloud:
        mode = cloud.pulumi(
            "config", "set", "--path", "rightsize:provisioner.mode", "bin-select", "--stack", case.stack
        )
        assert mode.returncode == 0, mode.stdout + mode.stderr
        up = cloud.pulumi("up", "--stack", case.stack, "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        yield Stack(case, cloud)


class Life:
    """What is tried on every cloud, in this order; a file for each, so that they can run side by side."""

    def test_idle_has_one_right_sized_node_for_each_model(self, stack: Stack) -> None:
        outputs = json.loads(
            stack.cloud.pulumi("stack", "output", "--stack", stack.case.stack, "--json").stdout
        )
        assert stack.workers() == dict.fromkeys(MODELS, 1)
        assert stack.bought() == dict.fromkeys(stack.case.machines, 1)
        assert stack.price() == pytest.approx(stack.case.price_at_idle)
        assert outputs["price_per_hour_idle"] == pytest.approx(stack.price())

    def test_neither_a_second_preview_nor_a_refresh_finds_a_change(self, stack: Stack) -> None:
        for command in ("preview", "refresh"):
            confirmed = ("--yes",) if command == "refresh" else ()
            answer = stack.cloud.pulumi(
                command, "--stack", stack.case.stack, "--expect-no-changes", *confirmed
            )
            assert answer.returncode == 0, answer.stdout + answer.stderr

    def test_the_provisioner_says_why_it_bought(self, stack: Stack) -> None:
        log = stack.cloud.kubectl(
            stack.case.stack, "logs", "-n", "rightsize-system", "deployment/provisioner"
        )
        assert all(f"{shape}" in log for shape, _, _ in stack.case.machines)
        assert "the cheapest that holds it" in log

    def test_load_brings_workers_and_nodes_and_its_end_removes_them(self, stack: Stack) -> None:
        name, cloud = stack.case.stack, stack.cloud
        for model in MODELS:
            cloud.kubectl(name, "apply", "-n", "inference", "-f", "-", text=json.dumps(job(model)))
        eventually(lambda: stack.workers() == dict.fromkeys(MODELS, 4), "four ready workers of each model")
        assert stack.bought() == dict.fromkeys(stack.case.machines, 4)

        cloud.kubectl(name, "delete", "jobs", "-n", "inference", "--all", "--wait=false")
        eventually(lambda: stack.workers() == dict.fromkeys(MODELS, 1), "one worker of each model")
        eventually(lambda: stack.bought() == dict.fromkeys(stack.case.machines, 1), "one node for each model")

    def test_destroy_leaves_nothing_although_the_provisioner_was_killed(self, stack: Stack) -> None:
        for process in stack.provisioners():
            process.send_signal(signal.SIGKILL)
        destroy = stack.cloud.pulumi("destroy", "--stack", stack.case.stack, "--yes", "--skip-preview")
        assert destroy.returncode == 0, destroy.stdout + destroy.stderr
        eventually(lambda: stack.cloud.instances() == [], "no running instance on the bill", within_s=60)
        assert stack.provisioners() == []
