"""Clusters of the emulated container engine, through the real SDK."""

import oci
import pytest
import yaml

from emulator.oci import account
from tests.support.oracle import Ground, Oracle, cluster_details, pool_details


def test_a_new_cluster_is_active_and_has_its_endpoints(oracle: Oracle, cluster: str) -> None:
    answer = oracle.engine().get_cluster(cluster)
    assert answer.data.lifecycle_state == "ACTIVE"
    assert answer.data.type == "ENHANCED_CLUSTER"
    assert answer.data.endpoints.public_endpoint == "127.0.0.1:6443"
    assert answer.data.metadata.created_by_work_request_id
    assert answer.headers["etag"]


@pytest.mark.parametrize(
    ("tags", "timing", "accounting", "context"),
    [
        ({}, "cloud", "documented", "oke-right-sized"),
        ({"rightsize-timing": "demo"}, "demo", "documented", "oke-right-sized"),
        ({"rightsize-accounting": "nominal", "rightsize-stack": "oke"}, "cloud", "nominal", "oke"),
    ],
)
def test_tags_set_pace_accounting_and_name(
    oracle: Oracle, place: Ground, tags: dict[str, str], timing: str, accounting: str, context: str
) -> None:
    oracle.succeeded(oracle.engine().create_cluster(cluster_details(place, freeform_tags=tags)))
    spec = oracle.kubes[0].spec
    assert (spec.timing.name, spec.accounting, spec.home.name) == (timing, accounting, context)
    assert oracle.computer.published == [context]


def test_nominal_clusters_have_no_daemon_sets_of_the_cloud(oracle: Oracle, place: Ground) -> None:
    details = cluster_details(place, freeform_tags={"rightsize-accounting": "nominal"})
    oracle.succeeded(oracle.engine().create_cluster(details))
    oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    names = [{pod.name for pod in kube.spec.system_pods} for kube in oracle.kubes]
    assert names == [
        {"coredns"},
        {"coredns", "csi-oci-node", "proxymux-client", "kube-proxy", "vcn-native-ip-cni"},
    ]


@pytest.mark.usefixtures("cluster")
def test_two_clusters_of_one_stack_have_different_contexts(oracle: Oracle, place: Ground) -> None:
    oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    assert oracle.computer.published == ["oke-right-sized", "oke-right-sized-2"]
    assert oracle.kubes[0].spec.name != oracle.kubes[1].spec.name


def test_a_control_plane_that_fails_fails_the_work_request_with_its_reason(
    oracle: Oracle, place: Ground
) -> None:
    oracle.computer.failure = "etcd did not start"
    request = oracle.finished(oracle.engine().create_cluster(cluster_details(place)))
    errors = oracle.engine().list_work_request_errors(account.COMPARTMENT, request.id).data
    assert request.status == "FAILED"
    assert request.resources[0].action_type == "FAILED"
    assert [(error.code, error.message) for error in errors] == [("InternalError", "etcd did not start")]
    assert oracle.engine().get_cluster(request.resources[0].identifier).data.lifecycle_state == "FAILED"


@pytest.mark.parametrize(
    ("changes", "status", "named"),
    [
        ({"kubernetes_version": "v1.20.0"}, 400, "v1.34.1, v1.35.4, v1.36.3"),
        ({"vcn_id": "ocid1.vcn.oc1.iad.none"}, 404, "ocid1.vcn.oc1.iad.none"),
        ({"compartment_id": "ocid1.compartment.oc1..other"}, 404, "ocid1.compartment.oc1..other"),
        ({"name": None}, 400, "name"),
    ],
)
def test_a_wrong_cluster_is_refused(
    oracle: Oracle, place: Ground, changes: dict[str, str | None], status: int, named: str
) -> None:
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        oracle.engine().create_cluster(cluster_details(place, **changes))
    assert refusal.value.status == status
    assert named in refusal.value.message


def test_a_public_address_on_a_private_subnet_is_refused(oracle: Oracle, place: Ground) -> None:
    models = oci.core.models
    private = oracle.network().create_subnet(
        models.CreateSubnetDetails(
            compartment_id=account.COMPARTMENT,
            vcn_id=place.vcn,
            cidr_block="10.0.9.0/24",
            prohibit_public_ip_on_vnic=True,
        )
    )
    endpoint = oci.container_engine.models.CreateClusterEndpointConfigDetails(
        subnet_id=private.data.id, is_public_ip_enabled=True
    )
    with pytest.raises(oci.exceptions.ServiceError, match="prohibits public addresses"):
        oracle.engine().create_cluster(cluster_details(place, endpoint_config=endpoint))


