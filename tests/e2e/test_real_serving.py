"""TorchServe for real: pods that are processes, behind a load balancer that loses no request."""

import http.client
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from catalog.timing import DEMO
from components import model_manifests as manifests
from components.guard import SECRET, Guard
from components.model_manifests import Placement, Server
from emulator import serving
from emulator.kube.cluster import KubeCluster
from emulator.kube.torchserve import PROGRAM
from experiments import predictions
from serving.environment import ROOT, ServingMissing, python, variables
from tests.support.kube import FakeCloud, Kubectl, namespace, node, spec
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

NAMESPACE = "inference"
NAME = "squeezenet1-1"
CAT = (Path(__file__).resolve().parents[2] / "experiments" / "pictures" / "cat.jpg").read_bytes()
SERVER = Server("squeezenet1_1", "rightsize/serving:0.1.0", "squeezenet1_1.mar", {}, 100, 10**9, 0, 4)
ANYWHERE = Placement({}, {}, alone=False, surge=True)
MINUTES = 180.0


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    try:
        python()
    except ServingMissing as missing:
        pytest.skip(str(missing))
    serving.prepare()
    home = tmp_path_factory.mktemp("real-serving") / "cluster"
    cluster = KubeCluster.create(spec("real-serving", home), serving.images(serving.REAL), serves=True)
    try:
        cluster.start(FakeCloud())
        cluster.add_node(node("worker"))
        kubectl = Kubectl(cluster.kubeconfig_path)
        kubectl.apply(namespace(NAMESPACE))
        until("default ServiceAccount", lambda: kubectl.get("serviceaccount", "default", NAMESPACE))
        kubectl.apply(*objects(replicas=2))
        until("ready pods", lambda: ready_pods(kubectl) == 2, timeout_s=MINUTES)
        yield kubectl
    finally:
        cluster.delete()


def objects(*, replicas: int) -> list[dict[str, Any]]:
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": SERVER.labels}
    deployment = manifests.deployment_spec(SERVER, ANYWHERE, DEMO)
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"config.properties": manifests.config_properties(SERVER)},
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": manifests.service_spec(SERVER)},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {**deployment, "replicas": replicas},
        },
    ]


def ready_pods(kubectl: Kubectl) -> int:
    deployment = kubectl.get("deployment", NAME, NAMESPACE) or {}
    return int(deployment.get("status", {}).get("readyReplicas") or 0)


def url(kubectl: Kubectl, service: str = NAME) -> str:
    def address() -> Any:
        status = kubectl.get("service", service, NAMESPACE)["status"]
        return (status["loadBalancer"].get("ingress") or [{}])[0].get("ip")

    found = until("the balancer's address", address)
    assert found.startswith("127.")
    return f"http://{found}:8080/predictions/squeezenet1_1"


def ask(where: str, body: bytes = CAT, **headers: str) -> httpx.Response:
    known = {"Content-Type": "image/jpeg", **headers}
    return httpx.post(where, content=body, headers=known, timeout=60, trust_env=False)


def alone(name: str, server: Server) -> list[dict[str, Any]]:
    """A server of its own beside the others: its pod, its configuration, its balancer."""
    labels = {"app": name}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    pod_spec = manifests.deployment_spec(server, ANYWHERE, DEMO)["template"]["spec"]
    pod_spec["volumes"][0]["configMap"]["name"] = name
    service = {**manifests.service_spec(server), "selector": labels}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"config.properties": manifests.config_properties(server)},
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec},
    ]


