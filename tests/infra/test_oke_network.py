"""The network that a stack declares, against the table of rules, and in its forms."""

import ipaddress
from typing import Any

import pulumi
import pytest

from components.oke import network_rules as table
from tests.support.mocks import Cloud, Declared
from tests.support.stacks import run

ROUTES = "oci:Core/routeTable:RouteTable"
GROUP = "oci:Core/networkSecurityGroup:NetworkSecurityGroup"
RULE = "oci:Core/networkSecurityGroupSecurityRule:NetworkSecurityGroupSecurityRule"
SECURITY_LIST = "oci:Core/securityList:SecurityList"
SERVICE = "kubernetes:core/v1:Service"
SUBNET = "oci:Core/subnet:Subnet"
VCN = "oci:Core/vcn:Vcn"
PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "all": "all"}
EVERYBODY = ("0.0.0.0/0", "::/0")
OSN = "all-iad-services-in-oracle-services-network"


@pytest.fixture(scope="module")
def stack() -> Cloud:
    return run()


def rules(stack: Cloud) -> set[tuple[str, ...]]:
    """Every rule as the group, direction, peer, protocol and ports a person would read."""
    groups = {one.id: one.name.removeprefix("oke-") for one in stack.all(GROUP)}
    found = set()
    for rule in stack.all(RULE):
        found.add((groups[rule.inputs["networkSecurityGroupId"]], *described(rule, groups)))
    return found


def described(rule: Declared, groups: dict[str, str]) -> tuple[str, ...]:
    inputs = rule.inputs
    peer = inputs.get("source") or inputs["destination"]
    ports = inputs.get("tcpOptions", {}).get("destinationPortRange")
    icmp = inputs.get("icmpOptions")
    detail = f"{ports['min']:.0f}-{ports['max']:.0f}" if ports else ""
    detail += f"{icmp['type']:.0f},{icmp['code']:.0f}" if icmp else ""
    return inputs["direction"], groups.get(peer, peer), PROTOCOLS[inputs["protocol"]], detail


def expected() -> set[tuple[str, ...]]:
    peers = {
        table.SERVICES: OSN,
        table.ANYWHERE: "0.0.0.0/0",
        table.ADMINS: "203.0.113.7/32",
        table.CLIENTS: "10.0.0.0/16",
    }
    return {
        (
            rule.group,
            rule.direction,
            peers.get(rule.peer, rule.peer),
            "icmp" if rule.protocol == table.PATH_MTU else rule.protocol,
            "3,4"
            if rule.protocol == table.PATH_MTU
            else f"{rule.ports[0]}-{rule.ports[1]}"
            if rule.ports
            else "",
        )
        for rule in table.RULES
    }


def test_the_declared_rules_equal_the_table(stack: Cloud) -> None:
    assert rules(stack) == expected()
    assert all(rule.inputs["stateless"] is False for rule in stack.all(RULE))


@pytest.mark.parametrize(
    "changes",
    [{}, {"variant": "dynamic"}, {"variant": "right-sized"}, {"expose.allowedCidrs": ["198.51.100.0/24"]}],
)
def test_nothing_is_open_to_everybody(changes: dict[str, Any]) -> None:
    stack = run(changes)
    for rule in stack.all(RULE):
        if rule.inputs["direction"] == "INGRESS" and rule.inputs["protocol"] != "1":
            assert rule.inputs["source"] not in EVERYBODY, rule.name
    for listed in stack.all(SECURITY_LIST):
        assert not listed.inputs.get("ingressSecurityRules")
        assert not listed.inputs.get("egressSecurityRules")


def test_each_subnet_has_an_empty_security_list_of_its_own(stack: Cloud) -> None:
    used = [subnet.inputs["securityListIds"] for subnet in stack.all(SUBNET)]
    assert all(len(lists) == 1 for lists in used)
    assert len({lists[0] for lists in used}) == len(stack.all(SUBNET)) == 4


def test_subnets_lie_in_the_vcn_and_apart(stack: Cloud) -> None:
    blocks = [ipaddress.ip_network(subnet.inputs["cidrBlock"]) for subnet in stack.all(SUBNET)]
    assert all(block.subnet_of(ipaddress.ip_network("10.0.0.0/16")) for block in blocks)  # type: ignore[arg-type]
    assert not [(a, b) for a in blocks for b in blocks if a is not b and a.overlaps(b)]


def test_nodes_pods_and_load_balancers_have_no_public_address(stack: Cloud) -> None:
    public = {one.name for one in stack.all(SUBNET) if not one.inputs["prohibitPublicIpOnVnic"]}
    assert public == {"oke-api"}


