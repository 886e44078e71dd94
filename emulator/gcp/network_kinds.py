"""The network resources that the emulated cloud keeps, as a table.

Field names are those of the Compute Engine REST API; tests hold them against the SDK's models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: what a caller gives, what it may change, what it refers to."""

    path: str
    """Collection in the URL."""
    model: str
    """Class of the SDK that holds it."""
    service: str
    """Its name in permissions, `compute.SERVICE.get`."""
    regional: bool
    """Whether it belongs to a region; else to the project."""
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    mutable: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> frozenset[str]:
        """Fields that `insert` takes."""
        return frozenset((*self.required, *self.optional))


NETWORKS: Final = Kind(
    path="networks",
    model="Network",
    service="networks",
    regional=False,
    required=("name",),
    optional=(
        "autoCreateSubnetworks",
        "description",
        "enableUlaInternalIpv6",
        "internalIpv6Range",
        "mtu",
        "networkFirewallPolicyEnforcementOrder",
        "networkProfile",
        "routingConfig",
    ),
    mutable=("mtu", "networkFirewallPolicyEnforcementOrder", "routingConfig"),
    defaults={
        "autoCreateSubnetworks": True,
        "mtu": 1460,
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        "routingConfig": {"routingMode": "REGIONAL", "bgpBestPathSelectionMode": "LEGACY"},
    },
)
SUBNETWORKS: Final = Kind(
    path="subnetworks",
    model="Subnetwork",
    service="subnetworks",
    regional=True,
    required=("name", "network", "ipCidrRange"),
    optional=(
        "description",
        "enableFlowLogs",
        "ipv6AccessType",
        "logConfig",
        "privateIpGoogleAccess",
        "privateIpv6GoogleAccess",
        "purpose",
        "region",
        "role",
        "secondaryIpRanges",
        "stackType",
    ),
    mutable=(
        "enableFlowLogs",
        "logConfig",
        "privateIpGoogleAccess",
        "privateIpv6GoogleAccess",
        "secondaryIpRanges",
        "stackType",
    ),
    defaults={
        "privateIpGoogleAccess": False,
        "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
    },
)
ROUTERS: Final = Kind(
    path="routers",
    model="Router",
    service="routers",
    regional=True,
    required=("name", "network"),
    optional=("bgp", "description", "encryptedInterconnectRouter", "nats", "region"),
    mutable=("bgp", "description", "nats"),
)
KINDS: Final = {kind.path: kind for kind in (NETWORKS, SUBNETWORKS, ROUTERS)}

NAT_DEFAULTS: Final[Mapping[str, Any]] = {
    "enableDynamicPortAllocation": False,
    "enableEndpointIndependentMapping": False,
    "endpointTypes": ["ENDPOINT_TYPE_VM"],
    "icmpIdleTimeoutSec": 30,
    "tcpEstablishedIdleTimeoutSec": 1200,
    "tcpTimeWaitTimeoutSec": 120,
    "tcpTransitoryIdleTimeoutSec": 30,
    "type": "PUBLIC",
    "udpIdleTimeoutSec": 30,
}
NAT_REQUIRED: Final = ("name", "natIpAllocateOption", "sourceSubnetworkIpRangesToNat")
"""Of an entry of a router's `nats`."""
