"""The network of a cluster: VCN, gateways, subnets, and security groups by the table of rules.

Nodes, pods and internal load balancers have no public address. Whatever the caller names by id is
used as it is; everything else is made.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_oci as oci

from components.oke import network_rules as rules
from components.part import Part

EVERYWHERE: Final = "0.0.0.0/0"
_PROTOCOLS: Final = {rules.TCP: "6", rules.PATH_MTU: "1", rules.ALL: "all"}
_SUBNETS: Final = {
    rules.API: (0, 28),
    "api-private": (16, 28),
    rules.WORKERS: (256, 24),
    rules.LOAD_BALANCERS: (512, 24),
    "lb-public": (768, 24),
    rules.PODS: (8192, 19),
}
"""Offset of the first address in the VCN's block, and prefix length."""
_LABELS: Final = {(rules.API, False): "api-private", (rules.LOAD_BALANCERS, True): "lb-public"}
"""Whether a subnet is public cannot be changed: the unusual form has a name and addresses of its own."""


@dataclass(frozen=True, slots=True)
class OracleServices:
    """Oracle's own services in the region, as gateways and rules name them."""

    id: str
    cidr_block: str


@dataclass(frozen=True, slots=True)
class Existing:
    """Ids of what is there already; empty: to be made. Subnets by the name of their group."""

    vcn: str = ""
    internet_gateway: str = ""
    nat_gateway: str = ""
    service_gateway: str = ""
    subnets: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class NetworkArgs:
    """What a network is made of."""

    compartment_id: str
    cidr_block: ipaddress.IPv4Network
    services: OracleServices
    existing: Existing
    public_api: bool
    """Whether the API server has a public address."""
    admin_cidrs: tuple[str, ...]
    """Who may reach the API server from outside the VCN."""
    client_cidrs: tuple[str, ...]
    """Who may call the models from outside; none: only the VCN, by internal load balancers."""


