"""Node pools and their instance groups on the emulated GKE, by the real SDK."""

import threading
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import compute_v1, container_v1

from catalog import allocatable
from emulator.cloud.fault import Stockout
from emulator.gcp.account import PROJECT
from emulator.kube.spec import Taint
from tests.support.google_cloud import ZONE, Google, a_cluster, a_pool, group_of, pool_message
from tests.support.until import until

Status = container_v1.NodePool.Status
ARM = Taint("kubernetes.io/arch", "arm64")
GPU = Taint("nvidia.com/gpu", "present")
T4 = {
    "machine_type": "n1-standard-2",
    "accelerators": [{"accelerator_count": 1, "accelerator_type": "nvidia-tesla-t4"}],
}
STOCKOUT = "ZONE_RESOURCE_POOL_EXHAUSTED"


def sell_out(google: Google, machine_type: str = "t2a-standard-2", zone: str = ZONE) -> None:
    google.faults.inject(Stockout(machine_type, zone, 1e9), None, google.clock.now())


def managed(google: Google, group: str, zone: str = ZONE) -> list[compute_v1.ManagedInstance]:
    place = {"project": PROJECT, "zone": zone, "instance_group_manager": group}
    return list(google.groups().list_managed_instances(**place))


def target(google: Google, group: str) -> int:
    return google.groups().get(project=PROJECT, zone=ZONE, instance_group_manager=group).target_size


def delete(google: Google, group: str, *names: str, skip: bool = False) -> compute_v1.Operation:
    wanted = compute_v1.InstanceGroupManagersDeleteInstancesRequest(
        instances=[f"zones/{ZONE}/instances/{name}" for name in names],
        skip_instances_on_validation_error=skip,
    )
    return google.groups().delete_instances_unary(
        project=PROJECT,
        zone=ZONE,
        instance_group_manager=group,
        instance_group_managers_delete_instances_request_resource=wanted,
    )


def nodes(google: Google, pool: str = "pool") -> list[Any]:
    return [
        node
        for node in google.kubes[0].nodes.values()
        if node.labels["cloud.google.com/gke-nodepool"] == pool
    ]


def test_a_pools_nodes_look_as_gke_makes_them(google: Google, cluster: str) -> None:
    config = {
        "labels": {"rightsize.io/role": "inference"},
        "taints": [{"key": "rightsize.io/role", "value": "inference", "effect": "NO_SCHEDULE"}],
    }
    a_pool(google, cluster, config=config)
    (node,) = nodes(google)
    assert node.provider_id == f"gce://{PROJECT}/{ZONE}/{node.name}"
    assert node.name.startswith("gke-gke-pool-")
    assert node.taints == (Taint("rightsize.io/role", "inference"), ARM)
    expected = {
        "cloud.google.com/machine-family": "t2a",
        "node.kubernetes.io/instance-type": "t2a-standard-2",
        "topology.kubernetes.io/zone": ZONE,
        "topology.kubernetes.io/region": "us-central1",
        "kubernetes.io/arch": "arm64",
        "rightsize.io/role": "inference",
    }
    assert expected.items() <= node.labels.items()
    size = {"arch": "arm64", "vcpus": 2, "memory_gib": 8, "gpus": 0, "max_pods": 110}
    assert node.allocatable == allocatable.allocatable("gke", "documented", **size)  # type: ignore[arg-type]
    assert node.capacity == allocatable.capacity("gke", "documented", **size)  # type: ignore[arg-type]


def test_nominal_accounting_leaves_everything(google: Google) -> None:
    labels = {"rightsize-accounting": "nominal", "rightsize-timing": "demo"}
    cluster = a_cluster(google, resource_labels=labels)
    a_pool(google, cluster)
    (node,) = nodes(google)
    assert node.allocatable == node.capacity
    assert node.capacity.memory_bytes == 8 * 2**30