def test_private_subnets_go_out_by_nat_and_to_oracle_by_its_gateway(stack: Cloud) -> None:
    private = stack.one(ROUTES, "oke-private").inputs["routeRules"]
    assert [(row["destination"], row["destinationType"]) for row in private] == [
        ("0.0.0.0/0", "CIDR_BLOCK"),
        (OSN, "SERVICE_CIDR_BLOCK"),
    ]
    assert private[0]["networkEntityId"] == stack.one("oci:Core/natGateway:NatGateway").id
    (public,) = stack.one(ROUTES, "oke-public").inputs["routeRules"]
    assert public["networkEntityId"] == stack.one("oci:Core/internetGateway:InternetGateway").id


def test_a_private_api_server_has_no_public_address_and_no_internet_gateway() -> None:
    stack = run({"api": {"access": "private", "proxyUrl": "socks5://127.0.0.1:1080"}})
    endpoint = stack.one("oci:ContainerEngine/cluster:Cluster").inputs["endpointConfig"]
    assert endpoint["isPublicIpEnabled"] is False
    assert endpoint["subnetId"] == stack.one(SUBNET, "oke-api-private").id
    assert stack.names("oci:Core/internetGateway:InternetGateway") == []
    (asked,) = [one.args for one in stack.called if "getClusterKubeConfig" in one.token]
    assert asked["endpoint"] == "PRIVATE_ENDPOINT"
    assert "proxy-url: socks5://127.0.0.1:1080" in stack.exports["kubeconfig"]


def test_a_restricted_api_server_is_reached_from_the_listed_addresses_only() -> None:
    stack = run({"api.allowedCidrs": ["203.0.113.7/32", "198.51.100.0/24"]})
    outside = {
        rule.inputs["source"]
        for rule in stack.all(RULE)
        if rule.inputs["direction"] == "INGRESS"
        and rule.inputs["sourceType"] == "CIDR_BLOCK"
        and rule.inputs["networkSecurityGroupId"] == stack.one(GROUP, "oke-api").id
    }
    assert outside == {"203.0.113.7/32", "198.51.100.0/24"}


def test_exposed_models_are_reached_from_the_listed_addresses_only() -> None:
    stack = run({"expose.allowedCidrs": ["198.51.100.0/24"]})
    doors = [
        rule.inputs["source"]
        for rule in stack.all(RULE)
        if rule.inputs["direction"] == "INGRESS"
        and rule.inputs["networkSecurityGroupId"] == stack.one(GROUP, "oke-lb").id
    ]
    assert doors == ["198.51.100.0/24"]
    annotations = stack.one(SERVICE, "vgg16").inputs["metadata"]["annotations"]
    assert annotations["service.beta.kubernetes.io/oci-load-balancer-internal"] == "false"
    assert (
        annotations["service.beta.kubernetes.io/oci-load-balancer-subnet1"]
        == stack.one(SUBNET, "oke-lb-public").id
    )


class TestAnExistingVcn:
    VCN_ID = "ocid1.vcn.oc1.iad.there"

    def test_is_used_and_not_made(self) -> None:
        stack = run({"network.vcnId": self.VCN_ID})
        assert stack.names(VCN) == []
        assert {subnet.inputs["vcnId"] for subnet in stack.all(SUBNET)} == {self.VCN_ID}
        assert stack.one("oci:ContainerEngine/cluster:Cluster").inputs["vcnId"] == self.VCN_ID

    def test_keeps_its_own_gateways_and_subnets(self) -> None:
        subnets = {
            name: f"ocid1.subnet.oc1.iad.{name}" for name in ("api", "workers", "pods", "loadBalancers")
        }
        stack = run({"network": {"vcnId": self.VCN_ID, "subnets": subnets}})
        made = {one.token for one in stack.declared if one.token.startswith("oci:Core/")}
        assert made == {GROUP, RULE}
        pool = stack.one("oci:ContainerEngine/nodePool:NodePool", "management").inputs["nodeConfigDetails"]
        assert {row["subnetId"] for row in pool["placementConfigs"]} == {"ocid1.subnet.oc1.iad.workers"}

    def test_has_to_hold_the_block_that_is_said(self) -> None:
        with pytest.raises(
            pulumi.RunError, match=r"network.cidrBlock: '172.16.0.0/16' must lie in the VCN; it has 10"
        ):
            run({"network": {"vcnId": self.VCN_ID, "cidrBlock": "172.16.0.0/16"}})
