"""The emulation cannot invent: all it takes and answers exists in the SDK's models."""

from typing import Any

import pytest
from google.cloud import compute_v1, container_v1
from google.protobuf import json_format

from emulator.cloud.fault import Stockout
from emulator.gcp import network_kinds, quotas
from emulator.gcp.account import PROJECT, regions
from tests.support.google_cloud import PLACE, ZONE, Google, a_cluster, a_pool, group_of, pool_message

COMPUTE = f"/compute/v1/projects/{PROJECT}"
T4 = {
    "machine_type": "n1-standard-2",
    "accelerators": [{"accelerator_count": 1, "accelerator_type": "nvidia-tesla-t4"}],
    "spot": True,
}


def check(kind: Any, value: Any) -> None:
    """Strictly: an unknown key, an unknown word of an enumeration or a wrong type raises."""
    assert value
    assert "error" not in value, value
    json_format.ParseDict(value, kind.pb(kind()), ignore_unknown_fields=False)


@pytest.fixture
def furnished(google: Google) -> str:
    """A cluster with pools that have everything, that lack something, and that are full."""
    cluster = a_cluster(google)
    a_pool(google, cluster, "gpus", config=T4, autoscaling={"enabled": True, "total_max_node_count": 2})
    google.faults.inject(Stockout("t2a-standard-2", ZONE, 1e9), None, google.clock.now())
    google.finished(google.engine().create_node_pool(parent=cluster, node_pool=pool_message("lacking")))
    return cluster


def test_every_answer_of_the_container_api_is_the_sdks(google: Google, furnished: str) -> None:
    check(container_v1.Cluster, google.call("GET", f"/v1/{furnished}"))
    check(
        container_v1.ListClustersResponse, google.call("GET", f"/v1/projects/{PROJECT}/locations/-/clusters")
    )
    check(container_v1.ListNodePoolsResponse, google.call("GET", f"/v1/{furnished}/nodePools"))
    lacking = google.call("GET", f"/v1/{furnished}/nodePools/lacking")
    assert lacking["conditions"]
    check(container_v1.NodePool, lacking)
    listed = google.call("GET", f"/v1/{PLACE}/operations")
    check(container_v1.ListOperationsResponse, listed)
    assert {"CREATE_CLUSTER", "CREATE_NODE_POOL"} == {each["operationType"] for each in listed["operations"]}
    assert any("error" in each for each in listed["operations"])
    check(
        container_v1.Operation,
        google.call("GET", f"/v1/{PLACE}/operations/{listed['operations'][0]['name']}"),
    )
    check(container_v1.ServerConfig, google.call("GET", f"/v1/{PLACE}/serverConfig"))


def test_every_answer_about_machines_is_the_sdks(google: Google, furnished: str) -> None:
    zone = f"{COMPUTE}/zones/{ZONE}"
    group = f"{zone}/instanceGroupManagers/{group_of(google, f'{furnished}/nodePools/lacking')}"
    full = f"{zone}/instanceGroupManagers/{group_of(google, f'{furnished}/nodePools/gpus')}"
    managed = google.call("POST", f"{full}/listManagedInstances")
    name = managed["managedInstances"][0]["name"]
    operation = google.call(
        "POST", f"{full}/deleteInstances", {"instances": [f"zones/{ZONE}/instances/{name}"]}
    )
    answers = {
        "InstanceGroupManager": google.call("GET", group),
        "InstanceGroupManagerList": google.call("GET", f"{zone}/instanceGroupManagers"),
        "InstanceGroupManagerAggregatedList": google.call(
            "GET", f"{COMPUTE}/aggregated/instanceGroupManagers"
        ),
        "InstanceGroupManagersListManagedInstancesResponse": google.call(
            "POST", f"{group}/listManagedInstances"
        ),
        "InstanceGroupManagersListErrorsResponse": google.call("GET", f"{group}/listErrors"),
        "InstanceList": google.call("GET", f"{zone}/instances"),
        "InstanceAggregatedList": google.call("GET", f"{COMPUTE}/aggregated/instances"),
        "Instance": google.call(
            "GET", f"{zone}/instances/{google.call('GET', f'{zone}/instances')['items'][0]['name']}"
        ),
        "Operation": operation,
        "OperationList": google.call("GET", f"{zone}/operations"),
    }
    check(compute_v1.InstanceGroupManagersListManagedInstancesResponse, managed)
    for kind, value in answers.items():
        check(getattr(compute_v1, kind), value)


