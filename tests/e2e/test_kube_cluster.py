"""A real control plane with emulated nodes, from creation to deletion."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalog import allocatable
from emulator.kube import controlplane
from emulator.kube.cluster import KubeCluster, purge
from emulator.kube.drain import DrainRefused
from emulator.kube.spec import ClusterFailed
from tests.support.kube import (
    IMAGES,
    FakeCloud,
    Kubectl,
    create,
    deployment,
    kubectl_on,
    namespace,
    node,
    process_pod,
    running,
    spec,
)
from tests.support.until import until
from tools.locate import locate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
DNS_PODS = 2


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeCluster]:
    with running("whole", tmp_path_factory.mktemp("whole") / "cluster", node("management")) as cluster:
        yield cluster


@pytest.fixture
def kubectl(cluster: KubeCluster) -> Kubectl:
    return kubectl_on(cluster)


def ready_replicas(kubectl: Kubectl, name: str, namespace: str = "default") -> int:
    found = kubectl.get("deployment", name, namespace)
    return int(found["status"].get("readyReplicas", 0)) if found else 0


def is_serving(kubectl: Kubectl, name: str) -> bool:
    return ready_replicas(kubectl, name) == 1


def is_ready(pod: Any) -> bool:
    return readiness_of(pod) == "True"


def readiness_of(item: Any) -> str:
    conditions = {each["type"]: each["status"] for each in item["status"].get("conditions", ())}
    return str(conditions.get("Ready"))


def taints_of(kubectl: Kubectl, name: str) -> set[str]:
    return {each["key"] for each in kubectl.get("node", name)["spec"].get("taints", ())}


def pod_spec(cpu: str = "100m", **more: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "any", "resources": {"requests": {"cpu": cpu}}}
    return {"containers": [container], **more}


def test_what_the_daemon_sets_leave_is_what_the_catalog_says(cluster: KubeCluster, kubectl: Kubectl) -> None:
    # The DNS has its node before there is a choice: on the measured one it would take its share.
    until("the DNS runs", lambda: ready_replicas(kubectl, "coredns", "kube-system") == DNS_PODS)
    cluster.add_node(node("measured", role="measured", cpu_millicores=840, memory_gib=2))
    daemon_sets = allocatable.daemon_sets("oke", "documented", gpus=0)
    on_it = until(
        "DaemonSets' pods",
        lambda: [
            pod
            for pod in kubectl.items("pods", "kube-system")
            if pod["spec"].get("nodeName") == "measured"
            and pod["metadata"]["labels"]["app.kubernetes.io/name"] in {each.name for each in daemon_sets}
        ],
    )
    until("all of them", lambda: len(kubectl.items("pods", "kube-system")) >= 2 * len(daemon_sets) + 2)
    assert on_it
    left = allocatable.usable(
        "oke", "documented", node("measured", cpu_millicores=840, memory_gib=2).allocatable
    )
    there: dict[str, Any] = {"nodeSelector": {"rightsize.io/role": "measured"}}
    kubectl.apply(deployment("too-much", 1, pod_spec(f"{left.cpu_millicores + 1}m", **there)))
    scheduled = until(
        "tried",
        lambda: [pod["status"].get("conditions") for pod in kubectl.items("pods", selector="app=too-much")],
    )
    assert "Insufficient cpu" in json.dumps(scheduled)
    kubectl("delete", "deployment", "too-much")
    kubectl.apply(deployment("all-of-it", 1, pod_spec(f"{left.cpu_millicores}m", **there)))
    until("fits", lambda: ready_replicas(kubectl, "all-of-it") == 1)
    kubectl("delete", "deployment", "all-of-it")
    cluster.remove_node("measured")


def test_a_load_makes_the_hpa_climb_and_its_end_lets_it_fall(kubectl: Kubectl) -> None:
    kubectl.apply(
        deployment("model", 1, pod_spec("100m"), **{"rightsize.io/model": "squeezenet1_1"}),
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "model"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "model"},
                "minReplicas": 1,
                "maxReplicas": 4,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 50},
                        },
                    }
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
            },
        },
    )
    until("idle", lambda: ready_replicas(kubectl, "model") == 1)
    load = {
        "name": "load",
        "image": "rightsize/load:0.1.0",
        "args": ["--model", "squeezenet1_1", "--demand-cores", "2.0"],
    }
    kubectl.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "load-squeezenet1-1"},
            "spec": {"template": {"spec": {"containers": [load], "restartPolicy": "Never"}}},
        }
    )
    until("peak", lambda: ready_replicas(kubectl, "model") == 4, timeout_s=90)
    shares = until(
        "equal shares",
        lambda: [
            pod["metadata"]["annotations"]["kwok.x-k8s.io/usage-cpu"]
            for pod in kubectl.items("pods", selector="app=model")
            if pod["metadata"]["annotations"].get("kwok.x-k8s.io/usage-cpu") == "500m"
        ][3:],
    )
    assert shares == ["500m"]
    kubectl("delete", "job", "load-squeezenet1-1")
    until("idle again", lambda: ready_replicas(kubectl, "model") == 1, timeout_s=90)
    kubectl("delete", "deployment,hpa", "model")


def test_services_of_type_load_balancer_get_addresses_of_their_own(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    for name in ("one", "two"):
        kubectl("create", "service", "loadbalancer", name, "--tcp=8080:8080")

    def addresses() -> list[str]:
        statuses = [kubectl.get("service", name)["status"]["loadBalancer"] for name in ("one", "two")]
        return [row["ip"] for status in statuses for row in status.get("ingress", ())]

    first, second = until("two addresses", lambda: addresses() if len(addresses()) == 2 else [])
    assert first != second
    until("both known", lambda: cluster.load_balancers() == {"default/one", "default/two"})
    kubectl("delete", "service", "one")
    until("one left", lambda: cluster.load_balancers() == {"default/two"})


def test_a_drain_moves_what_it_may_and_force_takes_the_rest(cluster: KubeCluster, kubectl: Kubectl) -> None:
    cluster.add_node(node("leaving", role="leaving"))
    there: dict[str, Any] = {"nodeSelector": {"rightsize.io/role": "leaving"}}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "guarded"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}},
    }
    kubectl.apply(
        budget, deployment("guarded", 1, pod_spec(**there)), deployment("free", 1, pod_spec(**there))
    )
    for name in ("guarded", "free"):
        until(name, partial(is_serving, kubectl, name))
    with pytest.raises(DrainRefused, match="node leaving: not evicted in time: default/guarded-"):
        cluster.remove_node("leaving", 2.0, force=False)
    assert kubectl.get("node", "leaving")["spec"]["unschedulable"] is True
    assert ready_replicas(kubectl, "free") == 0
    cluster.remove_node("leaving", 0.5)
    assert kubectl.get("node", "leaving") is None
    assert all(pod["spec"].get("nodeName") != "leaving" for pod in kubectl.items("pods"))
    kubectl("delete", "deployment,pdb", "--all")


def test_processes_do_not_outlive_their_node(cluster: KubeCluster, kubectl: Kubectl) -> None:
    cluster.add_node(node("doomed", role="doomed"))
    kubectl.apply(process_pod("on-it", nodeSelector={"rightsize.io/role": "doomed"}))
    running = until("its process", lambda: processes(cluster.spec.home))
    cluster.remove_node("doomed")
    psutil.wait_procs(running, timeout=5)
    assert not any(process.is_running() for process in running)


def test_removing_a_node_twice_and_adding_it_twice_is_fine(cluster: KubeCluster, kubectl: Kubectl) -> None:
    for _ in range(2):
        cluster.add_node(node("twice", role="twice"))
    assert kubectl.get("node", "twice")
    for _ in range(2):
        cluster.remove_node("twice", 1.0)
    assert kubectl.get("node", "twice") is None


def test_tokens_are_known_by_service_account_and_pod(cluster: KubeCluster, kubectl: Kubectl) -> None:
    token = kubectl("create", "token", "default").strip()
    account = cluster.review_token(token)
    assert account is not None
    assert (account.namespace, account.name) == ("default", "default")
    assert cluster.review_token("not.a.token") is None
    other = kubectl("create", "token", "default", "--audience=api").strip()
    assert cluster.review_token(other) is None
    assert cluster.review_token(other, ("api",)) is not None


def test_controllers_go_on_after_the_api_server_was_away(cluster: KubeCluster, kubectl: Kubectl) -> None:
    cluster.restart_api_server()
    until("answers again", lambda: kubectl.run("get", "nodes").returncode == 0)
    # For a moment a restarted API server knows of no address that it could give to a Service.
    command = ("create", "service", "loadbalancer", "late", "--tcp=8080:8080")
    until("takes a Service", lambda: kubectl.run(*command).returncode == 0)
    until("an address", lambda: kubectl.get("service", "late")["status"]["loadBalancer"].get("ingress"))
    kubectl.apply(process_pod("late"))
    until(
        "a process", lambda: (kubectl.get("pod", "late")["status"].get("phase")) == "Running", timeout_s=120
    )


def test_a_node_is_unknown_while_its_kubelet_is_silent_and_its_processes_go_on(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    cluster.add_node(node("quiet", role="quiet"))
    there: dict[str, Any] = {"nodeSelector": {"rightsize.io/role": "quiet"}}
    kubectl.apply(process_pod("quiet", **there), deployment("modelled", 1, pod_spec(**there)))
    until("both are ready", lambda: is_serving(kubectl, "modelled") and is_ready(kubectl.get("pod", "quiet")))
    before = processes(cluster.spec.home)

    cluster.silence_node("quiet")
    until("the node is Unknown", lambda: readiness_of(kubectl.get("node", "quiet")) == "Unknown")
    until("it is avoided", lambda: "node.kubernetes.io/unreachable" in taints_of(kubectl, "quiet"))
    until("its pods are not ready", lambda: not is_serving(kubectl, "modelled"))
    kubectl("delete", "pod", "quiet", "--wait=false")

    assert all(process.is_running() for process in before)
    assert kubectl.get("pod", "quiet") is not None

    cluster.hear_node("quiet")
    until("the node is Ready", lambda: readiness_of(kubectl.get("node", "quiet")) == "True")
    until("its pods are ready", lambda: is_serving(kubectl, "modelled"))
    until("what was deleted ends", lambda: kubectl.get("pod", "quiet") is None)
    assert taints_of(kubectl, "quiet") <= {"node.kubernetes.io/unreachable"}
    kubectl("delete", "deployment", "modelled")


def test_the_processes_of_a_lost_machine_end_at_once_and_its_node_is_removed(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    others = {process.pid for process in processes(cluster.spec.home)}
    cluster.add_node(node("lost", role="lost"))
    kubectl.apply(process_pod("on-it", nodeSelector={"rightsize.io/role": "lost"}))
    until("it is ready", lambda: is_ready(kubectl.get("pod", "on-it")))
    running = [process for process in processes(cluster.spec.home) if process.pid not in others]
    assert running
    cluster.lose_node("lost")
    psutil.wait_procs(running, timeout=5)
    assert not any(process.is_running() for process in running)
    assert kubectl.get("node", "lost") is None
    until("the pod is gone", lambda: kubectl.get("pod", "on-it") is None)


def test_namespaces_end(kubectl: Kubectl) -> None:
    kubectl.apply(namespace("short-lived"))
    kubectl("delete", "namespace", "short-lived", "--timeout=30s")


def test_three_clusters_at_once_and_nothing_is_left_of_them(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("a", "b", "c")]
    with ThreadPoolExecutor(3) as pool:
        clusters = list(pool.map(lambda home: create(home.name, home), homes))
    assert len({cluster.server for cluster in clusters}) == 3
    components = [process for home in homes for process in controlplane.components(home)]
    assert len(components) == 18
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(KubeCluster.delete, clusters))
    clusters[0].delete()
    assert not any(process.is_running() for process in components)
    assert not any(home.exists() for home in homes)


def test_a_killed_daemons_cluster_is_purged_by_its_home(tmp_path: Path) -> None:
    home = tmp_path / "left"
    cluster = create("left", home)
    cluster.start(FakeCloud())
    cluster.add_node(node("management"))
    kubectl = kubectl_on(cluster)
    kubectl.apply(process_pod("left-behind"))
    left = until("its process", lambda: processes(home)) + controlplane.components(home)
    purge(home)
    psutil.wait_procs(left, timeout=5)
    assert not any(process.is_running() for process in left)
    assert not home.exists()
    cluster.delete()


def test_a_creation_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "interrupted"
    failed: list[ClusterFailed] = []

    def build() -> None:
        try:
            create("interrupted", home)
        except ClusterFailed as fault:
            failed.append(fault)

    creation = threading.Thread(target=build)
    creation.start()
    until("first components", lambda: len(controlplane.components(home)) > 1)
    purge(home)
    creation.join(timeout=60)
    assert failed
    assert controlplane.components(home) == []
    assert not home.exists()


def test_a_cluster_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "metrics-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(
        controlplane, "locate", lambda name: broken if name == "metrics-server" else locate(name)
    )
    home = tmp_path / "broken"
    with pytest.raises(ClusterFailed, match=r"cluster broken: .*metrics-server"):
        KubeCluster.create(spec("broken", home), IMAGES)
    assert not home.exists()
    assert controlplane.components(home) == []


def processes(home: Path) -> list[psutil.Process]:
    records = [json.loads(path.read_text()) for path in home.glob("pods/*/process.json")]
    return [psutil.Process(record["pid"]) for record in records if psutil.pid_exists(record["pid"])]
