"""The `oci` provider: keeps nothing, everything stands in the emulated cloud."""

from collections.abc import Mapping
from typing import Final

from emulator.plugins.oci.api import OracleApi
from emulator.plugins.oci.engine import AddonHandler, EngineHandler
from emulator.plugins.oci.functions import FUNCTIONS
from emulator.plugins.oci.network import (
    NetworkHandler,
    PolicyHandler,
    SecurityListHandler,
    SecurityRuleHandler,
)
from emulator.plugins.rest.handler import Handler
from emulator.plugins.rest.provider import RestProvider

_GATEWAY: Final = ("compartmentId", "vcnId")

HANDLERS: Final[Mapping[str, Handler]] = {
    "oci:Core/vcn:Vcn": NetworkHandler("vcns", "compartmentId", "dnsLabel", "cidrBlock"),
    "oci:Core/internetGateway:InternetGateway": NetworkHandler(
        "internetGateways", *_GATEWAY, words={"enabled": "isEnabled"}
    ),
    "oci:Core/natGateway:NatGateway": NetworkHandler("natGateways", *_GATEWAY, "publicIpId"),
    "oci:Core/serviceGateway:ServiceGateway": NetworkHandler("serviceGateways", *_GATEWAY),
    "oci:Core/routeTable:RouteTable": NetworkHandler("routeTables", *_GATEWAY),
    "oci:Core/securityList:SecurityList": SecurityListHandler(),
    "oci:Core/subnet:Subnet": NetworkHandler(
        "subnets",
        *_GATEWAY,
        "availabilityDomain",
        "cidrBlock",
        "dnsLabel",
        "prohibitInternetIngress",
        "prohibitPublicIpOnVnic",
    ),
    "oci:Core/networkSecurityGroup:NetworkSecurityGroup": NetworkHandler("networkSecurityGroups", *_GATEWAY),
    "oci:Core/networkSecurityGroupSecurityRule:NetworkSecurityGroupSecurityRule": SecurityRuleHandler(),
    "oci:Identity/policy:Policy": PolicyHandler(),
    "oci:Artifacts/containerRepository:ContainerRepository": NetworkHandler(
        "container/repositories",
        "compartmentId",
        "displayName",
        words={"billableSizeInGbs": "billableSizeInGBs"},
    ),
    "oci:ContainerEngine/cluster:Cluster": EngineHandler(
        "clusters",
        "cluster",
        *_GATEWAY,
        "clusterPodNetworkOptions",
        "endpointConfig.subnetId",
        "kmsKeyId",
        "options.addOns",
        "options.ipFamilies",
        "options.kubernetesNetworkConfig",
        "options.serviceLbSubnetIds",
    ),
    "oci:ContainerEngine/nodePool:NodePool": EngineHandler(
        "nodePools", "nodepool", "clusterId", "compartmentId", split=frozenset({"nodeConfigDetails"})
    ),
    "oci:ContainerEngine/addon:Addon": AddonHandler(),
}
"""By token; what replaces a resource is what Oracle's provider says cannot be updated."""


class OciProvider(RestProvider):
    """All provider resources speak to the one emulated account of the emulator's home."""

    name = "oci"
    handlers = HANDLERS
    functions = FUNCTIONS

    def __init__(self, api: OracleApi | None = None) -> None:
        super().__init__("pulumi-oci", api or OracleApi())
