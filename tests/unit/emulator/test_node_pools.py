"""Node pools of the emulated container engine, through the real SDK."""

import threading
from typing import Any

import oci
import pytest

from catalog.allocatable import allocatable
from catalog.timing import CLOUD, DEMO
from emulator.oci import account
from tests.support.oracle import Ground, Oracle, cluster_details, image, pool_details
from tests.support.until import until

models = oci.container_engine.models


def refused(call: Any, status: int) -> str:
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        call()
    assert refusal.value.status == status
    return str(refusal.value.message)


def resized(size: int) -> Any:
    return models.UpdateNodePoolDetails(node_config_details=models.UpdateNodePoolNodeConfigDetails(size=size))


@pytest.fixture
def pool(oracle: Oracle, place: Ground, cluster: str) -> str:
    return oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster, size=2)))


def test_a_pool_has_its_nodes_in_the_api_and_in_kubernetes(oracle: Oracle, pool: str) -> None:
    found = oracle.engine().get_node_pool(pool).data
    assert [(node.lifecycle_state, node.private_ip) for node in found.nodes] == [
        ("ACTIVE", "10.0.1.2"),
        ("ACTIVE", "10.0.1.3"),
    ]
    assert [node.name.rsplit("-", 1)[1] for node in found.nodes] == ["0", "1"]
    registered = oracle.kubes[0].nodes
    assert {node.provider_id for node in registered.values()} == {node.id for node in found.nodes}
    assert found.lifecycle_state == "ACTIVE"


def test_a_node_looks_as_the_cloud_makes_it(oracle: Oracle, pool: str) -> None:
    node = oracle.kubes[0].nodes["10.0.1.2"]
    expected = allocatable("oke", "documented", arch="arm64", vcpus=2, memory_gib=8, gpus=0, max_pods=31)
    assert node.allocatable == expected
    assert node.capacity.cpu_millicores == 2000
    assert node.annotations["oci.oraclecloud.com/node-pool-id"] == pool
    assert node.taints == ()
    wanted = {
        "kubernetes.io/arch": "arm64",
        "node.kubernetes.io/instance-type": "VM.Standard.A1.Flex",
        "topology.kubernetes.io/zone": "US-ASHBURN-AD-1",
        "topology.kubernetes.io/region": "iad",
        "oci.oraclecloud.com/fault-domain": "FAULT-DOMAIN-1",
    }
    assert wanted.items() <= node.labels.items()


def test_own_labels_and_taints_reach_the_node(oracle: Oracle, place: Ground, cluster: str) -> None:
    details = pool_details(
        oracle,
        place,
        cluster,
        initial_node_labels=[models.KeyValue(key="rightsize.io/role", value="inference")],
        node_metadata={
            "kubelet-extra-args": "--register-with-taints=rightsize.io/role=inference:NoSchedule,x=:NoExecute"
        },
    )
    oracle.succeeded(oracle.engine().create_node_pool(details))
    node = oracle.kubes[0].nodes["10.0.1.2"]
    assert node.labels["rightsize.io/role"] == "inference"
    assert [(taint.key, taint.value, taint.effect) for taint in node.taints] == [
        ("rightsize.io/role", "inference", "NoSchedule"),
        ("x", "", "NoExecute"),
    ]


def test_gpu_nodes_have_gpus_and_their_taint(oracle: Oracle, place: Ground, cluster: str) -> None:
    details = pool_details(
        oracle, place, cluster, node_shape="VM.GPU2.1", node_shape_config=None, image_id=image(oracle, "GPU")
    )
    oracle.succeeded(oracle.engine().create_node_pool(details))
    node = oracle.kubes[0].nodes["10.0.1.2"]
    assert (node.capacity.gpus, node.allocatable.gpus, node.arch) == (1, 1, "amd64")
    assert [(taint.key, taint.value) for taint in node.taints] == [("nvidia.com/gpu", "present")]


