"""The cloud's own node-pool autoscaling: what its autoscaler is told, and what it asks of the groups."""

from typing import Any

import pytest
from google.cloud import container_v1

from emulator.cloud.fault import Stockout
from emulator.kube.spec import CloudHooks, CloudRefused, PoolLimits
from tests.support.google_cloud import Google, a_cluster, a_pool

LIMITS = {"enabled": True, "total_min_node_count": 0, "total_max_node_count": 4}
T4 = {
    "machine_type": "n1-standard-2",
    "accelerators": [{"accelerator_count": 1, "accelerator_type": "nvidia-tesla-t4"}],
}


def hooks_of(google: Google) -> CloudHooks:
    found = google.kubes[0].hooks
    assert found is not None
    return found


def empty_pool(google: Google, cluster: str, **changes: Any) -> str:
    values: dict[str, Any] = {"config": T4, "initial_node_count": 0, "autoscaling": LIMITS, **changes}
    return a_pool(google, cluster, "gpus", **values)


def zones(google: Google) -> list[str]:
    return sorted(
        node.labels["topology.kubernetes.io/zone"]
        for node in google.kubes[0].nodes.values()
        if node.labels["cloud.google.com/gke-nodepool"] == "gpus"
    )


def told(google: Google) -> tuple[PoolLimits, ...]:
    settings = google.kubes[0].autoscaler
    return settings.nodes if settings is not None else ()


def test_the_autoscaler_gets_the_limits_of_pools_that_have_some(google: Google, cluster: str) -> None:
    assert told(google) == ()
    pool = empty_pool(google, cluster)
    a_pool(google, cluster, "fixed")
    assert told(google) == (PoolLimits("gpus", 0, 4),)
    off = container_v1.NodePoolAutoscaling(enabled=False)
    google.succeeded(google.engine().set_node_pool_autoscaling(request={"name": pool, "autoscaling": off}))
    assert google.kubes[0].autoscaler is None


def test_its_waits_are_those_of_the_clusters_pace(google: Google, cluster: str) -> None:
    empty_pool(google, cluster)
    settings = google.kubes[0].autoscaler
    assert settings is not None
    assert (settings.scan_interval_s, settings.scale_down_unneeded_s) == (2, 8)


def test_limits_per_zone_count_in_each_zone(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a", "us-central1-b"])
    empty_pool(google, cluster, autoscaling={"enabled": True, "min_node_count": 1, "max_node_count": 3})
    assert told(google) == (PoolLimits("gpus", 2, 6),)


def test_an_empty_pool_shows_what_a_node_of_it_would_be(google: Google, cluster: str) -> None:
    empty_pool(google, cluster)
    pool = next(each for each in hooks_of(google).scalable_pools() if each.id == "gpus")
    assert (pool.size, pool.node_names) == (0, ())
    assert pool.template.allocatable.gpus == 1
    assert pool.template.labels["cloud.google.com/gke-accelerator"] == "nvidia-tesla-t4"


def test_growing_spreads_over_the_zones(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a", "us-central1-b"])
    empty_pool(google, cluster)
    hooks_of(google).grow_pool("gpus", 3)
    google.settle()
    assert zones(google) == ["us-central1-a", "us-central1-a", "us-central1-b"]


def test_growing_goes_where_there_is_capacity(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a", "us-central1-b"])
    empty_pool(google, cluster)
    google.faults.inject(Stockout("n1-standard-2+t4x1", "us-central1-a", 1e9), None, google.clock.now())
    hooks_of(google).grow_pool("gpus", 2)
    google.settle()
    assert zones(google) == ["us-central1-b", "us-central1-b"]


def test_growing_without_capacity_is_refused_and_leaves_the_size(google: Google, cluster: str) -> None:
    empty_pool(google, cluster)
    google.faults.inject(Stockout("n1-standard-2+t4x1", "us-central1-a", 1e9), None, google.clock.now())
    with pytest.raises(CloudRefused, match="does not have enough resources available"):
        hooks_of(google).grow_pool("gpus", 1)
    pool = next(each for each in hooks_of(google).scalable_pools() if each.id == "gpus")
    assert (pool.size, pool.node_names) == (0, ())


def test_a_node_is_given_back_through_its_group(google: Google, cluster: str) -> None:
    empty_pool(google, cluster)
    hooks_of(google).grow_pool("gpus", 2)
    google.settle()
    pool = next(each for each in hooks_of(google).scalable_pools() if each.id == "gpus")
    hooks_of(google).delete_node("gpus", pool.node_names[0])
    hooks_of(google).delete_node("gpus", "gone already")
    google.settle()
    left = next(each for each in hooks_of(google).scalable_pools() if each.id == "gpus")
    assert (left.size, left.node_names) == (1, pool.node_names[1:])


def test_growing_does_not_wait_for_an_operation_of_the_cluster(google: Google, cluster: str) -> None:
    empty_pool(google, cluster)
    google.engine().create_node_pool(
        parent=cluster, node_pool=container_v1.NodePool(name="other", config={"machine_type": "e2-medium"})
    )
    hooks_of(google).grow_pool("gpus", 1)
    google.settle()
    assert zones(google) == ["us-central1-a"]
