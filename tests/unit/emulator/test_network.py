"""The emulated network and identity APIs, through the real SDK."""

from typing import Any

import oci
import pytest

from emulator.oci import account
from tests.support.oracle import Ground, Oracle, cluster_details, pool_details

models = oci.core.models
SHARED = {"compartment_id": account.COMPARTMENT}


def refused(call: Any, status: int) -> str:
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        call()
    assert refusal.value.status == status
    return str(refusal.value.message)


def test_a_vcn_brings_its_default_tables_and_takes_them_along(oracle: Oracle) -> None:
    network = oracle.network()
    vcn = network.create_vcn(
        models.CreateVcnDetails(cidr_blocks=["10.0.0.0/16"], dns_label="vcn", display_name="net", **SHARED)
    ).data
    assert (vcn.lifecycle_state, vcn.cidr_block, vcn.vcn_domain_name) == (
        "AVAILABLE",
        "10.0.0.0/16",
        "vcn.oraclevcn.com",
    )
    table = network.get_route_table(vcn.default_route_table_id).data
    assert table.vcn_id == vcn.id
    assert vcn.id in refused(lambda: network.delete_route_table(table.id), 409)
    network.delete_vcn(vcn.id)
    refused(lambda: network.get_route_table(table.id), 404)
    refused(lambda: network.get_security_list(vcn.default_security_list_id), 404)


def test_a_whole_network_can_be_built_and_taken_down_in_order(oracle: Oracle, place: Ground) -> None:
    network = oracle.network()
    shared = {**SHARED, "vcn_id": place.vcn}
    services = network.list_services().data
    every = next(service for service in services if service.name.startswith("All"))
    nat = network.create_nat_gateway(models.CreateNatGatewayDetails(**shared)).data
    internet = network.create_internet_gateway(
        models.CreateInternetGatewayDetails(is_enabled=True, **shared)
    ).data
    gateway = network.create_service_gateway(
        models.CreateServiceGatewayDetails(
            services=[models.ServiceIdRequestDetails(service_id=every.id)], **shared
        )
    ).data
    rules = [
        models.RouteRule(network_entity_id=nat.id, destination="0.0.0.0/0", destination_type="CIDR_BLOCK"),
        models.RouteRule(
            network_entity_id=gateway.id, destination=every.cidr_block, destination_type="SERVICE_CIDR_BLOCK"
        ),
    ]
    table = network.create_route_table(models.CreateRouteTableDetails(route_rules=rules, **shared)).data
    network.update_subnet(place.subnet, models.UpdateSubnetDetails(route_table_id=table.id))
    assert gateway.services[0].service_name == every.name
    for call, user in [
        (lambda: network.delete_vcn(place.vcn), ""),
        (lambda: network.delete_nat_gateway(nat.id), table.id),
        (lambda: network.delete_route_table(table.id), place.subnet),
    ]:
        assert user in refused(call, 409)
    network.delete_subnet(place.subnet)
    network.delete_subnet(place.pods)
    network.delete_route_table(table.id)
    network.delete_nat_gateway(nat.id)
    network.delete_internet_gateway(internet.id)
    network.delete_service_gateway(gateway.id)
    network.delete_network_security_group(place.group)
    network.delete_vcn(place.vcn)
    assert network.list_vcns(account.COMPARTMENT).data == []


@pytest.mark.parametrize(
    ("cidr", "status", "named"),
    [
        ("10.0.1.0/25", 400, "overlaps"),
        ("192.168.0.0/24", 400, "not in the VCN"),
        ("10.0.1.1/24", 400, "not an IPv4 network"),
    ],
)
def test_a_wrong_subnet_is_refused(oracle: Oracle, place: Ground, cidr: str, status: int, named: str) -> None:
    details = models.CreateSubnetDetails(cidr_block=cidr, vcn_id=place.vcn, **SHARED)
    assert named in refused(lambda: oracle.network().create_subnet(details), status)


def test_references_must_exist_and_belong_to_the_vcn(oracle: Oracle, place: Ground) -> None:
    network = oracle.network()
    other = network.create_vcn(models.CreateVcnDetails(cidr_blocks=["10.1.0.0/16"], **SHARED)).data
    for table, status in (("ocid1.routetable.oc1.iad.none", 404), (other.default_route_table_id, 400)):
        details = models.CreateSubnetDetails(
            cidr_block="10.0.5.0/24", vcn_id=place.vcn, route_table_id=table, **SHARED
        )
        refused(lambda details=details: network.create_subnet(details), status)