def test_preemptible_nodes_are_marked_and_cost_half(oracle: Oracle, place: Ground, cluster: str) -> None:
    placement = models.NodePoolPlacementConfigDetails(
        availability_domain=account.AVAILABILITY_DOMAINS[1],
        subnet_id=place.subnet,
        preemptible_node_config=models.PreemptibleNodeConfigDetails(
            preemption_action=models.TerminatePreemptionAction(is_preserve_boot_volume=False)
        ),
    )
    oracle.succeeded(
        oracle.engine().create_node_pool(pool_details(oracle, place, cluster, placements=[placement]))
    )
    node = oracle.kubes[0].nodes["10.0.1.2"]
    mark = "oci.oraclecloud.com/oke-is-preemptible"
    assert node.labels[mark] == "true"
    assert [taint.key for taint in node.taints] == [mark]
    prices = [
        float(read.charge.price_per_hour)
        for read in oracle.world.meter.running()
        if read.charge.kind == "instance"
    ]
    assert prices == pytest.approx([(2 * 0.01 + 8 * 0.0015) / 2])


def test_nodes_register_after_the_boot_delay_of_the_cluster(oracle: Oracle, place: Ground) -> None:
    engine = oracle.engine()
    for tags, timing in (({"rightsize-timing": "demo"}, DEMO), ({}, CLOUD)):
        cluster = oracle.succeeded(engine.create_cluster(cluster_details(place, freeform_tags=tags)))
        oracle.succeeded(engine.create_node_pool(pool_details(oracle, place, cluster)))
        assert oracle.clock.waits.pop() == timing.boot_delay_s


def test_nominal_nodes_keep_all_their_capacity(oracle: Oracle, place: Ground) -> None:
    engine = oracle.engine()
    details = cluster_details(place, freeform_tags={"rightsize-accounting": "nominal"})
    cluster = oracle.succeeded(engine.create_cluster(details))
    shape = models.CreateNodeShapeConfigDetails(ocpus=1, memory_in_gbs=1)
    oracle.succeeded(engine.create_node_pool(pool_details(oracle, place, cluster, node_shape_config=shape)))
    node = oracle.kubes[0].nodes["10.0.1.2"]
    assert node.allocatable == node.capacity
    assert (node.capacity.memory_bytes, node.capacity.pods) == (2**30, 110)


def test_nodes_spread_over_the_placements(oracle: Oracle, place: Ground, cluster: str) -> None:
    placements = [
        models.NodePoolPlacementConfigDetails(availability_domain=domain, subnet_id=place.subnet)
        for domain in account.AVAILABILITY_DOMAINS
    ]
    details = pool_details(oracle, place, cluster, size=5, placements=placements)
    pool = oracle.succeeded(oracle.engine().create_node_pool(details))
    nodes = oracle.engine().get_node_pool(pool).data.nodes
    counts = sorted(
        [node.availability_domain for node in nodes].count(domain) for domain in account.AVAILABILITY_DOMAINS
    )
    assert counts == [1, 2, 2]


def test_growing_adds_nodes_and_shrinking_drains_the_newest(oracle: Oracle, pool: str) -> None:
    engine = oracle.engine()
    oracle.succeeded(engine.update_node_pool(pool, resized(3)))
    assert set(oracle.kubes[0].nodes) == {"10.0.1.2", "10.0.1.3", "10.0.1.4"}
    oracle.succeeded(engine.update_node_pool(pool, resized(1), override_eviction_grace_duration="PT5M"))
    assert set(oracle.kubes[0].nodes) == {"10.0.1.2"}
    assert {(name, grace) for name, grace, _ in oracle.kubes[0].removed} == {
        ("10.0.1.3", 300),
        ("10.0.1.4", 300),
    }
    running = [read for read in oracle.world.meter.running() if read.charge.kind == "instance"]
    assert len(running) == 1


def test_deleting_one_node_shrinks_the_pool(oracle: Oracle, pool: str) -> None:
    engine = oracle.engine()
    victim = engine.get_node_pool(pool).data.nodes[0]
    oracle.succeeded(
        engine.delete_node(
            pool,
            victim.id,
            is_decrement_size=True,
            override_eviction_grace_duration="PT0M",
            is_force_deletion_after_override_grace_duration=True,
        )
    )
    left = engine.get_node_pool(pool).data
    assert left.node_config_details.size == 1
    assert victim.id not in {node.id for node in left.nodes}
    assert oracle.kubes[0].removed == [("10.0.1.2", 0, True)]
    assert "gone" not in refused(lambda: engine.delete_node(pool, victim.id), 404)


