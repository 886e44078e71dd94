"""Builders for real emulated clusters, and kubectl on them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from catalog.allocatable import GIB, Capacity
from catalog.timing import DEMO
from emulator.kube.cluster import KubeCluster
from emulator.kube.images import PROCESS_IMAGES, ProcessImage
from emulator.kube.manifests import system_pods
from emulator.kube.spec import ClusterSpec, NodeSpec, ScalablePool, Taint
from tests.support.until import until
from tools.locate import locate

TEST_IMAGE = "rightsize/test-process"
IMAGES = (
    *PROCESS_IMAGES,
    ProcessImage(
        TEST_IMAGE, lambda args: (sys.executable, str(Path(__file__).with_name("pod_process.py")), *args)
    ),
)
INFERENCE = Taint("rightsize.io/role", "inference")


def spec(name: str, home: Path) -> ClusterSpec:
    return ClusterSpec(name, home, DEMO, "oke", "documented", system_pods("oke", "documented"))


def create(name: str, home: Path) -> KubeCluster:
    return KubeCluster.create(spec(name, home), IMAGES)


@contextmanager
def running(
    name: str, home: Path, *nodes: NodeSpec, cloud: "FakeCloud | None" = None
) -> Iterator[KubeCluster]:
    """A cluster from its creation to its end."""
    cluster = create(name, home)
    try:
        cloud = cloud or FakeCloud()
        cloud.cluster = cluster
        cluster.start(cloud)
        for each in nodes:
            cluster.add_node(each)
        yield cluster
    finally:
        cluster.delete()


def node(
    name: str,
    *,
    role: str = "management",
    cpu_millicores: int = 1830,
    memory_gib: int = 28,
    gpus: int = 0,
    taints: tuple[Taint, ...] = (),
    annotations: Mapping[str, str] | None = None,
) -> NodeSpec:
    allocatable = Capacity(cpu_millicores, memory_gib * GIB, gpus, 31)
    return NodeSpec(
        name=name,
        provider_id=f"ocid1.instance.oc1.iad.{name}",
        internal_ip="10.0.1.7",
        labels={"rightsize.io/role": role, "topology.kubernetes.io/zone": "US-ASHBURN-AD-1"},
        annotations=annotations or {},
        taints=taints,
        capacity=Capacity(cpu_millicores + 170, (memory_gib + 4) * GIB, gpus, 31),
        allocatable=allocatable,
        arch="arm64" if not gpus else "amd64",
    )


class FakeCloud:
    """Node pools whose nodes register at once; records what was asked."""

    def __init__(self) -> None:
        self.cluster: KubeCluster | None = None
        self.template = node("template")
        self.size = 0
        self.names: list[str] = []
        self.calls: list[tuple[str, object]] = []

    def scalable_pools(self) -> Sequence[ScalablePool]:
        return (ScalablePool("pool", self.size, tuple(self.names), self.template),)

    def grow_pool(self, pool_id: str, by: int) -> None:
        assert self.cluster is not None
        self.calls.append(("grow", by))
        for _ in range(by):
            name = f"{pool_id}-{len(self.calls)}-{self.size}"
            self.size += 1
            self.names.append(name)
            self.cluster.add_node(
                node(name, role="inference", gpus=self.template.allocatable.gpus, taints=self.template.taints)
            )

    def delete_node(self, pool_id: str, node_name: str) -> None:
        assert self.cluster is not None
        assert pool_id == "pool"
        self.calls.append(("delete", node_name))
        self.size -= 1
        self.names.remove(node_name)
        self.cluster.remove_node(node_name)

    def process_environment(self, namespace: str, service_account: str) -> Mapping[str, str]:
        return {"KUBERNETES_SERVICE_HOST": "127.9.9.9", "CLOUD": f"{namespace}/{service_account}"}


class Kubectl:
    """kubectl with a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(locate("kubectl")), "--kubeconfig", str(self._kubeconfig), *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def apply(self, *objects: Mapping[str, Any]) -> None:
        self("apply", "-f", "-", stdin=yaml.safe_dump_all([dict(item) for item in objects]))

    def get(self, kind: str, name: str, namespace: str = "default") -> Any:
        done = self.run("get", kind, name, "-n", namespace, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def items(self, kind: str, namespace: str = "default", selector: str = "") -> list[Any]:
        items: list[Any] = json.loads(self("get", kind, "-n", namespace, "-l", selector, "-o", "json"))[
            "items"
        ]
        return items


def kubectl_on(cluster: KubeCluster) -> Kubectl:
    """kubectl on a cluster that takes pods."""
    kubectl = Kubectl(cluster.kubeconfig_path)
    until("default ServiceAccount", lambda: kubectl.get("serviceaccount", "default"))
    return kubectl


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def process_pod(name: str, *args: str, image: str = TEST_IMAGE, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image, "args": list(args), **spec.pop("container", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5, **spec},
    }


def deployment(name: str, replicas: int, pod_spec: Mapping[str, Any], **labels: str) -> dict[str, Any]:
    selector = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": {**selector, **labels}}, "spec": dict(pod_spec)},
        },
    }