def test_rules_of_a_group_are_added_listed_changed_and_removed(oracle: Oracle, place: Ground) -> None:
    network = oracle.network()
    port = models.TcpOptions(destination_port_range=models.PortRange(min=6443, max=6443))
    rules = [
        models.AddSecurityRuleDetails(
            direction="INGRESS",
            protocol="6",
            source=place.group,
            source_type="NETWORK_SECURITY_GROUP",
            tcp_options=port,
        ),
        models.AddSecurityRuleDetails(
            direction="EGRESS", protocol="all", destination="0.0.0.0/0", destination_type="CIDR_BLOCK"
        ),
    ]
    added = network.add_network_security_group_security_rules(
        place.group, models.AddNetworkSecurityGroupSecurityRulesDetails(security_rules=rules)
    ).data.security_rules
    listed = network.list_network_security_group_security_rules(place.group, direction="INGRESS").data
    assert [rule.id for rule in listed] == [added[0].id]
    assert listed[0].tcp_options.destination_port_range.min == 6443
    change = models.UpdateSecurityRuleDetails(
        id=added[1].id, direction="EGRESS", protocol="6", destination="10.0.0.0/8"
    )
    network.update_network_security_group_security_rules(
        place.group, models.UpdateNetworkSecurityGroupSecurityRulesDetails(security_rules=[change])
    )
    network.remove_network_security_group_security_rules(
        place.group, models.RemoveNetworkSecurityGroupSecurityRulesDetails(security_rule_ids=[added[0].id])
    )
    left = network.list_network_security_group_security_rules(place.group).data
    assert [(rule.id, rule.protocol) for rule in left] == [(added[1].id, "6")]


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"direction": "INGRESS", "protocol": "6"}, "source: required"),
        ({"direction": "EGRESS", "protocol": "6"}, "destination: required"),
        ({"direction": "INGRESS", "protocol": "tcp", "source": "10.0.0.0/8"}, "'tcp'"),
        (
            {
                "direction": "INGRESS",
                "protocol": "17",
                "source": "10.0.0.0/8",
                "tcp_options": models.TcpOptions(),
            },
            "only with protocol '6'",
        ),
    ],
)
def test_a_wrong_rule_is_refused(oracle: Oracle, place: Ground, rule: dict[str, Any], named: str) -> None:
    details = models.AddNetworkSecurityGroupSecurityRulesDetails(
        security_rules=[models.AddSecurityRuleDetails(**rule)]
    )
    network = oracle.network()
    assert named in refused(
        lambda: network.add_network_security_group_security_rules(place.group, details), 400
    )


def test_what_nodes_use_cannot_be_deleted(oracle: Oracle, place: Ground, cluster: str) -> None:
    pool = oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster)))
    network = oracle.network()
    for call in (
        lambda: network.delete_subnet(place.pods),
        lambda: network.delete_network_security_group(place.group),
    ):
        assert pool in refused(call, 409)
    oracle.succeeded(oracle.engine().delete_node_pool(pool))
    network.delete_network_security_group(place.group)


def test_a_cluster_keeps_its_subnet_in_use_until_it_is_deleted(oracle: Oracle, place: Ground) -> None:
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    assert cluster in refused(lambda: oracle.network().delete_subnet(place.subnet), 409)
    oracle.succeeded(oracle.engine().delete_cluster(cluster))
    oracle.network().delete_subnet(place.subnet)


def test_availability_domains_are_those_of_the_region(oracle: Oracle) -> None:
    domains = oracle.identity().list_availability_domains(account.TENANCY).data
    assert [domain.name for domain in domains] == list(account.AVAILABILITY_DOMAINS)


def test_policies_are_kept_and_must_be_readable(oracle: Oracle) -> None:
    identity = oracle.identity()
    kind = oci.identity.models

    def details(statement: str) -> Any:
        return kind.CreatePolicyDetails(name="p", description="d", statements=[statement], **SHARED)

    statement = f"Allow any-user to read clusters in compartment id {account.COMPARTMENT}"
    policy = identity.create_policy(details(statement)).data
    assert (policy.lifecycle_state, policy.statements) == ("ACTIVE", [statement])
    assert "Let everyone in" in refused(lambda: identity.create_policy(details("Let everyone in")), 400)
    identity.delete_policy(policy.id)
    assert identity.list_policies(account.COMPARTMENT).data == []


def test_an_etag_of_an_older_version_is_refused(oracle: Oracle, place: Ground) -> None:
    network = oracle.network()
    before = network.get_vcn(place.vcn).headers["etag"]
    network.update_vcn(place.vcn, models.UpdateVcnDetails(display_name="new"), if_match=before)
    refused(lambda: network.delete_vcn(place.vcn, if_match=before), 412)


def test_a_nat_gateway_is_on_the_bill_for_nothing(oracle: Oracle, place: Ground) -> None:
    network = oracle.network()
    nat = network.create_nat_gateway(models.CreateNatGatewayDetails(vcn_id=place.vcn, **SHARED)).data
    running = {reading.charge.kind: reading.charge for reading in oracle.world.meter.running()}
    assert running["nat-gateway"].price_per_hour == 0
    network.delete_nat_gateway(nat.id)
    assert list(oracle.world.meter.running()) == []


def test_an_unknown_path_is_answered_as_the_cloud_does(oracle: Oracle) -> None:
    message = refused(lambda: oracle.network().list_drgs(account.COMPARTMENT), 404)
    assert "/20160918/drgs" in message