@pytest.mark.parametrize(
    ("config", "taints"),
    [
        ({}, (ARM,)),
        ({"taint_config": {"architecture_taint_behavior": "NONE"}}, ()),
        ({"machine_type": "e2-standard-2"}, ()),
        (T4, (GPU,)),
        (
            {**T4, "taints": [{"key": "nvidia.com/gpu", "value": "mine", "effect": "NO_EXECUTE"}]},
            (Taint("nvidia.com/gpu", "mine", "NoExecute"),),
        ),
    ],
)
def test_the_cloud_taints_arm_and_gpus(
    google: Google, cluster: str, config: Any, taints: tuple[Taint, ...]
) -> None:
    pool = a_pool(google, cluster, config=config)
    assert nodes(google)[0].taints == taints
    shown = google.engine().get_node_pool(name=pool).config.taints
    assert [taint.key for taint in shown] == [taint.key for taint in taints]


def test_gpus_are_not_tainted_where_there_is_nothing_beside_them(google: Google) -> None:
    first = container_v1.NodePool(name="gpus", initial_node_count=1, config=T4)
    a_cluster(google, initial_node_count=0, node_pools=[first])
    assert nodes(google, "gpus")[0].taints == ()


def test_gpu_and_spot_nodes_carry_their_labels_and_prices(google: Google, cluster: str) -> None:
    a_pool(google, cluster, "gpus", config={**T4, "spot": True})
    (node,) = nodes(google, "gpus")
    assert node.labels["cloud.google.com/gke-accelerator"] == "nvidia-tesla-t4"
    assert node.labels["cloud.google.com/gke-spot"] == "true"
    assert node.allocatable.gpus == 1
    prices = {reading.charge.shape: reading.charge.price_per_hour for reading in google.world.meter.running()}
    assert float(prices["n1-standard-2+t4x1"]) == pytest.approx(0.143505)


def test_a_chosen_instance_is_deleted_and_the_target_shrinks_by_one(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster, initial_node_count=3)
    group = group_of(google, pool)
    before = [instance.name for instance in managed(google, group)]
    operation = delete(google, group, before[1])
    assert operation.status in {compute_v1.Operation.Status.RUNNING, compute_v1.Operation.Status.DONE}
    assert target(google, group) == 2
    until("it is gone", lambda: len(managed(google, group)) == 2, 10)
    assert [instance.name for instance in managed(google, group)] == [before[0], before[2]]
    assert sorted(node.name for node in nodes(google)) == sorted([before[0], before[2]])
    done = google.compute(compute_v1.ZoneOperationsClient).wait(
        project=PROJECT, zone=ZONE, operation=operation.name
    )
    assert done.status == compute_v1.Operation.Status.DONE
    stopped = [reading for reading in google.world.meter.readings() if reading.stopped_at is not None]
    assert {reading.charge.id.rpartition("/")[2] for reading in stopped} == {before[1], "disk"}