class Network(Part):
    """VCN, gateways, routes, subnets and security groups."""

    vcn_id: pulumi.Input[str]
    subnet_ids: dict[str, pulumi.Input[str]]
    """By group: api, workers, pods, lb."""
    group_ids: dict[str, pulumi.Output[str]]
    """Network security groups by name."""

    def __init__(self, name: str, args: NetworkArgs) -> None:
        super().__init__("oke:Network", name)
        self._name = name
        self._args = args
        self.vcn_id = args.existing.vcn or self._vcn()
        self._routes: dict[bool, pulumi.Output[str]] = {}
        self.subnet_ids = self._subnets()
        self.group_ids = {group: self._group(group) for group in rules.GROUPS}
        for rule in rules.RULES:
            for cidr, suffix in self._peers(rule):
                self._rule(rule, cidr, suffix)
        self.register_outputs({"vcnId": self.vcn_id})

    def _place(self) -> dict[str, Any]:
        return {"compartment_id": self._args.compartment_id, "vcn_id": self.vcn_id}

    def _vcn(self) -> pulumi.Output[str]:
        vcn = oci.core.Vcn(
            f"{self._name}-vcn",
            compartment_id=self._args.compartment_id,
            cidr_blocks=[str(self._args.cidr_block)],
            display_name=self._name,
            dns_label="rightsize",
            opts=self.child(),
        )
        return vcn.id

    def _subnets(self) -> dict[str, pulumi.Input[str]]:
        public = {rules.API: self._args.public_api, rules.LOAD_BALANCERS: bool(self._args.client_cidrs)}
        existing = self._args.existing.subnets or {}
        return {
            group: existing.get(group) or self._subnet(group, public=public.get(group, False))
            for group in rules.GROUPS
        }

    def _subnet(self, group: str, *, public: bool) -> pulumi.Output[str]:
        label = _LABELS.get((group, public), group)
        offset, prefix = _SUBNETS[label]
        # An empty list of its own, else the VCN's default one applies: SSH from anywhere, all egress.
        security_list = oci.core.SecurityList(
            f"{self._name}-{label}", display_name=f"{self._name}-{label}", opts=self.child(), **self._place()
        )
        subnet = oci.core.Subnet(
            f"{self._name}-{label}",
            cidr_block=str(ipaddress.IPv4Network((self._args.cidr_block[offset], prefix))),
            display_name=f"{self._name}-{label}",
            dns_label=label.replace("-", ""),
            route_table_id=self._route_table(public=public),
            security_list_ids=[security_list.id],
            prohibit_public_ip_on_vnic=not public,
            prohibit_internet_ingress=not public,
            opts=self.child(),
            **self._place(),
        )
        return subnet.id

    def _route_table(self, *, public: bool) -> pulumi.Output[str]:
        if public not in self._routes:
            label = "public" if public else "private"
            table = oci.core.RouteTable(
                f"{self._name}-{label}",
                display_name=f"{self._name}-{label}",
                route_rules=self._public_routes() if public else self._private_routes(),
                opts=self.child(),
                **self._place(),
            )
            self._routes[public] = table.id
        return self._routes[public]

    def _public_routes(self) -> list[Any]:
        return [_route(EVERYWHERE, "CIDR_BLOCK", self._internet_gateway())]

    def _private_routes(self) -> list[Any]:
        return [
            _route(EVERYWHERE, "CIDR_BLOCK", self._nat_gateway()),
            _route(self._args.services.cidr_block, "SERVICE_CIDR_BLOCK", self._service_gateway()),
        ]

    def _internet_gateway(self) -> pulumi.Input[str]:
        name = f"{self._name}-internet"
        return (
            self._args.existing.internet_gateway
            or oci.core.InternetGateway(
                name, display_name=name, enabled=True, opts=self.child(), **self._place()
            ).id
        )

    def _nat_gateway(self) -> pulumi.Input[str]:
        name = f"{self._name}-nat"
        return (
            self._args.existing.nat_gateway
            or oci.core.NatGateway(name, display_name=name, opts=self.child(), **self._place()).id
        )

    def _service_gateway(self) -> pulumi.Input[str]:
        name = f"{self._name}-services"
        return (
            self._args.existing.service_gateway
            or oci.core.ServiceGateway(
                name,
                display_name=name,
                services=[oci.core.ServiceGatewayServiceArgs(service_id=self._args.services.id)],
                opts=self.child(),
                **self._place(),
            ).id
        )

    def _group(self, group: str) -> pulumi.Output[str]:
        name = f"{self._name}-{group}"
        made = oci.core.NetworkSecurityGroup(name, display_name=name, opts=self.child(), **self._place())
        return made.id

    def _peers(self, rule: rules.Rule) -> list[tuple[str, str]]:
        """Address blocks of a peer that is no group, with what tells their rules' names apart."""
        clients = self._args.client_cidrs or (str(self._args.cidr_block),)
        blocks = {
            rules.ADMINS: self._args.admin_cidrs,
            rules.CLIENTS: clients,
            rules.ANYWHERE: (EVERYWHERE,),
        }.get(rule.peer, ("",))
        several = rule.peer in (rules.ADMINS, rules.CLIENTS)
        return [(block, f"-{block}" if several else "") for block in blocks]

    def _rule(self, rule: rules.Rule, cidr: str, suffix: str) -> None:
        peer, peer_type = self._peer(rule, cidr)
        ingress = rule.direction == rules.INGRESS
        ends = {"source": peer, "source_type": peer_type} if ingress else {}
        ends |= {} if ingress else {"destination": peer, "destination_type": peer_type}
        oci.core.NetworkSecurityGroupSecurityRule(
            f"{self._name}-{rule.name}{suffix}",
            network_security_group_id=self.group_ids[rule.group],
            direction=rule.direction,
            protocol=_PROTOCOLS[rule.protocol],
            stateless=False,
            tcp_options=_tcp_options(rule),
            icmp_options=_icmp_options(rule),
            opts=self.child(),
            **ends,
        )

    def _peer(self, rule: rules.Rule, cidr: str) -> tuple[pulumi.Input[str], str]:
        if cidr:
            return cidr, "CIDR_BLOCK"
        if rule.peer == rules.SERVICES:
            return self._args.services.cidr_block, "SERVICE_CIDR_BLOCK"
        return self.group_ids[rule.peer], "NETWORK_SECURITY_GROUP"


def _route(destination: str, kind: str, gateway: pulumi.Input[str]) -> Any:
    return oci.core.RouteTableRouteRuleArgs(
        destination=destination, destination_type=kind, network_entity_id=gateway
    )


def _tcp_options(rule: rules.Rule) -> Any:
    if rule.ports is None:
        return None
    return oci.core.NetworkSecurityGroupSecurityRuleTcpOptionsArgs(
        destination_port_range=oci.core.NetworkSecurityGroupSecurityRuleTcpOptionsDestinationPortRangeArgs(
            min=rule.ports[0], max=rule.ports[1]
        )
    )


def _icmp_options(rule: rules.Rule) -> Any:
    if rule.protocol != rules.PATH_MTU:
        return None
    return oci.core.NetworkSecurityGroupSecurityRuleIcmpOptionsArgs(type=3, code=4)
