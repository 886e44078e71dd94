"""Clusters of the emulated GKE, by the real SDK."""

import base64
import threading
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import container_v1

from emulator.gcp.account import PROJECT
from tests.support.google_cloud import PLACE, ZONE, Google, a_cluster, a_pool, cluster_message

Status = container_v1.Cluster.Status


def test_a_cluster_is_made_shown_and_deleted(google: Google) -> None:
    cluster = a_cluster(google)
    engine = google.engine()
    shown = engine.get_cluster(name=cluster)
    assert (shown.name, shown.status, shown.location) == ("gke", Status.RUNNING, ZONE)
    assert shown.endpoint == "127.0.0.1:6443"
    assert base64.b64decode(shown.master_auth.cluster_ca_certificate) == b"ca"
    assert [pool.name for pool in shown.node_pools] == ["default-pool"]
    assert shown.current_node_count == 1
    assert [found.name for found in engine.list_clusters(parent=PLACE).clusters] == ["gke"]
    assert google.computer.published == ["gke-right-sized"]
    google.succeeded(engine.delete_cluster(name=cluster))
    with pytest.raises(exceptions.NotFound):
        engine.get_cluster(name=cluster)
    assert google.kubes[0].deleted
    assert google.computer.published == []
    assert list(google.world.meter.running()) == []


def test_the_default_pool_can_be_removed_as_pulumi_does_it(google: Google, cluster: str) -> None:
    google.succeeded(google.engine().delete_node_pool(name=f"{cluster}/nodePools/default-pool"))
    assert list(google.engine().get_cluster(name=cluster).node_pools) == []
    assert google.kubes[0].nodes == {}


def test_an_operation_is_pending_or_running_until_its_time_is_over(google: Google) -> None:
    google.clock.gate = threading.Event()
    engine = google.engine()
    operation = engine.create_cluster(parent=PLACE, cluster=cluster_message())
    statuses = container_v1.Operation.Status
    assert operation.status in {statuses.PENDING, statuses.RUNNING}
    assert operation.operation_type == container_v1.Operation.Type.CREATE_CLUSTER
    assert engine.get_cluster(name=f"{PLACE}/clusters/gke").status == Status.PROVISIONING
    google.clock.gate.set()
    google.succeeded(operation)
    assert engine.get_cluster(name=f"{PLACE}/clusters/gke").status == Status.RUNNING


def test_one_operation_at_a_time_occupies_a_cluster(google: Google, cluster: str) -> None:
    google.clock.gate = threading.Event()
    engine = google.engine()
    operation = engine.set_labels(
        request={"name": cluster, "resource_labels": {"a": "b"}, "label_fingerprint": ""}
    )
    with pytest.raises(exceptions.BadRequest) as busy:
        engine.delete_cluster(name=cluster)
    assert busy.value.reason == "CLUSTER_ALREADY_HAS_OPERATION"
    assert operation.name in busy.value.message
    google.clock.gate.set()
    google.succeeded(operation)
    assert dict(engine.get_cluster(name=cluster).resource_labels) == {"a": "b"}


def test_the_pace_follows_the_clusters_label(google: Google) -> None:
    a_cluster(google)
    demo = sum(google.clock.waits)
    a_cluster(google, name="slow", resource_labels={})
    assert sum(google.clock.waits) - demo > 10 * demo


def test_a_regional_cluster_has_nodes_in_its_zones(google: Google) -> None:
    cluster = a_cluster(google, "us-central1", locations=["us-central1-a", "us-central1-f"])
    shown = google.engine().get_cluster(name=cluster)
    assert list(shown.locations) == ["us-central1-a", "us-central1-f"]
    zones = {node.labels["topology.kubernetes.io/zone"] for node in google.kubes[0].nodes.values()}
    assert zones == {"us-central1-a", "us-central1-f"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Bad_Name"}, "lowercase letters"),
        ({"initial_node_count": 0}, "initial_node_count must be greater than zero"),
        ({"autopilot": {"enabled": True}}, "autopilot"),
        ({"resource_labels": {"A": "b"}}, "resource label A=b"),
        ({"initial_cluster_version": "1.20"}, "1.36.3-gke.1092000"),
        ({"workload_identity_config": {"workload_pool": "p"}}, "emulated-project.svc.id.goog"),
        ({"locations": ["us-east1-b"]}, "'us-east1-b' is not a zone of us-central1"),
        (
            {"ip_allocation_policy": {"cluster_secondary_range_name": "x"}},
            'Secondary range "x" does not exist',
        ),
    ],
)
def test_a_wrong_cluster_is_refused_with_the_reason(
    google: Google, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=said):
        google.engine().create_cluster(parent=PLACE, cluster=cluster_message(**changes))
    assert google.world.clusters == {}


def test_a_name_is_taken_only_once(google: Google, cluster: str) -> None:
    assert cluster
    with pytest.raises(exceptions.Conflict, match="Already exists"):
        google.engine().create_cluster(parent=PLACE, cluster=cluster_message())


def test_a_cluster_that_cannot_be_built_says_why_and_can_be_deleted(google: Google) -> None:
    google.computer.failure = "no ports left"
    engine = google.engine()
    operation = google.finished(engine.create_cluster(parent=PLACE, cluster=cluster_message()))
    assert operation.error.message == "no ports left"
    cluster = engine.get_cluster(name=f"{PLACE}/clusters/gke")
    assert (cluster.status, cluster.status_message) == (Status.ERROR, "no ports left")
    google.succeeded(engine.delete_cluster(name=f"{PLACE}/clusters/gke"))
    assert google.world.clusters == {}


def test_settings_of_a_cluster_can_be_changed(google: Google, cluster: str) -> None:
    engine = google.engine()
    networks = {"enabled": True, "cidr_blocks": [{"cidr_block": "203.0.113.0/24"}]}
    google.succeeded(
        engine.update_cluster(
            request={"name": cluster, "update": {"desired_master_authorized_networks_config": networks}}
        )
    )
    shown = engine.get_cluster(name=cluster).master_authorized_networks_config
    assert [block.cidr_block for block in shown.cidr_blocks] == ["203.0.113.0/24"]


def test_a_cluster_keeps_the_network_it_is_in(google: Google, cluster: str) -> None:
    refused = google.call("DELETE", f"/compute/v1/projects/{PROJECT}/global/networks/default")
    assert "is already being used by" in refused["error"]["message"]
    assert refused["error"]["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    google.succeeded(google.engine().delete_cluster(name=cluster))
    assert google.call("DELETE", f"/compute/v1/projects/{PROJECT}/global/networks/default")["name"]


def test_what_runs_is_metered(google: Google, cluster: str) -> None:
    a_pool(google, cluster)
    charges = {(reading.charge.kind, reading.charge.shape) for reading in google.world.meter.running()}
    assert charges == {
        ("cluster", ""),
        ("instance", "e2-medium"),
        ("instance", "t2a-standard-2"),
        ("boot-disk", ""),
    }
    assert {reading.charge.cluster for reading in google.world.meter.running()} == {"gke-right-sized"}


def test_versions_that_can_be_had_are_told(google: Google) -> None:
    config = google.engine().get_server_config(name=PLACE)
    assert config.default_cluster_version == "1.36.3-gke.1092000"
    channels = container_v1.ReleaseChannel.Channel
    assert {channel.channel for channel in config.channels} >= {channels.REGULAR, channels.STABLE}
