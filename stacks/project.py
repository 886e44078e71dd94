"""Where a GKE stack is built: a project, zones of a region, and the network that is there already."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

from catalog.offering import Offering, within
from stacks.reader import Reader

_ID: Final = r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
_NAME: Final = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_SMALLEST: Final = {"cidrBlock": 28, "podsCidr": 21, "servicesCidr": 27}
"""Longest prefix of each range: a few nodes, eight nodes' pods (a /24 each), a few Services."""


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC; whatever has no name here is made."""

    name: str
    subnetwork: str
    pods_range: str
    """Name of the existing subnetwork's secondary range for pods."""
    services_range: str
    router: str
    """An existing router whose NAT serves the subnetwork."""
    cidr_block: IPv4Network
    """Of nodes."""
    pods_cidr: IPv4Network
    services_cidr: IPv4Network


@dataclass(frozen=True, slots=True)
class Project:
    """A place in Google's cloud."""

    id: str
    zones: tuple[str, ...]
    """One: a zonal cluster there; several: a regional one with nodes in these; none: chosen."""
    network: Network


def read_project(reader: Reader, region: str) -> Project:
    """Read what only a GKE stack says."""
    return Project(
        id=reader.required(
            "project",
            pattern=_ID,
            expectation=(
                "must be the id of the project to build in: 6 to 30 lowercase letters, digits and dashes, "
                "no number and no display name (of OKE stacks: set compartment instead)"
            ),
            way_out="gcloud projects list prints it; pulumi config set project my-project",
        ),
        zones=_zones(reader, region),
        network=_network(reader.section("network")),
    )


def sold_in(offerings: tuple[Offering, ...], region: str, project: Project) -> tuple[Offering, ...]:
    """What Google sells in a region, in the project's zones where it names them."""
    if project.zones:
        return within(offerings, region, project.zones)
    return tuple(offering for offering in offerings if offering.region == region)


def place_of(region: str, project: Project) -> str:
    """The zones that are named, else the region."""
    return ", ".join(project.zones) or region


def _zones(reader: Reader, region: str) -> tuple[str, ...]:
    zones = reader.texts("zones")
    for index, zone in enumerate(zones):
        if region and not re.fullmatch(rf"{region}-[a-z]", zone):
            reader.fault(f"zones[{index}]", zone, f"must be a zone of {region}", f"such as {region}-a")
    return zones


def _network(reader: Reader) -> Network:
    network = Network(
        name=_name(reader, "name"),
        subnetwork=_name(reader, "subnetwork"),
        pods_range=_name(reader, "podsRange"),
        services_range=_name(reader, "servicesRange"),
        router=_name(reader, "router"),
        cidr_block=reader.cidr("cidrBlock", "10.0.0.0/20"),
        pods_cidr=reader.cidr("podsCidr", "10.4.0.0/14"),
        services_cidr=reader.cidr("servicesCidr", "10.8.0.0/20"),
    )
    reader.close()
    _check_existing(network, reader)
    if not network.subnetwork:
        _check_ranges(network, reader)
    return network


def _check_existing(network: Network, reader: Reader) -> None:
    """A part that is there lies in a whole that is there, and is named completely."""
    for key, value in (("subnetwork", network.subnetwork), ("router", network.router)):
        if value and not network.name:
            reader.fault(key, value, "must lie in a network that is there already", "set network.name too")
    for key, value in (("podsRange", network.pods_range), ("servicesRange", network.services_range)):
        if network.subnetwork and not value:
            reader.fault(
                key, value, f"must be a secondary range of subnetwork '{network.subnetwork}'", "name it"
            )
        if value and not network.subnetwork:
            reader.fault(key, value, "must be of an existing subnetwork", "set network.subnetwork too")


def _check_ranges(network: Network, reader: Reader) -> None:
    ranges = {
        "cidrBlock": network.cidr_block,
        "podsCidr": network.pods_cidr,
        "servicesCidr": network.services_cidr,
    }
    for key, block in ranges.items():
        if block.prefixlen > _SMALLEST[key]:
            reader.fault(key, str(block), f"must be a /{_SMALLEST[key]} or larger")
    for (_, first), (key, second) in combinations(ranges.items(), 2):
        if first.overlaps(second):
            reader.fault(key, str(second), f"must not overlap {first}", "choose another range")


def _name(reader: Reader, key: str) -> str:
    return reader.text(
        key,
        pattern=_NAME,
        expectation="must be a name of lowercase letters, digits and dashes, or be empty",
    )
