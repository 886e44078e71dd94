"""Policy statements: what they let a workload do."""

import pytest

from emulator.cloud.errors import ApiError
from emulator.oci.policy import parse
from emulator.oci.principal import Need, Verb, Workload

WORKLOAD = Workload("ocid1.cluster.oc1.iad.c", "rightsize-system", "provisioner")
IS_US = (
    "where ALL {request.principal.type='workload', request.principal.namespace='rightsize-system', "
    "request.principal.service_account='provisioner', request.principal.cluster_id='ocid1.cluster.oc1.iad.c'}"
)


@pytest.mark.parametrize(
    ("grant", "need", "granted"),
    [
        ("manage cluster-node-pools", Need(Verb.MANAGE, "cluster-node-pools"), True),
        ("manage cluster-node-pools", Need(Verb.READ, "cluster-node-pools"), True),
        ("use cluster-node-pools", Need(Verb.MANAGE, "cluster-node-pools"), False),
        ("manage cluster-node-pools", Need(Verb.INSPECT, "clusters"), False),
        ("manage cluster-family", Need(Verb.MANAGE, "cluster-node-pools"), True),
        ("read all-resources", Need(Verb.READ, "clusters"), True),
        ("read all-resources", Need(Verb.USE, "subnets"), False),
        ("use virtual-network-family", Need(Verb.USE, "subnets"), True),
        ("MANAGE Instance-Family", Need(Verb.MANAGE, "instance-family"), True),
        ("inspect instance-family", Need(Verb.MANAGE, "instance-family"), False),
    ],
)
def test_verbs_and_families_include_what_is_below_them(grant: str, need: Need, granted: bool) -> None:
    statement = parse(f"Allow any-user to {grant} in compartment id ocid1.compartment.oc1..x {IS_US}")
    assert statement.grants(need, WORKLOAD) is granted


@pytest.mark.parametrize(
    ("condition", "granted"),
    [
        ("", True),
        ("where request.principal.type = 'workload'", True),
        ("where request.principal.type != 'workload'", False),
        ("where request.principal.namespace = 'default'", False),
        ("where ANY {request.principal.namespace = 'default', request.principal.type = 'workload'}", True),
        ("where ALL {request.principal.namespace = 'default', request.principal.type = 'workload'}", False),
        ("where target.cluster.id = 'x'", False),
        ("where target.cluster.id != 'x'", False),
    ],
)
def test_conditions_decide(condition: str, granted: bool) -> None:
    statement = parse(f"allow any-user to read clusters in tenancy {condition}")
    assert statement.grants(Need(Verb.READ, "clusters"), WORKLOAD) is granted


@pytest.mark.parametrize("subject", ["group Administrators", "dynamic-group nodes", "service oke"])
def test_statements_for_others_grant_a_workload_nothing(subject: str) -> None:
    statement = parse(f"Allow {subject} to manage all-resources in tenancy")
    assert not statement.grants(Need(Verb.READ, "clusters"), WORKLOAD)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("in tenancy", "tenancy"),
        ("in compartment team", "team"),
        ("in compartment id ocid1.compartment.oc1..x", "ocid1.compartment.oc1..x"),
    ],
)
def test_the_place_is_read(text: str, place: str) -> None:
    assert parse(f"Allow any-user to read clusters {text}").place == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Deny any-user to read clusters in tenancy",
        "Allow any-user to destroy clusters in tenancy",
        "Allow any-user to read clusters",
        "Allow any-user to read clusters in tenancy where request.principal.type is 'workload'",
        "Allow any-user to read clusters in tenancy where ALL {request.principal.type='workload'",
    ],
)
def test_what_cannot_be_read_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        parse(text)
    assert refusal.value.status == 400
    assert text in refusal.value.message
