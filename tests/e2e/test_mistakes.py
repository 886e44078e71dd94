"""What a user's mistakes and impatience lead to: one clear message, and nothing left running."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud import ROOT, Cloud, eventually, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

STACK = "oke"
INTERRUPTED = 130


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("mistakes") / "home") as cloud:
        yield cloud


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("variant", "huge", "variant: 'huge'"),
        ("colour", "red", "colour"),
        ("models.vgg16.right_sized.cpu", "1000", "models.vgg16.right_sized"),
        ("budget.pricePerHour", "0.01", "budget.pricePerHour"),
        ("kubernetesVersion", "v1.2.3", "kubernetesVersion: 'v1.2.3'"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_made(
    cloud: Cloud, path: str, value: str, said: str
) -> None:
    file = cloud.home / "program" / f"Pulumi.{STACK}.yaml"
    before = file.read_text()
    try:
        cloud.pulumi("config", "set", "--path", f"rightsize:{path}", value, "--stack", STACK)
        up = cloud.pulumi("up", "--yes", "--stack", STACK)
    finally:
        file.write_text(before)
    assert up.returncode == 1
    assert f"error: {said}" in up.stdout
    assert "Traceback" not in up.stdout + up.stderr
    assert cloud.instances() == []


def test_an_interrupted_update_is_gone_with_the_next_destroy(cloud: Cloud) -> None:
    up = started(cloud, "pulumi", "up", "--yes", "--non-interactive", "--stack", STACK)
    eventually(lambda: cloud.instances() != [], "the first nodes")
    up.send_signal(signal.SIGINT)
    up.communicate(timeout=120)
    assert up.returncode != 0
    destroy = cloud.pulumi("destroy", "--yes", "--stack", STACK)
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    assert cloud.instances() == []


def test_an_interrupted_run_stops_what_it_started(cloud: Cloud, tmp_path: Path) -> None:
    out = tmp_path / "run"
    experiment = Cloud(out / "emulator")
    arguments = ("--cloud", "oke", "--variants", "right-sized", "--out", str(out))
    run = started(cloud, sys.executable, "-m", "experiments", "run", *arguments)
    eventually(
        lambda: any("etcd" in one.name() for one in experiment.processes()), "a cluster of the run's own"
    )
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == INTERRUPTED
    assert "interrupted: what the run had started is stopped" in said
    assert "Traceback" not in said
    assert experiment.processes() == []


def started(cloud: Cloud, *command: str) -> "subprocess.Popen[str]":
    """A command in the checkout, in a process group of its own as in a terminal."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **cloud.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
