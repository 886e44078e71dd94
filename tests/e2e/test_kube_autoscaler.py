"""The emulated Cluster Autoscaler add-on on a real cluster: from pending pods to nodes, and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.kube.autoscaler import CANDIDATE_TAINT
from emulator.kube.autoscaler_settings import parse
from emulator.kube.cluster import KubeCluster
from emulator.kube.spec import Taint
from tests.support.kube import INFERENCE, FakeCloud, Kubectl, deployment, node, running
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    taints = (INFERENCE, Taint("nvidia.com/gpu", "present"))
    cloud.template = node("template", role="inference", gpus=1, taints=taints)
    return cloud


@pytest.fixture
def cluster(tmp_path: Path, cloud: FakeCloud) -> Iterator[KubeCluster]:
    with running("autoscaled", tmp_path / "cluster", node("management"), cloud=cloud) as cluster:
        yield cluster


def test_gpu_nodes_come_with_the_pods_and_go_with_them(cluster: KubeCluster, cloud: FakeCloud) -> None:
    kubectl = Kubectl(cluster.kubeconfig_path)
    cluster.set_autoscaler(
        parse(
            {
                "nodes": "0:3:pool",
                "scanInterval": "1s",
                "scaleDownDelayAfterAdd": "2s",
                "scaleDownUnneededTime": "3s",
            }
        )
    )
    toleration = {"key": INFERENCE.key, "operator": "Equal", "value": INFERENCE.value, "effect": "NoSchedule"}
    wish = {"requests": {"cpu": "400m", "memory": "1Gi"}, "limits": {"nvidia.com/gpu": "1"}}
    pods = {
        "containers": [{"name": "main", "image": "any", "resources": wish}],
        "nodeSelector": {"rightsize.io/role": "inference"},
        "tolerations": [toleration],
    }

    def ready() -> int:
        return int(kubectl.get("deployment", "model")["status"].get("readyReplicas", 0))

    kubectl.apply(deployment("model", 2, pods))
    until("two pods on new nodes", lambda: ready() == 2)
    assert (cloud.size, [call for call in cloud.calls if call[0] == "grow"]) == (2, [("grow", 2)])
    kubectl("scale", "deployment", "model", "--replicas=5")
    until("as many as the pool may have", lambda: ready() == 3)
    kubectl("scale", "deployment", "model", "--replicas=1")
    until(
        "a candidate that observers can see", lambda: CANDIDATE_TAINT in kubectl("get", "nodes", "-o", "yaml")
    )
    until("one node", lambda: cloud.size == 1)
    assert ready() == 1
    kubectl("scale", "deployment", "model", "--replicas=0")
    until("none", lambda: cloud.size == 0)
    cluster.set_autoscaler(None)
    kubectl("scale", "deployment", "model", "--replicas=1")
    until("pending", lambda: kubectl.items("pods", selector="app=model"))
    assert cloud.size == 0
