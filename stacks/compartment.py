"""Where an OKE stack is built: a compartment, and the parts of its network that are there already."""

import ipaddress
from dataclasses import dataclass
from typing import Final

from stacks.reader import Reader

SERVICES_CIDR: Final = ipaddress.IPv4Network("10.96.0.0/16")
"""Addresses of Services; a VCN must not overlap them."""
LARGEST_SUBNET_PREFIX: Final = 18
"""The layout of the subnets (pods at an offset of 8192 addresses) needs a /18 or larger."""


@dataclass(frozen=True, slots=True)
class SubnetIds:
    """Existing subnets; an empty one is made."""

    api: str
    workers: str
    pods: str
    load_balancers: str


@dataclass(frozen=True, slots=True)
class Network:
    """The VCN; whatever has no id here is made."""

    vcn_id: str
    cidr_block: ipaddress.IPv4Network
    internet_gateway_id: str
    nat_gateway_id: str
    service_gateway_id: str
    subnets: SubnetIds


@dataclass(frozen=True, slots=True)
class Compartment:
    """A place in Oracle's cloud."""

    id: str
    network: Network


def read_compartment(reader: Reader, _region: str) -> Compartment:
    """Read what only an OKE stack says; the project and the zones are of the other cloud."""
    zones = reader.texts("zones")
    if zones:
        reader.fault(
            "zones",
            ", ".join(zones),
            "are of Google Cloud",
            "leave them out; gpu.availabilityDomains says where GPU nodes are",
        )
    return Compartment(
        id=reader.required(
            "compartment",
            pattern=r"ocid1\.(compartment|tenancy)\.\S+",
            expectation="must be the OCID of the compartment to build in (of GKE stacks: set project instead)",
            way_out="pulumi config set compartment ocid1.compartment.oc1..…",
        ),
        network=_network(reader.section("network")),
    )


def _network(reader: Reader) -> Network:
    subnets = reader.section("subnets")
    network = Network(
        vcn_id=_ocid(reader, "vcnId", "vcn"),
        cidr_block=reader.cidr("cidrBlock", "10.0.0.0/16"),
        internet_gateway_id=_ocid(reader, "internetGatewayId", "internetgateway"),
        nat_gateway_id=_ocid(reader, "natGatewayId", "natgateway"),
        service_gateway_id=_ocid(reader, "serviceGatewayId", "servicegateway"),
        subnets=SubnetIds(
            api=_ocid(subnets, "api", "subnet"),
            workers=_ocid(subnets, "workers", "subnet"),
            pods=_ocid(subnets, "pods", "subnet"),
            load_balancers=_ocid(subnets, "loadBalancers", "subnet"),
        ),
    )
    subnets.close()
    reader.close()
    _check_addresses(network.cidr_block, reader)
    _check_parts(network, reader)
    return network


def _check_addresses(block: ipaddress.IPv4Network, reader: Reader) -> None:
    if block.prefixlen > LARGEST_SUBNET_PREFIX:
        reader.fault(
            "cidrBlock", str(block), f"must be a /{LARGEST_SUBNET_PREFIX} or larger", "such as 10.0.0.0/16"
        )
    if block.overlaps(SERVICES_CIDR):
        reader.fault("cidrBlock", str(block), f"must not overlap {SERVICES_CIDR}, the addresses of Services")


def _check_parts(network: Network, reader: Reader) -> None:
    """Parts of a network that is there lie in a VCN that is there."""
    parts = {
        "internetGatewayId": network.internet_gateway_id,
        "natGatewayId": network.nat_gateway_id,
        "serviceGatewayId": network.service_gateway_id,
        "subnets.api": network.subnets.api,
        "subnets.workers": network.subnets.workers,
        "subnets.pods": network.subnets.pods,
        "subnets.loadBalancers": network.subnets.load_balancers,
    }
    for key, value in parts.items():
        if value and not network.vcn_id:
            reader.fault(key, value, "must lie in a VCN that is there already", "set network.vcnId too")


def _ocid(reader: Reader, key: str, kind: str) -> str:
    return reader.text(
        key, pattern=rf"ocid1\.{kind}\.\S+", expectation=f"must be the OCID of a {kind}, or be empty"
    )