def pack(out: Path, weights: str) -> Path:
    """An archive of SqueezeNet with other weights than the image's."""
    command = [str(python()), "-m", "serving.cli", "archive", "--model", SERVER.model, "--unpacked"]
    subprocess.run(
        [*command, "--weights", weights, "--out", str(out)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return out / SERVER.archive


def is_ready(kubectl: Kubectl, pod: str) -> bool:
    conditions = kubectl.get("pod", pod, NAMESPACE)["status"].get("conditions") or ()
    return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)


def remove(kubectl: Kubectl, name: str) -> None:
    kubectl("delete", "pod,service,configmap", "-n", NAMESPACE, name, "--grace-period=1")


def test_a_ready_pod_answers_with_five_classes_and_the_cat_is_a_cat(kubectl: Kubectl) -> None:
    answer = ask(url(kubectl))

    assert answer.status_code == 200
    scores = answer.json()
    assert len(scores) == 5
    assert sum(score for name, score in scores.items() if name.endswith("cat") or name == "tabby") > 0.8


def test_what_is_no_picture_is_refused_and_the_service_stays_up(kubectl: Kubectl) -> None:
    where = url(kubectl)

    assert ask(where, b"no picture").status_code == 400
    assert ask(where, CAT[:9000]).status_code == 400
    assert ask(where.replace("squeezenet1_1", "nosuch")).status_code == 404
    assert ask(where, bytes(100_000_000)).status_code == 413
    assert ask(where).status_code == 200


def test_the_management_api_is_not_behind_the_balancer(kubectl: Kubectl) -> None:
    host = httpx.URL(url(kubectl)).host

    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(host, 8081, timeout=5).connect()


def test_the_pods_log_and_its_measured_memory_are_the_servers(kubectl: Kubectl) -> None:
    assert "Torch worker started" in kubectl("logs", "-n", NAMESPACE, f"deployment/{NAME}")

    def memory() -> list[str]:
        annotations = [pod["metadata"]["annotations"] for pod in kubectl.items("pods", NAMESPACE)]
        return [
            known["kwok.x-k8s.io/usage-memory"]
            for known in annotations
            if "kwok.x-k8s.io/usage-memory" in known
        ]

    first = until("measured memory", memory)[0]
    assert int(first.removesuffix("Mi")) > 200


def test_no_request_is_lost_while_a_worker_is_taken_away(kubectl: Kubectl) -> None:
    where, codes, enough = url(kubectl), [], threading.Event()

    def send() -> None:
        while not enough.is_set():
            codes.append(ask(where).status_code)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    kubectl("scale", "-n", NAMESPACE, f"deployment/{NAME}", "--replicas=1")
    until("one pod", lambda: len(kubectl.items("pods", NAMESPACE)) == 1, timeout_s=MINUTES)
    before = len(codes)
    until("requests after that", lambda: len(codes) > before + 5, timeout_s=MINUTES)
    enough.set()
    for sender in senders:
        sender.join()

    assert set(codes) == {200}


def test_a_worker_that_is_killed_comes_back_by_itself(kubectl: Kubectl) -> None:
    where = url(kubectl)
    (worker,) = (
        process
        for process in psutil.Process().children(recursive=True)
        if "model_service_worker.py" in " ".join(process.cmdline())
    )
    worker.kill()

    until("an answer again", lambda: ask(where).status_code == 200, timeout_s=MINUTES)
    (pod,) = kubectl.items("pods", NAMESPACE)
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_missing_archive_leaves_the_pod_unready_and_its_log_says_why(kubectl: Kubectl) -> None:
    kubectl.apply(*alone("broken", replace(SERVER, archive="nothing.mar")))

    until(
        "the reason",
        lambda: "nothing.mar" in kubectl.run("logs", "-n", NAMESPACE, "broken").stdout,
        timeout_s=MINUTES,
    )
    assert not is_ready(kubectl, "broken")
    remove(kubectl, "broken")


def test_an_archive_whose_weights_are_cut_off_leaves_the_pod_unready_and_its_log_says_why(
    kubectl: Kubectl, tmp_path: Path
) -> None:
    archive = pack(tmp_path, "packaged")
    os.truncate(archive / f"{SERVER.model}.pt", 1_000_000)
    kubectl.apply(*alone("cut-off", replace(SERVER, archive=str(archive))))

    until(
        "the reason",
        lambda: "Error" in kubectl.run("logs", "-n", NAMESPACE, "cut-off").stdout,
        timeout_s=MINUTES,
    )
    assert not is_ready(kubectl, "cut-off")
    remove(kubectl, "cut-off")
    assert ask(url(kubectl)).status_code == 200


def test_an_archive_with_other_weights_is_caught_by_its_predictions(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.apply(*alone("other", replace(SERVER, archive=str(pack(tmp_path, "seeded")))))
    until("a ready pod", lambda: is_ready(kubectl, "other"), timeout_s=MINUTES)
    variants = {"dynamic": url(kubectl), "right-sized": url(kubectl, "other"), "again": url(kubectl)}
    until("an answer", lambda: ask(variants["right-sized"]).status_code == 200)
    answers = {variant: {SERVER.model: {"cat": ask(where).json()}} for variant, where in variants.items()}

    (difference,) = predictions.differences(answers)
    assert difference.startswith("right-sized: squeezenet1_1 ")
    remove(kubectl, "other")


def test_only_callers_with_the_token_are_let_in(kubectl: Kubectl) -> None:
    guard = Guard(token="0123456789abcdef0123456789abcdef")
    secret = {"name": SECRET, "namespace": NAMESPACE}
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": guard.files})
    kubectl.apply(*alone("guarded", replace(SERVER, guard=guard)))
    until("a ready pod", lambda: is_ready(kubectl, "guarded"), timeout_s=MINUTES)
    where = url(kubectl, "guarded")

    until("a refusal", lambda: ask(where).status_code == 401)
    assert ask(where, Authorization="Bearer another").status_code == 401
    assert ask(where, Authorization=f"Bearer {guard.token}").status_code == 200
    remove(kubectl, "guarded")


def test_a_server_whose_port_is_taken_ends_and_says_so(kubectl: Kubectl, tmp_path: Path) -> None:
    taken, free = httpx.URL(url(kubectl)).host, "127.99.0.1"
    config = tmp_path / "config.properties"
    config.write_text(
        f"inference_address=http://{taken}:8080\nmanagement_address=http://{free}:8081\n"
        f"metrics_address=http://{free}:8082\ngrpc_inference_address={free}\ngrpc_management_address={free}\n"
        f"model_store={tmp_path}\nvmargs=-Djava.io.tmpdir={tmp_path}\n"
    )
    bin_folder = python().parent
    answer = subprocess.run(
        [bin_folder / "python", bin_folder / PROGRAM, "--start", "--foreground", "--ts-config", config],
        env={**os.environ, **variables(python()), "TEMP": str(tmp_path), "LOG_LOCATION": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=MINUTES,
    )

    assert "Address already in use" in answer.stdout + answer.stderr
    assert ask(url(kubectl)).status_code == 200