def test_deleting_one_node_without_shrinking_replaces_it(oracle: Oracle, pool: str) -> None:
    engine = oracle.engine()
    victim = engine.get_node_pool(pool).data.nodes[0]
    oracle.succeeded(engine.delete_node(pool, victim.id, is_decrement_size=False))
    left = engine.get_node_pool(pool).data
    assert left.node_config_details.size == len(left.nodes) == 2
    assert victim.id not in {node.id for node in left.nodes}


def test_a_drain_that_is_refused_leaves_the_node_and_says_why(oracle: Oracle, pool: str) -> None:
    engine = oracle.engine()
    oracle.kubes[0].stuck = {"10.0.1.2"}
    victim = engine.get_node_pool(pool).data.nodes[0]
    request = oracle.finished(engine.delete_node(pool, victim.id, override_eviction_grace_duration="PT1M"))
    errors = engine.list_work_request_errors(account.COMPARTMENT, request.id).data
    assert request.status == "FAILED"
    assert errors[0].code == "PodEvictionFailureError"
    found = engine.get_node_pool(pool).data
    assert found.lifecycle_state == "NEEDS_ATTENTION"
    assert found.nodes[0].node_error.code == "PodEvictionFailureError"


def test_deleting_a_pool_ends_its_nodes(oracle: Oracle, cluster: str, pool: str) -> None:
    engine = oracle.engine()
    oracle.succeeded(engine.delete_node_pool(pool, override_eviction_grace_duration="PT0M"))
    assert oracle.kubes[0].nodes == {}
    assert engine.list_node_pools(account.COMPARTMENT, cluster_id=cluster).data == []
    refused(lambda: engine.get_node_pool(pool), 404)


def test_one_operation_at_a_time_on_a_pool_but_two_pools_side_by_side(
    oracle: Oracle, place: Ground, cluster: str, pool: str
) -> None:
    engine = oracle.engine()
    gate = oracle.kubes[0].gate = threading.Event()
    first = engine.update_node_pool(pool, resized(3))
    message = refused(lambda: engine.update_node_pool(pool, resized(4)), 409)
    assert first.headers["opc-work-request-id"] in message
    refused(lambda: engine.delete_cluster(cluster), 409)
    second = engine.create_node_pool(pool_details(oracle, place, cluster, name="other"))
    gate.set()
    assert oracle.finished(first).status == oracle.finished(second).status == "SUCCEEDED"


def test_a_new_shape_concerns_new_nodes_only(oracle: Oracle, pool: str) -> None:
    engine = oracle.engine()
    larger = models.UpdateNodePoolDetails(
        node_shape_config=models.UpdateNodeShapeConfigDetails(ocpus=4, memory_in_gbs=16),
        node_config_details=models.UpdateNodePoolNodeConfigDetails(size=3),
    )
    oracle.succeeded(engine.update_node_pool(pool, larger))
    sizes = {name: node.capacity.cpu_millicores for name, node in oracle.kubes[0].nodes.items()}
    assert sizes == {"10.0.1.2": 2000, "10.0.1.3": 2000, "10.0.1.4": 4000}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"node_shape": "VM.Standard.E9.Flex"}, "VM.Standard.E9.Flex"),
        (
            {"node_shape_config": models.CreateNodeShapeConfigDetails(ocpus=77, memory_in_gbs=77)},
            "between 1 and 76",
        ),
        (
            {"node_shape_config": models.CreateNodeShapeConfigDetails(ocpus=2, memory_in_gbs=1)},
            "between 2 and 128",
        ),
        (
            {"node_shape_config": models.CreateNodeShapeConfigDetails(ocpus=1.5, memory_in_gbs=8)},
            "whole number",
        ),
        ({"node_shape_config": None}, "nodeShapeConfig.ocpus"),
        ({"kubernetes_version": "v1.35.4"}, "is for Kubernetes v1.36.3"),
        ({"size": 1001}, "1000"),
        ({"image_id": "ocid1.image.oc1.iad.none"}, "ocid1.image.oc1.iad.none"),
        ({"node_metadata": {"kubelet-extra-args": "--register-with-taints=broken"}}, "broken"),
        (
            {"initial_node_labels": [models.KeyValue(key="kubernetes.io/arch", value="x")]},
            "kubernetes.io/arch",
        ),
    ],
)
def test_a_wrong_pool_is_refused(
    oracle: Oracle, place: Ground, cluster: str, changes: dict[str, Any], named: str
) -> None:
    details = pool_details(oracle, place, cluster, **changes)
    assert named in refused(lambda: oracle.engine().create_node_pool(details), 400)
    assert oracle.world.pools == {}


