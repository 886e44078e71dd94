"""What the cloud computes for networks and what hangs on them."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from emulator.plugins.model.derived import digest
from emulator.plugins.model.gcp.region import COMPUTE_URL, REGION
from emulator.plugins.model.values import Properties

TIME_CREATED = "2026-01-01T00:00:00.000-08:00"
"""In the form of the Compute Engine API."""


def number_of(resource_id: str) -> int:
    """The number that stands for a resource beside its name."""
    return int(digest(resource_id, 14), 16)


def link(_inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The resource's address."""
    return {"selfLink": f"{COMPUTE_URL}/{resource_id}"}


def network(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Its address and number; a network with subnets has no gateway of its own."""
    number = number_of(resource_id)
    return {
        **link(inputs, resource_id),
        "gatewayIpv4": "",
        "networkId": str(number),
        "numericId": str(number),
    }


def subnetwork(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Its gateway: the first host address of the range."""
    block = IPv4Network(str(inputs.get("ipCidrRange", "10.0.0.0/24")))
    return {
        **link(inputs, resource_id),
        "creationTimestamp": TIME_CREATED,
        "fingerprint": f"{digest(resource_id, 11)}=",
        "gatewayAddress": str(block.network_address + 1),
        "region": inputs.get("region", REGION),
        "subnetworkId": number_of(resource_id),
    }


def router(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Its address and when it was made."""
    return {**link(inputs, resource_id), "creationTimestamp": TIME_CREATED}
