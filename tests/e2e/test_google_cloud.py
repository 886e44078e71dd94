"""The emulated Google cloud with a real control plane, used by the SDK, kubectl and its auth plugin."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import compute_v1, container_v1

from catalog import allocatable
from components.gke.kubeconfig import document
from emulator.gcp.account import PROJECT
from tests.support.cloud import Cloud, Json, eventually, running_cloud
from tests.support.google_cloud import ZONE, Client, a_cluster, a_pool, group_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CONTEXT = "gke-right-sized"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("google") / "home") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def google(cloud: Cloud) -> Client:
    note = json.loads((cloud.home / "emulator.json").read_text())
    return Client(note["endpoint"])


@pytest.fixture(scope="module")
def cluster(google: Client) -> str:
    """With one Arm node that nothing keeps pods from."""
    made = a_cluster(google)
    open_to_all = {"taint_config": {"architecture_taint_behavior": "NONE"}}
    a_pool(google, made, "management", config=open_to_all)
    google.succeeded(google.engine().delete_node_pool(name=f"{made}/nodePools/default-pool"))
    return made


def nodes(cloud: Cloud, pool: str) -> list[Json]:
    return cloud.items(CONTEXT, "nodes", "-l", f"cloud.google.com/gke-nodepool={pool}")


def ready(node: Json) -> bool:
    return any(row["type"] == "Ready" and row["status"] == "True" for row in node["status"]["conditions"])


def pod(name: str, **spec: Any) -> str:
    container = {"name": "c", "image": "any", "resources": {"requests": {"cpu": "10m"}}}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], **spec},
    }
    return json.dumps(body)


def owners(cloud: Cloud) -> set[str]:
    return {each["metadata"]["ownerReferences"][0]["name"] for each in cloud.items(CONTEXT, "pods", "-A")}


def test_nodes_become_ready_with_what_gke_leaves_of_them(cloud: Cloud, cluster: str) -> None:
    assert cluster
    eventually(lambda: any(map(ready, nodes(cloud, "management"))), "a node is ready")
    (node,) = nodes(cloud, "management")
    assert node["spec"]["providerID"].startswith(f"gce://{PROJECT}/{ZONE}/gke-gke-management-")
    left = allocatable.allocatable(
        "gke", "documented", arch="arm64", vcpus=2, memory_gib=8, gpus=0, max_pods=110
    )
    assert node["status"]["allocatable"]["cpu"] == f"{left.cpu_millicores}m"
    expected = {each.name for each in allocatable.daemon_sets("gke", "documented", gpus=0)}
    eventually(lambda: expected <= owners(cloud), "the cloud's DaemonSets run")


def test_a_pod_that_selects_arm_tolerates_its_taint_by_itself(
    cloud: Cloud, google: Client, cluster: str
) -> None:
    a_pool(google, cluster, "tainted")
    there = {"cloud.google.com/gke-nodepool": "tainted"}
    cloud.kubectl(
        CONTEXT,
        "apply",
        "-f",
        "-",
        text=pod("selects", nodeSelector={"kubernetes.io/arch": "arm64", **there}),
    )
    cloud.kubectl(CONTEXT, "apply", "-f", "-", text=pod("selects-not", nodeSelector=there))

    def phase(name: str) -> str:
        found: Json = json.loads(cloud.kubectl(CONTEXT, "get", "pod", name, "-o", "json"))
        return str(found["status"]["phase"])

    eventually(lambda: phase("selects") == "Running", "the pod runs on the tainted node")
    shown = json.loads(cloud.kubectl(CONTEXT, "get", "pod", "selects", "-o", "json"))
    keys = [row["key"] for row in shown["spec"]["tolerations"]]
    assert keys.count("kubernetes.io/arch") == 1
    assert phase("selects-not") == "Pending"
    cloud.kubectl(CONTEXT, "delete", "pod", "selects", "selects-not")


def test_a_chosen_node_goes_through_its_instance_group(cloud: Cloud, google: Client, cluster: str) -> None:
    pool = a_pool(google, cluster, "pair", initial_node_count=2)
    eventually(lambda: len(nodes(cloud, "pair")) == 2, "both nodes are there")
    chosen = nodes(cloud, "pair")[0]["metadata"]["name"]
    group = group_of(google, pool)
    google.groups().delete_instances_unary(
        project=PROJECT,
        zone=ZONE,
        instance_group_manager=group,
        instance_group_managers_delete_instances_request_resource=compute_v1.InstanceGroupManagersDeleteInstancesRequest(
            instances=[f"zones/{ZONE}/instances/{chosen}"]
        ),
    )
    eventually(lambda: len(nodes(cloud, "pair")) == 1, "one node is left")
    assert nodes(cloud, "pair")[0]["metadata"]["name"] != chosen
    shown = google.groups().get(project=PROJECT, zone=ZONE, instance_group_manager=group)
    assert shown.target_size == 1
    google.succeeded(google.engine().delete_node_pool(name=pool))


def test_a_pool_of_gpus_grows_from_nothing_for_a_pod_and_goes_back(
    cloud: Cloud, google: Client, cluster: str
) -> None:
    accelerator = {"accelerator_count": 1, "accelerator_type": "nvidia-tesla-t4"}
    a_pool(
        google,
        cluster,
        "gpus",
        initial_node_count=0,
        config={"machine_type": "n1-standard-2", "accelerators": [accelerator]},
        autoscaling={"enabled": True, "total_max_node_count": 2},
    )
    container = {"name": "c", "image": "any", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    cloud.kubectl(CONTEXT, "apply", "-f", "-", text=pod("gpu", containers=[container]))
    eventually(lambda: any(map(ready, nodes(cloud, "gpus"))), "a GPU node came")
    (node,) = nodes(cloud, "gpus")
    assert {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"} in node["spec"]["taints"]
    eventually(
        lambda: "Running" in cloud.kubectl(CONTEXT, "get", "pod", "gpu"), "the pod runs on the GPU node"
    )
    assert {each["shape"] for each in cloud.instances()} >= {"n1-standard-2+t4x1"}
    cloud.kubectl(CONTEXT, "delete", "pod", "gpu")
    eventually(lambda: nodes(cloud, "gpus") == [], "the GPU node went")


def test_gkes_kubeconfig_works_by_its_auth_plugin(
    cloud: Cloud, google: Client, cluster: str, tmp_path: Path
) -> None:
    shown: container_v1.Cluster = google.engine().get_cluster(name=cluster)
    path = tmp_path / "kubeconfig"
    path.write_text(document("c", shown.endpoint, shown.master_auth.cluster_ca_certificate))
    assert b"BEGIN CERTIFICATE" in base64.b64decode(shown.master_auth.cluster_ca_certificate)
    assert yaml.safe_load(path.read_text())["current-context"] == "c"
    answer = cloud.run("kubectl", "--kubeconfig", str(path), "auth", "can-i", "delete", "nodes")
    assert answer.stdout == "yes\n", answer.stderr


def test_nothing_of_a_deleted_cluster_is_left(cloud: Cloud, google: Client, cluster: str) -> None:
    google.succeeded(google.engine().delete_cluster(name=cluster))
    assert cloud.instances() == []
    assert json.loads(cloud.emulator("status", "--json").stdout)["clusters"] == []
    contexts = cloud.run("kubectl", "config", "get-contexts", "-o", "name").stdout.split()
    assert CONTEXT not in contexts