def test_every_answer_about_places_is_the_sdks(google: Google) -> None:
    zone = f"{COMPUTE}/zones/{ZONE}"
    answers = {
        "Project": google.call("GET", COMPUTE),
        "RegionList": google.call("GET", f"{COMPUTE}/regions"),
        "Region": google.call("GET", f"{COMPUTE}/regions/us-central1"),
        "ZoneList": google.call("GET", f"{COMPUTE}/zones"),
        "Zone": google.call("GET", zone),
        "MachineTypeList": google.call("GET", f"{zone}/machineTypes"),
        "MachineType": google.call("GET", f"{zone}/machineTypes/t2a-standard-1"),
        "MachineTypeAggregatedList": google.call("GET", f"{COMPUTE}/aggregated/machineTypes"),
        "AcceleratorTypeList": google.call("GET", f"{zone}/acceleratorTypes"),
        "AcceleratorType": google.call("GET", f"{zone}/acceleratorTypes/nvidia-tesla-t4"),
    }
    for kind, value in answers.items():
        check(getattr(compute_v1, kind), value)


def test_every_answer_of_networks_is_the_sdks(google: Google) -> None:
    region = f"{COMPUTE}/regions/us-central1"
    nat = {
        "name": "n",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    }
    check(
        compute_v1.Operation,
        google.call("POST", f"{region}/routers", {"name": "r", "network": "default", "nats": [nat]}),
    )
    for kind in network_kinds.KINDS.values():
        base = region if kind.regional else f"{COMPUTE}/global"
        listed = google.call("GET", f"{base}/{kind.path}")
        check(getattr(compute_v1, f"{kind.model}List"), listed)
        check(getattr(compute_v1, kind.model), listed["items"][0])
    check(compute_v1.OperationList, google.call("GET", f"{region}/operations"))


@pytest.mark.parametrize("kind", network_kinds.KINDS.values(), ids=lambda kind: kind.path)
def test_resources_take_only_the_sdks_fields(kind: network_kinds.Kind) -> None:
    descriptor = getattr(compute_v1, kind.model).pb().DESCRIPTOR
    known = {field.json_name for field in descriptor.fields}
    assert kind.accepted | set(kind.mutable) | set(kind.defaults) <= known


def test_metrics_of_quotas_are_the_sdks() -> None:
    known = {metric.name for metric in list(compute_v1.Quota.Metric)}
    limits = quotas.Quotas()
    assert {*limits.regional, *limits.everywhere} <= known


def test_the_sdk_pages_through_lists(google: Google) -> None:
    client = google.compute(compute_v1.MachineTypesClient)
    request = compute_v1.ListMachineTypesRequest(project=PROJECT, zone=ZONE, max_results=5)
    names = [each.name for each in client.list(request=request)]
    assert len(names) == len(set(names)) > 5
    assert {"t2a-standard-1", "n1-standard-2", "e2-medium"} <= set(names)


def test_what_is_sold_where_follows_the_catalog(google: Google) -> None:
    client = google.compute(compute_v1.MachineTypesClient)
    sold = {
        zone: {each.name for each in client.list(project=PROJECT, zone=zone)}
        for zone in regions()["us-central1"]
    }
    assert [zone for zone, names in sold.items() if "t2a-standard-2" in names] == [
        f"us-central1-{letter}" for letter in "abf"
    ]
    gpus = google.compute(compute_v1.AcceleratorTypesClient)
    assert "nvidia-tesla-t4" in {each.name for each in gpus.list(project=PROJECT, zone="us-central1-c")}