def test_an_instance_of_another_group_is_refused_or_skipped(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    group = group_of(google, pool)
    with pytest.raises(exceptions.BadRequest, match="stranger"):
        delete(google, group, "stranger")
    delete(google, group, "stranger", skip=True)
    assert target(google, group) == 1


def test_deleting_does_not_wait_for_the_clusters_operation(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    group = group_of(google, pool)
    google.clock.gate = threading.Event()
    operation = google.engine().create_node_pool(parent=cluster, node_pool=pool_message("other"))
    delete(google, group, managed(google, group)[0].name)
    assert target(google, group) == 0
    google.clock.gate.set()
    google.succeeded(operation)


def test_an_instance_that_is_deleted_behind_its_groups_back_is_made_again(
    google: Google, cluster: str
) -> None:
    pool = a_pool(google, cluster)
    group = group_of(google, pool)
    (before,) = managed(google, group)
    google.compute(compute_v1.InstancesClient).delete_unary(project=PROJECT, zone=ZONE, instance=before.name)
    google.settle()
    (after,) = managed(google, group)
    assert after.name != before.name
    assert target(google, group) == 1


def test_set_size_counts_in_each_zone_and_picks_what_goes_itself(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a", "us-central1-b"])
    pool = a_pool(google, cluster, initial_node_count=3)
    assert len(nodes(google)) == 6
    google.succeeded(google.engine().set_node_pool_size(request={"name": pool, "node_count": 1}))
    left = nodes(google)
    assert sorted(node.labels["topology.kubernetes.io/zone"] for node in left) == [
        "us-central1-a",
        "us-central1-b",
    ]


def test_a_busy_cluster_takes_no_second_pool(google: Google, cluster: str) -> None:
    google.clock.gate = threading.Event()
    engine = google.engine()
    operation = engine.create_node_pool(parent=cluster, node_pool=pool_message("one"))
    with pytest.raises(exceptions.BadRequest) as busy:
        engine.create_node_pool(parent=cluster, node_pool=pool_message("two"))
    assert busy.value.reason == "CLUSTER_ALREADY_HAS_OPERATION"
    assert engine.get_node_pool(name=f"{cluster}/nodePools/one").status == Status.PROVISIONING
    google.clock.gate.set()
    google.succeeded(operation)
    a_pool(google, cluster, "two")


def test_a_pool_that_cannot_be_had_holds_the_cluster_and_ends_in_error(google: Google, cluster: str) -> None:
    sell_out(google)
    engine = google.engine()
    operation = google.finished(engine.create_node_pool(parent=cluster, node_pool=pool_message()))
    assert operation.error.code == 8
    assert "[GCE_STOCKOUT]" in operation.error.message
    pool = engine.get_node_pool(name=f"{cluster}/nodePools/pool")
    assert pool.status == Status.ERROR
    assert [condition.code for condition in pool.conditions] == [
        container_v1.StatusCondition.Code.GCE_STOCKOUT
    ]
    assert max(google.clock.waits) >= 10 * google.clock.waits[0]
    (instance,) = managed(google, group_of(google, f"{cluster}/nodePools/pool"))
    assert instance.current_action == "CREATING"
    assert [error.code for error in instance.last_attempt.errors.errors] == [STOCKOUT]
    assert "t2a-standard-2" not in {reading.charge.shape for reading in google.world.meter.readings()}


def test_a_group_tries_again_until_there_is_capacity(google: Google, cluster: str) -> None:
    sell_out(google)
    google.finished(google.engine().create_node_pool(parent=cluster, node_pool=pool_message()))
    group = group_of(google, f"{cluster}/nodePools/pool")
    place = {"project": PROJECT, "zone": ZONE, "instance_group_manager": group}
    assert [error.error.code for error in google.groups().list_errors(**place)] == [STOCKOUT, STOCKOUT]
    google.faults.clear(None, google.clock.now())
    google.cloud.retry()
    google.settle()
    (instance,) = managed(google, group)
    assert (instance.current_action, instance.instance_status) == ("NONE", "RUNNING")
    assert len(nodes(google)) == 1


def test_what_waits_for_capacity_can_be_given_up(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    sell_out(google)
    google.finished(google.engine().set_node_pool_size(request={"name": pool, "node_count": 3}))
    assert google.engine().get_node_pool(name=pool).status == Status.RUNNING_WITH_ERROR
    group = group_of(google, pool)
    waiting = [instance.name for instance in managed(google, group) if instance.last_attempt.errors.errors]
    assert len(waiting) == 2
    delete(google, group, *waiting)
    assert target(google, group) == 1
    assert len(managed(google, group)) == 1


def test_a_quota_is_a_limit(google: Google, cluster: str) -> None:
    google.world.quotas.regional["NVIDIA_T4_GPUS"] = 1
    made = google.engine().create_node_pool(
        parent=cluster, node_pool=pool_message(config=T4, initial_node_count=2)
    )
    operation = google.finished(made)
    assert "Quota 'NVIDIA_T4_GPUS' exceeded. Limit: 1.0 in region us-central1" in operation.error.message
    pool = google.engine().get_node_pool(name=f"{cluster}/nodePools/pool")
    assert pool.status == Status.RUNNING_WITH_ERROR
    quotas = google.compute(compute_v1.RegionsClient).get(project=PROJECT, region="us-central1").quotas
    used = {quota.metric: (quota.limit, quota.usage) for quota in quotas}
    assert used["NVIDIA_T4_GPUS"] == (1.0, 1.0)


def test_a_subnetwork_holds_only_so_many_machines(google: Google) -> None:
    base = f"/compute/v1/projects/{PROJECT}"
    google.call("POST", f"{base}/global/networks", {"name": "small", "autoCreateSubnetworks": False})
    small = {"name": "small", "network": "global/networks/small", "ipCidrRange": "10.9.0.0/29"}
    google.call("POST", f"{base}/regions/us-central1/subnetworks", small)
    cluster = a_cluster(google, network="small", subnetwork="small")
    operation = google.finished(
        google.engine().create_node_pool(parent=cluster, node_pool=pool_message(initial_node_count=4))
    )
    assert "IP_SPACE_EXHAUSTED" in operation.error.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Bad"}, "lowercase letters"),
        ({"config": {"machine_type": "t2a-standard-3"}}, 'Machine type "t2a-standard-3" is not available'),
        ({"locations": ["us-central1-c"]}, "it is in .*us-central1-a, us-central1-b, us-central1-f"),
        (
            {"config": {**T4, "machine_type": "n1-standard-96"}},
            "cannot be had with machine type n1-standard-96",
        ),
        ({"config": {"disk_type": "hyperdisk-balanced"}}, "not compatible"),
        ({"config": {"service_account": "x@emulated-project.iam.gserviceaccount.com"}}, "does not exist"),
        ({"config": {"resource_labels": {"k": "Bad"}}}, "resource label k=Bad"),
        ({"config": {"taints": [{"key": "k"}]}}, "needs a key and an effect"),
        ({"version": "1.20.0"}, "must be one of"),
        ({"initial_node_count": 1001}, "between 0 and 1000"),
        ({"autoscaling": {"enabled": True}}, "must be greater than zero"),
        (
            {"autoscaling": {"enabled": True, "max_node_count": 2, "total_max_node_count": 2}},
            "cannot be given together",
        ),
    ],
)
def test_a_wrong_pool_is_refused_with_the_reason(
    google: Google, cluster: str, changes: dict[str, Any], said: str
) -> None:
    config = changes.pop("config", None)
    with pytest.raises(exceptions.BadRequest, match=said):
        google.engine().create_node_pool(parent=cluster, node_pool=pool_message(config=config, **changes))
    assert [pool.name for pool in google.engine().list_node_pools(parent=cluster).node_pools] == [
        "default-pool"
    ]


def test_a_name_is_taken_only_once(google: Google, cluster: str) -> None:
    with pytest.raises(exceptions.Conflict, match="Already exists"):
        google.engine().create_node_pool(parent=cluster, node_pool=pool_message("default-pool"))


def test_deleting_a_pool_drains_its_nodes(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    name = nodes(google)[0].name
    google.succeeded(google.engine().delete_node_pool(name=pool))
    assert google.kubes[0].removed == [(name, 30.0, True)]
    with pytest.raises(exceptions.NotFound):
        google.engine().get_node_pool(name=pool)


def test_a_pools_nodes_are_replaced_when_they_should_be_others(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster, initial_node_count=2)
    before = {node.name for node in nodes(google)}
    labels = container_v1.NodeLabels(labels={"a": "b"})
    google.succeeded(google.engine().update_node_pool(request={"name": pool, "labels": labels}))
    after = nodes(google)
    assert before.isdisjoint(node.name for node in after)
    assert [node.labels["a"] for node in after] == ["b", "b"]
    assert target(google, group_of(google, pool)) == 2


def test_resource_labels_change_without_new_nodes(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    before = nodes(google)
    labels = container_v1.ResourceLabels(labels={"rightsize-cluster": "gke"})
    google.succeeded(google.engine().update_node_pool(request={"name": pool, "resource_labels": labels}))
    assert dict(google.engine().get_node_pool(name=pool).config.resource_labels) == {
        "rightsize-cluster": "gke"
    }
    assert nodes(google) == before


def test_a_pool_can_be_given_another_zone(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a"])
    pool = a_pool(google, cluster)
    google.succeeded(google.engine().update_node_pool(request={"name": pool, "locations": ["us-central1-b"]}))
    assert [node.labels["topology.kubernetes.io/zone"] for node in nodes(google)] == ["us-central1-b"]
    assert len(google.engine().get_node_pool(name=pool).instance_group_urls) == 1


def test_an_unknown_field_is_refused(google: Google, cluster: str) -> None:
    refused = google.call("POST", f"/v1/{cluster}/nodePools", {"nodePool": {"name": "p", "colour": "red"}})
    assert refused["error"]["code"] == 400
    assert "colour" in refused["error"]["message"]


def test_names_of_machines_are_never_too_long(google: Google) -> None:
    cluster = a_cluster(google, name="c" * 40)
    a_pool(google, cluster, "p" * 40)
    (node,) = nodes(google, "p" * 40)
    assert len(node.name) <= 63
