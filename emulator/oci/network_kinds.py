"""The network and identity resources that the emulated cloud keeps, as a table.

Field names are those of the OCI REST API; tests hold them against the SDK's models.
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
    ocid: str
    """Kind in its OCID."""
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    mutable: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    """Field to the path of the kind it names; a list of ids refers to each."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    service: str = "network"

    @property
    def accepted(self) -> frozenset[str]:
        """Fields that `create` takes."""
        return frozenset((*self.required, *self.optional))


VCNS: Final = Kind(
    path="vcns",
    model="Vcn",
    ocid="vcn",
    required=("compartmentId",),
    optional=(
        "displayName",
        "cidrBlock",
        "cidrBlocks",
        "dnsLabel",
        "freeformTags",
        "definedTags",
        "isZprOnly",
    ),
    mutable=("displayName", "freeformTags", "definedTags"),
)
INTERNET_GATEWAYS: Final = Kind(
    path="internetGateways",
    model="InternetGateway",
    ocid="internetgateway",
    required=("compartmentId", "vcnId", "isEnabled"),
    optional=("displayName", "freeformTags", "definedTags", "routeTableId"),
    mutable=("displayName", "isEnabled", "freeformTags", "definedTags", "routeTableId"),
    references={"vcnId": "vcns", "routeTableId": "routeTables"},
)
NAT_GATEWAYS: Final = Kind(
    path="natGateways",
    model="NatGateway",
    ocid="natgateway",
    required=("compartmentId", "vcnId"),
    optional=("displayName", "freeformTags", "definedTags", "blockTraffic", "publicIpId", "routeTableId"),
    mutable=("displayName", "blockTraffic", "freeformTags", "definedTags", "routeTableId"),
    references={"vcnId": "vcns", "routeTableId": "routeTables"},
    defaults={"blockTraffic": False},
)
SERVICE_GATEWAYS: Final = Kind(
    path="serviceGateways",
    model="ServiceGateway",
    ocid="servicegateway",
    required=("compartmentId", "vcnId", "services"),
    optional=("displayName", "freeformTags", "definedTags", "routeTableId"),
    mutable=("displayName", "services", "blockTraffic", "freeformTags", "definedTags", "routeTableId"),
    references={"vcnId": "vcns", "routeTableId": "routeTables"},
    defaults={"blockTraffic": False},
)
ROUTE_TABLES: Final = Kind(
    path="routeTables",
    model="RouteTable",
    ocid="routetable",
    required=("compartmentId", "vcnId", "routeRules"),
    optional=("displayName", "freeformTags", "definedTags"),
    mutable=("displayName", "routeRules", "freeformTags", "definedTags"),
    references={"vcnId": "vcns"},
)
SECURITY_LISTS: Final = Kind(
    path="securityLists",
    model="SecurityList",
    ocid="securitylist",
    required=("compartmentId", "vcnId", "egressSecurityRules", "ingressSecurityRules"),
    optional=("displayName", "freeformTags", "definedTags"),
    mutable=("displayName", "egressSecurityRules", "ingressSecurityRules", "freeformTags", "definedTags"),
    references={"vcnId": "vcns"},
)
SUBNETS: Final = Kind(
    path="subnets",
    model="Subnet",
    ocid="subnet",
    required=("compartmentId", "vcnId", "cidrBlock"),
    optional=(
        "availabilityDomain",
        "displayName",
        "dnsLabel",
        "dhcpOptionsId",
        "freeformTags",
        "definedTags",
        "prohibitInternetIngress",
        "prohibitPublicIpOnVnic",
        "routeTableId",
        "securityListIds",
    ),
    mutable=(
        "displayName",
        "dhcpOptionsId",
        "freeformTags",
        "definedTags",
        "routeTableId",
        "securityListIds",
    ),
    references={"vcnId": "vcns", "routeTableId": "routeTables", "securityListIds": "securityLists"},
)
SECURITY_GROUPS: Final = Kind(
    path="networkSecurityGroups",
    model="NetworkSecurityGroup",
    ocid="networksecuritygroup",
    required=("compartmentId", "vcnId"),
    optional=("displayName", "freeformTags", "definedTags"),
    mutable=("displayName", "freeformTags", "definedTags"),
    references={"vcnId": "vcns"},
)
POLICIES: Final = Kind(
    path="policies",
    model="Policy",
    ocid="policy",
    required=("compartmentId", "name", "description", "statements"),
    optional=("versionDate", "freeformTags", "definedTags"),
    mutable=("description", "statements", "versionDate", "freeformTags", "definedTags"),
    service="identity",
)
DYNAMIC_GROUPS: Final = Kind(
    path="dynamicGroups",
    model="DynamicGroup",
    ocid="dynamicgroup",
    required=("compartmentId", "name", "description", "matchingRule"),
    optional=("freeformTags", "definedTags"),
    mutable=("description", "matchingRule", "freeformTags", "definedTags"),
    service="identity",
)

KINDS: Final = {
    kind.path: kind
    for kind in (
        VCNS,
        INTERNET_GATEWAYS,
        NAT_GATEWAYS,
        SERVICE_GATEWAYS,
        ROUTE_TABLES,
        SECURITY_LISTS,
        SUBNETS,
        SECURITY_GROUPS,
        POLICIES,
        DYNAMIC_GROUPS,
    )
}
