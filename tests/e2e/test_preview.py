"""What is written on a real API server for held pods and hot nodes; and a cluster asked from outside."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.kube.cluster import KubeCluster
from provisioner.__main__ import app
from provisioner.core.hot_nodes import HOT, HOT_SINCE_KEY
from provisioner.core.policy import MANUAL, OPTIMAL, Policy
from provisioner.drivers.fake import FakeDriver
from provisioner.kube import Kube
from provisioner.loop import Controller
from tests.support.fake_cluster import Lines
from tests.support.kube import INFERENCE, Kubectl, kubectl_on, node, process_pod, running
from tests.support.provision import OKE
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

POLICY = Policy(mode=OPTIMAL, pod_selector={"app": "trainer"}, preview_release=MANUAL, batch_idle_s=0)
REQUESTS = {"resources": {"requests": {"cpu": "700m", "memory": "3Gi"}}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeCluster]:
    with running("preview", tmp_path_factory.mktemp("preview") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def kubectl(cluster: KubeCluster) -> Kubectl:
    return kubectl_on(cluster)


def held(name: str, *gates: str) -> dict[str, Any]:
    return process_pod(name, container=dict(REQUESTS), schedulingGates=[{"name": gate} for gate in gates])


def gates(kubectl: Kubectl, name: str) -> list[str]:
    return [each["name"] for each in kubectl.get("pod", name)["spec"].get("schedulingGates", [])]


def previews(kubectl: Kubectl, name: str) -> list[str]:
    return [
        each["message"]
        for each in kubectl.items("events")
        if each["reason"] == "CostPreview" and each["involvedObject"]["name"] == name
    ]


def test_a_held_pod_is_told_its_price_and_runs_when_it_is_approved(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    driver = FakeDriver()
    controller = Controller(driver, Kube.reading(str(cluster.kubeconfig_path), None), OKE, POLICY, Lines())

    def step() -> None:
        controller.step(datetime.now(UTC), lambda: 0)

    kubectl.apply(held("trainer", "rightsize.io/preview", "example.com/later"))
    step()
    (said,) = previews(kubectl, "trainer")
    assert said.startswith("would cost $0.0")
    assert "VM.Standard.A1.Flex 1 OCPU" in said
    assert gates(kubectl, "trainer") == ["rightsize.io/preview", "example.com/later"]

    kubectl("annotate", "pod", "trainer", "rightsize.io/approved=true")
    step()
    assert gates(kubectl, "trainer") == ["example.com/later"]
    assert driver.launches == []

    patch = '[{"op": "remove", "path": "/spec/schedulingGates"}]'
    kubectl("patch", "pod", "trainer", "--type=json", f"--patch={patch}")
    step()
    assert [count for _, count, _ in driver.launches] == [1]


def test_a_hot_node_is_marked_and_opened_again_beside_its_own_taints(
    kubectl: Kubectl, cluster: KubeCluster
) -> None:
    cluster.add_node(node("worker", taints=(INFERENCE,)))
    until("the node", lambda: kubectl.get("node", "worker"))
    kube = Kube.reading(str(cluster.kubeconfig_path), None)

    def marks() -> tuple[set[str], bool]:
        (worker,) = [each for each in kube.observe().nodes if each.name == "worker"]
        ours = {str(taint) for taint in worker.taints if taint.key.startswith("rightsize.io/")}
        return ours, HOT_SINCE_KEY in worker.annotations

    own = f"{INFERENCE.key}={INFERENCE.value}:{INFERENCE.effect}"
    assert marks() == ({own}, False)
    for _ in range(2):
        kube.heat("worker", datetime.now(UTC))
        assert marks() == ({own, str(HOT)}, True)
    for _ in range(2):
        kube.heat("worker", None)
        assert marks() == ({own}, False)


def test_a_cluster_is_explained_from_outside(cluster: KubeCluster, kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.apply(held("asked", "nodecostestimate"), process_pod("free", container=dict(REQUESTS)))
    words = ["--kubeconfig", str(cluster.kubeconfig_path), "--cloud", "oke"]
    explained = CliRunner().invoke(app, ["explain", *words])
    assert explained.exit_code == 0, explained.output
    assert "default/asked would cost" in explained.stdout
    assert "default/asked stays pending: it has scheduling gates (gated)" in explained.stdout

    kept = tmp_path / "decision.json"
    planned = CliRunner().invoke(app, ["plan", *words, "--record", str(kept), "--json"])
    replayed = CliRunner().invoke(app, ["plan", "--replay", str(kept), "--json"])
    first, again = json.loads(planned.stdout), json.loads(replayed.stdout)
    assert {**first, "elapsed_s": 0} == {**again, "elapsed_s": 0}
    assert any("default/free" in each["pods"] for each in first["nodes"])
