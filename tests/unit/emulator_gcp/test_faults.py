"""Faults of the emulated Google cloud, through the real SDK."""

from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import compute_v1, container_v1

from emulator.gcp import workloads
from emulator.gcp.account import PROJECT
from emulator.gcp.metadata import MetadataRefused
from emulator.injection import Refused
from tests.support.google_cloud import ZONE, Google, a_pool, group_of, pool_message

SPOT = {"machine_type": "t2a-standard-2", "spot": True}


def inject(google: Google, kind: str, **arguments: Any) -> Any:
    return google.injection().inject(kind, arguments, None)


def managed(google: Google, pool: str) -> list[compute_v1.ManagedInstance]:
    place = {"project": PROJECT, "zone": ZONE, "instance_group_manager": group_of(google, pool)}
    return list(google.groups().list_managed_instances(**place))


def error(google: Google, operation: container_v1.Operation) -> str:
    return str(google.finished(operation).error.message)


def resized(google: Google, pool: str, size: int) -> container_v1.Operation:
    return google.engine().set_node_pool_size(request={"name": pool, "node_count": size})


def test_a_sold_out_zone_says_so_until_the_fault_ends(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    stockout = inject(google, "stockout", shape="t2a-standard-2", zone=None, for_s=1e6)
    assert "(ZONE_RESOURCE_POOL_EXHAUSTED)" in error(google, resized(google, pool, 2))
    assert (stockout.cloud, stockout.struck) == ("gke", 2)
    assert [each.current_action for each in managed(google, pool)] == ["NONE", "CREATING"]
    google.injection().clear(None)
    google.cloud.retry()
    google.settle()
    assert [each.instance_status for each in managed(google, pool)] == ["RUNNING", "RUNNING"]


@pytest.mark.parametrize(
    ("shape", "metric", "shown"),
    [("t2a-standard-2", "T2A_CPUS", True), ("n4a-standard-1", "CPUS_PER_VM_FAMILY", False)],
)
def test_a_quota_is_enforced_and_shown_where_the_cloud_shows_it(
    google: Google, cluster: str, shape: str, metric: str, *, shown: bool
) -> None:
    inject(google, "quota", shape=shape, limit=3)
    config = {"machine_type": shape, **({} if shown else {"disk_type": "hyperdisk-balanced"})}
    made = google.engine().create_node_pool(
        parent=cluster, node_pool=pool_message(config=config, initial_node_count=4)
    )
    assert f"Quota '{metric}' exceeded. Limit: 3.0 in region us-central1" in error(google, made)
    quotas = google.compute(compute_v1.RegionsClient).get(project=PROJECT, region="us-central1").quotas
    assert {quota.metric: quota.limit for quota in quotas}.get(metric) == (3.0 if shown else None)


def test_a_discontinued_machine_type_is_neither_listed_nor_sold(google: Google, cluster: str) -> None:
    a_pool(google, cluster)
    gone = inject(google, "discontinue", shape="t2a-standard-2")
    types = google.compute(compute_v1.MachineTypesClient).list(project=PROJECT, zone=ZONE)
    assert "t2a-standard-2" not in {each.name for each in types}
    with pytest.raises(exceptions.BadRequest, match="no zone has it"):
        google.engine().create_node_pool(parent=cluster, node_pool=pool_message("another"))
    assert gone.struck == 1


def test_a_service_in_trouble_says_so_and_others_answer(google: Google, cluster: str) -> None:
    inject(google, "api-error", service="container", rate=1, for_s=1e6)
    for kind in (
        exceptions.ServiceUnavailable,
        exceptions.TooManyRequests,
        exceptions.InternalServerError,
    ):
        with pytest.raises(kind):
            google.engine().get_cluster(name=cluster, retry=None)
    assert google.compute(compute_v1.RegionsClient).get(project=PROJECT, region="us-central1").name


def test_identity_in_trouble_gives_out_no_tokens(google: Google, cluster: str) -> None:
    found = google.world.clusters[cluster]
    google.kubes[0].annotations["rightsize-system", "provisioner"] = {}
    workload = workloads.Workload(google.world, found, "rightsize-system", "provisioner")
    assert workload.token()
    inject(google, "api-error", service="identity", rate=1, for_s=1e6)
    with pytest.raises(MetadataRefused, match="unavailable"):
        workload.token()
    answer = google.call("GET", f"/v1/projects/{PROJECT}/serviceAccounts")
    assert answer["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert google.engine().get_cluster(name=cluster).name


def test_a_lost_reply_is_of_a_request_that_was_carried_out(google: Google, cluster: str) -> None:
    lost = inject(google, "lost-reply", rate=1, for_s=1e6)
    with pytest.raises(requests.ConnectionError):
        google.engine().create_node_pool(parent=cluster, node_pool=pool_message(), retry=None)
    google.injection().clear(lost.id)
    google.settle()
    assert len(managed(google, f"{cluster}/nodePools/pool")) == 1


def test_lists_of_machines_are_behind(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    inject(google, "stale-list", behind_s=1e6)
    assert len(managed(google, pool)) == 1
    google.succeeded(resized(google, pool, 3))
    assert len(managed(google, pool)) == 1
    google.injection().clear(None)
    assert len(managed(google, pool)) == 3


def test_a_machine_that_never_joins_runs_without_being_a_node(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    before = set(google.kubes[0].nodes)
    inject(google, "never-join", count=1)
    assert "only 1 nodes out of 2 have registered" in error(google, resized(google, pool, 2))
    assert len(managed(google, pool)) == 2
    assert set(google.kubes[0].nodes) == before
    assert error(google, resized(google, pool, 3)) == ""
    assert len(google.kubes[0].nodes) == len(before) + 1


def test_a_group_replaces_a_machine_that_has_vanished(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster)
    (before,) = managed(google, pool)
    inject(google, "vanish", node=before.name)
    google.settle()
    (after,) = managed(google, pool)
    assert (after.instance_status, after.name != before.name) == ("RUNNING", True)
    assert ("lost", before.name) in google.kubes[0].events
    assert set(google.kubes[0].nodes) >= {after.name}
    running = {each.charge.id.rpartition("/")[2] for each in google.world.meter.running()}
    assert after.name in running
    assert before.name not in running


def test_a_spot_machine_is_shut_down_within_its_notice_and_replaced(google: Google, cluster: str) -> None:
    pool = a_pool(google, cluster, config=SPOT)
    (before,) = managed(google, pool)
    inject(google, "spot-reclaim", node=before.name)
    google.settle()
    (after,) = managed(google, pool)
    assert after.name != before.name
    assert (before.name, 1.0, True) in google.kubes[0].removed


def test_only_spot_machines_are_reclaimed(google: Google, cluster: str) -> None:
    (machine,) = managed(google, a_pool(google, cluster))
    with pytest.raises(Refused, match="is no spot node"):
        inject(google, "spot-reclaim", node=machine.name)
