"""The emulator's own life: start, use by the SDK and kubectl, stop, and every rude way to end it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cloud import ROOT, Cloud, eventually
from tests.support.oracle import Client, cluster_details, ground, pool_details

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path / "home")
    yield cloud
    cloud.emulator("stop")
    assert cloud.processes() == []


@pytest.fixture
def started(cloud: Cloud) -> Cloud:
    answer = cloud.emulator("start")
    assert answer.returncode == 0, answer.stderr
    cloud.enter()
    return cloud


def note(cloud: Cloud) -> dict[str, str]:
    found: dict[str, str] = json.loads((cloud.home / "emulator.json").read_text())
    return found


def with_cluster(cloud: Cloud) -> Client:
    """A cluster with two nodes, made through the SDK."""
    oracle = Client(note(cloud)["endpoint"])
    place = ground(oracle)
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster, size=2)))
    return oracle


def test_a_cluster_made_by_the_sdk_is_there_for_kubectl_and_on_the_bill(started: Cloud) -> None:
    with_cluster(started)
    nodes = started.items("oke-right-sized", "nodes")
    assert [node["metadata"]["name"] for node in nodes] == ["10.0.1.2", "10.0.1.3"]
    assert {each["price_per_hour"] for each in started.instances()} == {0.032}
    assert started.run("kubectl", "config", "current-context").stdout == "oke-right-sized\n"


def test_a_second_start_reports_the_first(started: Cloud) -> None:
    before = note(started)
    again = started.emulator("start")
    assert again.returncode == 0
    assert before["endpoint"] in again.stdout
    assert note(started) == before


def test_the_stacks_are_there_and_the_checkout_stays_clean(started: Cloud) -> None:
    files = sorted((path.name, path.read_bytes()) for path in ROOT.glob("Pulumi*.yaml"))
    listed = json.loads(started.pulumi("stack", "ls", "--json").stdout)
    names = {stack["name"].rsplit("/", 1)[-1] for stack in listed}
    variants = ("", "-max-sized", "-dynamic", "-right-sized")
    assert names == {f"{cloud}{variant}" for cloud in ("oke", "gke") for variant in variants}
    assert sorted((path.name, path.read_bytes()) for path in ROOT.glob("Pulumi*.yaml")) == files


def test_stopping_ends_everything_and_keeps_the_last_bill(started: Cloud) -> None:
    with_cluster(started)
    assert started.emulator("stop").returncode == 0
    assert started.processes() == []
    assert started.emulator("env").returncode == 1
    bill = json.loads((started.home / "bill.json").read_text())
    assert len(bill["instances"]) == 2
    assert all(each["stopped_at"] is not None for each in bill["instances"])


def test_the_next_start_is_a_fresh_cloud(started: Cloud) -> None:
    with_cluster(started)
    started.emulator("stop")
    assert started.emulator("start").returncode == 0
    status = json.loads(started.emulator("status", "--json").stdout)
    assert status["clusters"] == []
    assert started.instances() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_daemon_with_its_clusters(started: Cloud, number: signal.Signals) -> None:
    with_cluster(started)
    os.kill(int(note(started)["pid"]), number)
    eventually(lambda: started.processes() == [], "no process left", within_s=60)


@pytest.mark.parametrize("next_command", ["stop", "start"])
def test_what_a_killed_daemon_left_is_cleaned_up(started: Cloud, next_command: str) -> None:
    with_cluster(started)
    before = {process.pid for process in started.processes()}
    os.kill(int(note(started)["pid"]), signal.SIGKILL)
    assert started.emulator("status", "--json").returncode == 0
    assert started.emulator(next_command).returncode == 0
    assert not before & {process.pid for process in started.processes() if process.is_running()}


def test_a_busy_port_is_one_line_and_leaves_nothing(cloud: Cloud) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        answer = cloud.emulator("start", "--port", str(port))
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert str(port) in line
    assert cloud.processes() == []


def test_the_asked_port_is_used(cloud: Cloud) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert cloud.emulator("start", "--port", str(port)).returncode == 0
    assert note(cloud)["endpoint"] == f"http://127.0.0.1:{port}"


def test_an_interrupted_start_leaves_nothing(cloud: Cloud) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "start"],
        cwd=ROOT,
        env=cloud.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for((cloud.home / "program").exists)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "emulator: interrupted"
    assert cloud.processes() == []


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_homes_are_two_clouds(started: Cloud, tmp_path: Path) -> None:
    other = Cloud(tmp_path / "other")
    try:
        assert other.emulator("start").returncode == 0
        assert note(other)["endpoint"] != note(started)["endpoint"]
        assert other.emulator("stop").returncode == 0
        assert json.loads(started.emulator("status", "--json").stdout)["running"]
    finally:
        other.emulator("stop")
    assert other.processes() == []
