"""TorchServe for real: pods that are processes, behind a load balancer that loses no request."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from catalog.timing import DEMO
from components import model_manifests as manifests
from components.model_manifests import Placement, Server
from emulator import serving
from emulator.kube.cluster import KubeCluster
from serving.environment import ServingMissing, python
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


def url(kubectl: Kubectl) -> str:
    def address() -> Any:
        status = kubectl.get("service", NAME, NAMESPACE)["status"]
        return (status["loadBalancer"].get("ingress") or [{}])[0].get("ip")

    found = until("the balancer's address", address)
    assert found.startswith("127.")
    return f"http://{found}:8080/predictions/squeezenet1_1"


def ask(where: str, body: bytes = CAT) -> httpx.Response:
    return httpx.post(
        where, content=body, headers={"Content-Type": "image/jpeg"}, timeout=60, trust_env=False
    )


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
    assert ask(where, bytes(20_000_000)).status_code == 413
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
    broken = Server("squeezenet1_1", SERVER.image, "nothing.mar", {}, 100, 10**9, 0, 4)
    metadata = {"name": "broken", "namespace": NAMESPACE, "labels": {"app": "broken"}}
    pod_spec = manifests.deployment_spec(broken, ANYWHERE, DEMO)["template"]["spec"]
    pod_spec["volumes"][0]["configMap"]["name"] = "broken"
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"config.properties": manifests.config_properties(broken)},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec},
    )

    until(
        "the reason",
        lambda: "nothing.mar" in kubectl.run("logs", "-n", NAMESPACE, "broken").stdout,
        timeout_s=MINUTES,
    )
    conditions = kubectl.get("pod", "broken", NAMESPACE)["status"]["conditions"]
    assert {"type": "Ready", "status": "False"}.items() <= next(
        row for row in conditions if row["type"] == "Ready"
    ).items()
    kubectl("delete", "pod", "-n", NAMESPACE, "broken", "--grace-period=1")