def test_lists_filter_by_state_and_name(oracle: Oracle, cluster: str) -> None:
    engine = oracle.engine()
    for state, name, expected in [
        (["ACTIVE"], None, [cluster]),
        (["CREATING", "ACTIVE"], "oke-right-sized", [cluster]),
        (["DELETED"], None, []),
        (None, "another", []),
    ]:
        wanted = {key: value for key, value in (("lifecycle_state", state), ("name", name)) if value}
        assert [found.id for found in engine.list_clusters(account.COMPARTMENT, **wanted).data] == expected


def test_an_update_changes_tags_and_etag(oracle: Oracle, cluster: str) -> None:
    engine = oracle.engine()
    before = engine.get_cluster(cluster).headers["etag"]
    details = oci.container_engine.models.UpdateClusterDetails(name="renamed", freeform_tags={"a": "b"})
    oracle.succeeded(engine.update_cluster(cluster, details, if_match=before))
    after = engine.get_cluster(cluster)
    assert (after.data.name, after.data.freeform_tags) == ("renamed", {"a": "b"})
    assert after.headers["etag"] != before
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        engine.update_cluster(cluster, details, if_match=before)
    assert (refusal.value.status, refusal.value.code) == (412, "NoEtagMatch")


def test_an_update_of_one_option_keeps_the_others(oracle: Oracle, place: Ground) -> None:
    models = oci.container_engine.models
    engine = oracle.engine()
    options = models.ClusterCreateOptions(service_lb_subnet_ids=[place.subnet])
    cluster = oracle.succeeded(engine.create_cluster(cluster_details(place, options=options)))
    change = models.UpdateClusterOptionsDetails(
        service_lb_config=models.ServiceLbConfigDetails(freeform_tags={"a": "b"})
    )
    oracle.succeeded(engine.update_cluster(cluster, models.UpdateClusterDetails(options=change)))
    after = engine.get_cluster(cluster).data.options
    assert after.service_lb_subnet_ids == [place.subnet]
    assert after.service_lb_config.freeform_tags == {"a": "b"}


def test_an_enhanced_cluster_cannot_become_basic(oracle: Oracle, cluster: str) -> None:
    details = oci.container_engine.models.UpdateClusterDetails(type="BASIC_CLUSTER")
    with pytest.raises(oci.exceptions.ServiceError, match="cannot be changed to BASIC_CLUSTER"):
        oracle.engine().update_cluster(cluster, details)


def test_deleting_a_cluster_ends_its_pools_instances_and_charges(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    engine = oracle.engine()
    pool = oracle.succeeded(engine.create_node_pool(pool_details(oracle, place, cluster, size=2)))
    oracle.succeeded(engine.delete_cluster(cluster))
    assert engine.get_cluster(cluster).data.lifecycle_state == "DELETED"
    assert oracle.kubes[0].deleted
    assert oracle.computer.published == []
    assert list(oracle.world.meter.running()) == []
    for ask, gone in ((engine.get_node_pool, pool), (engine.delete_cluster, cluster)):
        with pytest.raises(oci.exceptions.ServiceError) as refusal:
            ask(gone)
        assert refusal.value.status == 404


def test_the_kubeconfig_asks_the_oci_command(oracle: Oracle, cluster: str) -> None:
    details = oci.container_engine.models.CreateClusterKubeconfigContentDetails(
        token_version="2.0.0", endpoint="PUBLIC_ENDPOINT"
    )
    config = yaml.safe_load(
        oracle.engine()
        .create_kubeconfig(cluster, create_cluster_kubeconfig_content_details=details)
        .data.text
    )
    user = config["users"][0]["user"]["exec"]
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert user["command"] == "oci"
    assert user["args"] == [
        "ce",
        "cluster",
        "generate-token",
        "--cluster-id",
        cluster,
        "--region",
        "us-ashburn-1",
    ]


def test_a_repeated_request_makes_one_cluster(oracle: Oracle, place: Ground) -> None:
    engine = oracle.engine()
    first, second = (engine.create_cluster(cluster_details(place), opc_retry_token="once") for _ in range(2))
    assert first.headers["opc-work-request-id"] == second.headers["opc-work-request-id"]
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        engine.create_cluster(cluster_details(place, name="other"), opc_retry_token="once")
    assert (refusal.value.status, refusal.value.code) == (409, "InvalidatedRetryToken")
    oracle.succeeded(first)
    assert len(oracle.kubes) == 1


def test_lists_come_in_pages(oracle: Oracle, place: Ground) -> None:
    for number in range(3):
        oracle.succeeded(
            oracle.engine().create_cluster(cluster_details(place, name=f"c{number}", type="BASIC_CLUSTER"))
        )
    listed = oci.pagination.list_call_get_all_results(
        oracle.engine().list_clusters, account.COMPARTMENT, limit=2
    )
    assert [found.name for found in listed.data] == ["c0", "c1", "c2"]
