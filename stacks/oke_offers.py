"""What the cloud offers in a compartment, asked before anything is declared.

The questions have literal arguments, so they are answered at preview too, and what is missing is a
fault before anything is built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from typing import Any, Final

import pulumi_oci as oci

from components.oke.images import Image, newest
from components.oke.network import OracleServices
from stacks.compartment import Compartment, Network
from stacks.faults import Fault, StackError, closest
from stacks.questions import ask as ask_cloud
from stacks.settings import Settings

_ask: Final = partial(ask_cloud, "compartment", "region")


@dataclass(frozen=True, slots=True)
class Offers:
    """The part of the offers that this stack can use."""

    kubernetes_version: str
    images: Mapping[str, str]
    """Newest image by kind of node, for this version."""
    availability_domains: tuple[str, ...]
    shapes: frozenset[str]
    """What node pools may be made of; empty: the cloud does not say."""
    services: OracleServices


def ask(settings: Settings, site: Compartment) -> Offers:
    """Ask the cloud.

    Raises:
        StackError: when it does not answer, or does not offer what the settings name.
    """
    compartment = site.id
    ce = oci.containerengine
    options = _ask(
        "Kubernetes versions",
        lambda: ce.get_cluster_option(cluster_option_id="all", compartment_id=compartment),
    )
    version = _version(settings, options.kubernetes_versions)
    pools = _ask(
        "node images", lambda: ce.get_node_pool_option(node_pool_option_id="all", compartment_id=compartment)
    )
    images = newest((Image(source.image_id, source.source_name) for source in pools.sources), version)
    domains = _ask(
        "availability domains", lambda: oci.identity.get_availability_domains(compartment_id=compartment)
    )
    services = _ask("Oracle's services", oci.core.get_services)
    _check_vcn(site.network)
    return Offers(
        kubernetes_version=version,
        images=images,
        availability_domains=tuple(domain.name for domain in domains.availability_domains),
        shapes=frozenset(pools.shapes or ()),
        services=_all_services(services.services),
    )


def _check_vcn(network: Network) -> None:
    """An existing VCN must have the block that the settings say; rules and subnets are made by it."""
    if not network.vcn_id:
        return
    vcn = _ask("the VCN of network.vcnId", lambda: oci.core.get_vcn(vcn_id=network.vcn_id))
    blocks = [IPv4Network(block) for block in vcn.cidr_blocks]
    if not any(network.cidr_block.subnet_of(block) for block in blocks):
        there = ", ".join(map(str, blocks))
        raise StackError(
            [Fault("network.cidrBlock", str(network.cidr_block), "must lie in the VCN", f"it has {there}")]
        )


def _version(settings: Settings, offered: list[str]) -> str:
    wanted = settings.kubernetes_version
    if wanted in offered:
        return wanted
    if wanted or not offered:
        known = f"offered: {', '.join(offered) or 'none'}"
        raise StackError(
            [Fault("kubernetesVersion", wanted, "is not offered", closest(wanted, offered) or known)]
        )
    return max(offered, key=_ordinal)


def _ordinal(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split(".") if part.isdigit())


def _all_services(services: list[Any]) -> OracleServices:
    for service in services:
        if service.name.startswith("All ") and service.name.endswith("Services In Oracle Services Network"):
            return OracleServices(id=service.id, cidr_block=service.cidr_block)
    raise StackError([Fault("region", None, "has no gateway to Oracle's services", "choose another region")])
