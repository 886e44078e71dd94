"""Pods whose image the emulator knows run as local processes, as under a kubelet."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.kube import Kubectl, kubectl_on, node, process_pod, running
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("process-pods") / "cluster"


@pytest.fixture(scope="module")
def kubectl(home: Path) -> Iterator[Kubectl]:
    with running("process-pods", home, node("worker")) as cluster:
        yield kubectl_on(cluster)


def status_of(kubectl: Kubectl, name: str) -> dict[str, Any]:
    pod = kubectl.get("pod", name)
    rows = (pod or {}).get("status", {}).get("containerStatuses") or [{}]
    return {"phase": (pod or {}).get("status", {}).get("phase"), **rows[0]}


def is_ready(kubectl: Kubectl, name: str) -> bool:
    return bool(status_of(kubectl, name).get("ready"))


def told_by(kubectl: Kubectl, name: str) -> dict[str, Any]:
    line = until("output", lambda: kubectl.run("logs", name).stdout.splitlines()[:1])[0]
    told: dict[str, Any] = json.loads(line)
    return told


def pid_of(home: Path, kubectl: Kubectl, name: str) -> int:
    uid = kubectl.get("pod", name)["metadata"]["uid"]
    return int(json.loads((home / "pods" / uid / "process.json").read_text())["pid"])


def test_environment_arguments_and_addresses_are_those_of_a_kubelet(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=settings.yaml=cloud: oke")
    kubectl("create", "secret", "generic", "hidden", "--from-literal=KEY=s3cret")
    env = [
        {"name": "TEXT", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "settings.yaml"}}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "KEY"}}},
        {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "BOTH", "value": "$(ME)-$(SECRET)"},
    ]
    container = {"env": env, "envFrom": [{"secretRef": {"name": "hidden"}}]}
    kubectl.apply(process_pod("resolved", "run", "--as=$(ME)", container=container))
    until("ready", lambda: is_ready(kubectl, "resolved"))
    told, pod = told_by(kubectl, "resolved"), kubectl.get("pod", "resolved")
    assert told["args"] == ["run", "--as=resolved"]
    wanted = {
        "TEXT": "cloud: oke",
        "SECRET": "s3cret",
        "KEY": "s3cret",
        "BOTH": "resolved-s3cret",
        "CLOUD": "default/default",
        "KUBERNETES_SERVICE_HOST": "127.9.9.9",
        "IP": pod["status"]["podIP"],
    }
    assert {name: told["env"].get(name) for name in wanted} == wanted
    assert pod["status"]["podIP"].startswith("10.")
    assert kubectl("exec", "resolved", "--", "sh", "-c", "echo $BOTH").strip() == "resolved-s3cret"


def test_its_token_and_kubeconfig_are_those_of_its_service_account(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "clusterrole", "see-nodes", "--verb=get,list", "--resource=nodes")
    kubectl(
        "create",
        "clusterrolebinding",
        "see-nodes",
        "--clusterrole=see-nodes",
        "--serviceaccount=default:reader",
    )
    kubectl.apply(process_pod("identified", serviceAccountName="reader"))
    until("ready", lambda: is_ready(kubectl, "identified"))
    env = told_by(kubectl, "identified")["env"]
    own = Kubectl(Path(env["RIGHTSIZE_KUBECONFIG"]))
    assert "worker" in own("get", "nodes")
    assert "Forbidden" in own.run("get", "secrets").stderr
    assert len(Path(env["RIGHTSIZE_SERVICE_ACCOUNT_TOKEN_PATH"]).read_text().split(".")) == 3


def test_an_image_with_registry_and_tag_is_never_touched_by_kwok(kubectl: Kubectl) -> None:
    image = "registry.example:5000/rightsize/test-process:1.2.3"
    kubectl.apply(process_pod("tagged", image=image))
    until("ready", lambda: is_ready(kubectl, "tagged"))
    kubectl.apply(process_pod("similar", image="rightsize/test-process-not"))
    until("kwok's", lambda: is_ready(kubectl, "similar"))
    assert kubectl.get("pod", "tagged")["status"]["podIP"].split(".")[1] != "244"
    assert kubectl.get("pod", "similar")["status"]["podIP"].startswith("10.244.")


def test_a_missing_config_map_keeps_the_container_waiting_until_it_is_there(kubectl: Kubectl) -> None:
    env = [{"name": "LATER", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "key"}}}]
    kubectl.apply(process_pod("waiting", container={"env": env}))
    state = until("waiting", lambda: status_of(kubectl, "waiting").get("state", {}).get("waiting"))
    assert state["reason"] == "CreateContainerConfigError"
    assert "configmap 'later' not found" in state["message"]
    kubectl("create", "configmap", "later", "--from-literal=key=now")
    until("ready", lambda: is_ready(kubectl, "waiting"))
    assert told_by(kubectl, "waiting")["env"]["LATER"] == "now"


def test_a_killed_process_is_started_again(home: Path, kubectl: Kubectl) -> None:
    kubectl.apply(process_pod("killed"))
    until("ready", lambda: is_ready(kubectl, "killed"))
    first = pid_of(home, kubectl, "killed")
    os.kill(first, signal.SIGKILL)
    until(
        "restarted", lambda: is_ready(kubectl, "killed") and status_of(kubectl, "killed")["restartCount"] == 1
    )
    assert pid_of(home, kubectl, "killed") != first
    assert status_of(kubectl, "killed")["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGKILL


def test_a_process_that_fails_again_and_again_is_held_back(kubectl: Kubectl) -> None:
    kubectl.apply(process_pod("failing", "--fail"))
    until(
        "back-off",
        lambda: (
            status_of(kubectl, "failing").get("state", {}).get("waiting", {}).get("reason")
            == "CrashLoopBackOff"
        ),
    )
    assert status_of(kubectl, "failing")["lastState"]["terminated"]["exitCode"] == 3


@pytest.mark.parametrize(("wish", "phase"), [("--done", "Succeeded"), ("--fail", "Failed")])
def test_a_pod_that_is_not_to_be_restarted_ends(kubectl: Kubectl, wish: str, phase: str) -> None:
    name = f"once{wish.replace('--', '-')}"
    kubectl.apply(process_pod(name, wish, restartPolicy="Never"))
    until(phase, lambda: status_of(kubectl, name)["phase"] == phase)
    kubectl("delete", "pod", name, "--timeout=10s")


def test_deletion_asks_first_and_leaves_nothing(home: Path, kubectl: Kubectl) -> None:
    kubectl.apply(process_pod("polite"))
    until("ready", lambda: is_ready(kubectl, "polite"))
    process = psutil.Process(pid_of(home, kubectl, "polite"))
    log = home / "pods" / kubectl.get("pod", "polite")["metadata"]["uid"] / "container.log"
    kubectl("delete", "pod", "polite", "--timeout=10s")
    assert not process.is_running()
    assert log.read_text().endswith("stdout F bye\n")


def test_a_process_that_does_not_listen_is_killed_when_the_grace_is_over(
    home: Path, kubectl: Kubectl
) -> None:
    kubectl.apply(process_pod("deaf", "--deaf", terminationGracePeriodSeconds=1))
    until("deaf", lambda: is_ready(kubectl, "deaf") and "deaf" in kubectl.run("logs", "deaf").stdout.split())
    process = psutil.Process(pid_of(home, kubectl, "deaf"))
    kubectl("delete", "pod", "deaf", "--timeout=20s")
    assert not process.is_running()


def test_measured_cpu_reaches_the_metrics_api(kubectl: Kubectl) -> None:
    kubectl.apply(process_pod("busy", "--busy"))

    def millicores() -> int:
        done = kubectl.run("top", "pod", "busy", "--no-headers")
        return int(done.stdout.split()[1].rstrip("m")) if done.returncode == 0 else 0

    assert until("some CPU", lambda: millicores() > 100, timeout_s=90)
    kubectl("delete", "pod", "busy")


def test_the_provisioners_image_runs_the_provisioner(kubectl: Kubectl) -> None:
    image = "registry.example/tenancy/rightsize/provisioner:0.1.0"
    kubectl.apply(process_pod("help", "--help", image=image, restartPolicy="Never"))
    until("its end", lambda: status_of(kubectl, "help")["phase"] == "Succeeded")
    assert "explain" in until("its help", lambda: kubectl.run("logs", "help").stdout)
