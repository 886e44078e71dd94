"""Volumes on a real scheduler: what it does not let onto a node is bought for, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.volumes import ORACLE
from emulator.kube.cluster import KubeCluster
from provisioner.core.decide import decide
from provisioner.core.plan import Plan
from provisioner.question import Options, read
from tests.support.kube import TEST_IMAGE, Kubectl, kubectl_on, node, running
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

DOMAIN = "topology.kubernetes.io/zone"
TAKES_TWO: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSINode",
    "metadata": {"name": "large"},
    "spec": {
        "drivers": [{"name": ORACLE, "nodeID": "large", "topologyKeys": [], "allocatable": {"count": 2}}]
    },
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeCluster]:
    there = node("large", cpu_millicores=3830)
    with running("volumes", tmp_path_factory.mktemp("volumes") / "cluster", there) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def kubectl(cluster: KubeCluster) -> Kubectl:
    kubectl = kubectl_on(cluster)
    kubectl.apply(TAKES_TWO)
    return kubectl


def claim(name: str, storage_class: str = "", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "50Gi"}},
            "storageClassName": storage_class,
            **spec,
        },
    }


def volume(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "50Gi"},
            "csi": {"driver": ORACLE, "volumeHandle": name},
            "claimRef": {"namespace": "default", "name": name},
        },
    }


def late(name: str, *zones: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": ORACLE,
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowedTopologies": [{"matchLabelExpressions": [{"key": DOMAIN, "values": list(zones)}]}],
    }


def mounting(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "main", "image": TEST_IMAGE}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
            "terminationGracePeriodSeconds": 0,
        },
    }


def refused(kubectl: Kubectl, words: str) -> list[str]:
    """Pods that the scheduler has said this of."""
    return [
        each["metadata"]["name"]
        for each in kubectl.items("pods")
        for condition in each.get("status", {}).get("conditions", ())
        if words in condition.get("message", "")
    ]


def planned(cluster: KubeCluster) -> Plan:
    question = read(Options(kubeconfig=cluster.kubeconfig_path, cloud="oke"), datetime.now(UTC))
    return decide(question.snapshot, question.catalog, question.policy, question.now, lambda: False)


def bought_for(plan: Plan) -> dict[str, str]:
    """The zone of the node that is bought for a pod."""
    return {pod.name: planned.size.zone for planned in plan.nodes for pod in planned.pods}


def test_a_node_whose_attachments_are_taken_gets_no_further_volume(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    names = ("a", "b", "c")
    kubectl.apply(
        *map(volume, names), *(claim(name, volumeName=name) for name in names), *map(mounting, names)
    )
    until("one pod too many", lambda: refused(kubectl, "exceed max volume count"))
    (left,) = refused(kubectl, "exceed max volume count")
    plan = planned(cluster)
    assert list(bought_for(plan)) == [left]
    assert (plan.existing, plan.unplaced) == ((), ())
    kubectl("delete", "pods", *names, "--force")


def test_a_claim_that_waits_is_bought_for_where_its_class_allows(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    kubectl.apply(late("far", "US-ASHBURN-AD-2"), claim("far", "far"), mounting("far"))
    until("no node for it", lambda: refused(kubectl, "0/1 nodes are available"))
    assert bought_for(planned(cluster)) == {"far": "US-ASHBURN-AD-2"}