@pytest.mark.parametrize(
    ("shape", "config", "arch"),
    [
        ("VM.Standard.A1.Flex", (2, 8), ""),
        ("VM.Standard.E5.Flex", (2, 8), "aarch64"),
        ("VM.Standard.E5.Flex", (2, 8), "GPU"),
        ("VM.GPU2.1", None, ""),
    ],
)
def test_an_image_that_does_not_fit_the_shape_is_refused(
    oracle: Oracle, place: Ground, cluster: str, shape: str, config: tuple[int, int] | None, arch: str
) -> None:
    size = models.CreateNodeShapeConfigDetails(ocpus=config[0], memory_in_gbs=config[1]) if config else None
    details = pool_details(
        oracle, place, cluster, node_shape=shape, node_shape_config=size, image_id=image(oracle, arch)
    )
    assert "not compatible" in refused(lambda: oracle.engine().create_node_pool(details), 400)


def test_more_pods_than_interfaces_allow_are_refused(oracle: Oracle, place: Ground, cluster: str) -> None:
    network = models.OciVcnIpNativeNodePoolPodNetworkOptionDetails(
        pod_subnet_ids=[place.pods], max_pods_per_node=32
    )
    details = pool_details(oracle, place, cluster, pod_network=network)
    assert "more than the 31" in refused(lambda: oracle.engine().create_node_pool(details), 400)


def test_a_pool_cannot_change_its_architecture(oracle: Oracle, pool: str) -> None:
    details = models.UpdateNodePoolDetails(
        node_shape="VM.Standard.E5.Flex",
        node_shape_config=models.UpdateNodeShapeConfigDetails(ocpus=1, memory_in_gbs=8),
        node_source_details=models.NodeSourceViaImageDetails(image_id=image(oracle, "")),
    )
    assert "arm64 to amd64" in refused(lambda: oracle.engine().update_node_pool(pool, details), 400)


def test_a_subnet_without_addresses_fails_the_work_request(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    tiny = oracle.network().create_subnet(
        oci.core.models.CreateSubnetDetails(
            compartment_id=account.COMPARTMENT, vcn_id=place.vcn, cidr_block="10.0.3.0/30"
        )
    )
    placement = models.NodePoolPlacementConfigDetails(
        availability_domain=account.AVAILABILITY_DOMAINS[0], subnet_id=tiny.data.id
    )
    details = pool_details(oracle, place, cluster, size=2, placements=[placement])
    request = oracle.finished(oracle.engine().create_node_pool(details))
    errors = oracle.engine().list_work_request_errors(account.COMPARTMENT, request.id).data
    assert [error.code for error in errors] == ["LimitExceeded"]
    assert errors[0].message.startswith("1 node(s) launch failure")
    assert set(oracle.kubes[0].nodes) == {"10.0.3.2"}


def test_nodes_boot_before_they_join(oracle: Oracle, place: Ground, cluster: str) -> None:
    gate = oracle.kubes[0].gate = threading.Event()
    engine = oracle.engine()
    answer = engine.create_node_pool(pool_details(oracle, place, cluster))
    pool = engine.get_work_request(answer.headers["opc-work-request-id"]).data.resources[0].identifier

    def states() -> list[str]:
        return [node.lifecycle_state for node in engine.get_node_pool(pool).data.nodes]

    assert until("a node is launched", states) == ["CREATING"]
    gate.set()
    oracle.succeeded(answer)
    assert states() == ["ACTIVE"]
