"""Outputs of OCI resources: one row for each type of resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.plugins.model.contract import Computed, nothing
from emulator.plugins.model.derived import TIME_CREATED, digest, ocid
from emulator.plugins.model.oci import artifacts, container_engine, network
from emulator.plugins.model.values import Properties, given, laid_over


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """What the cloud adds to the inputs of one type of resource."""

    token: str
    kind: str
    """Kind in the OCID."""
    state: str = "AVAILABLE"
    """Lifecycle state of a healthy one; empty where there is none."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What the cloud takes for inputs that were not given."""
    computed: Computed = nothing
    names_itself: bool = False
    """A missing `displayName` is made by the cloud."""
    created: bool = True
    """Whether it says when it was created."""

    def id_of(self, _inputs: Mapping[str, Any], name: str) -> str:
        """An OCID of its kind."""
        return ocid(self.kind, name)

    def outputs(self, inputs: Mapping[str, Any], resource_id: str) -> Properties:
        """Its inputs, the cloud's defaults, what it computes."""
        merged = laid_over(self.defaults, inputs)
        if self.names_itself and "displayName" not in merged:
            merged["displayName"] = f"{self.kind}{digest(resource_id, 14)}"
        common = {"state": self.state} if self.state else {}
        common |= {"timeCreated": TIME_CREATED} if self.created else {}
        return given({**merged, **common, **self.computed(merged, resource_id)})


_TAGS: Final[Mapping[str, Any]] = {"freeformTags": {}, "definedTags": {}}

_ROWS: Final = (
    ResourceModel(
        "oci:Core/vcn:Vcn",
        "vcn",
        defaults={**_TAGS, "isIpv6enabled": False},
        computed=network.vcn,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/internetGateway:InternetGateway",
        "internetgateway",
        defaults={**_TAGS, "enabled": True},
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/natGateway:NatGateway",
        "natgateway",
        defaults={**_TAGS, "blockTraffic": False},
        computed=network.nat_gateway,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/serviceGateway:ServiceGateway",
        "servicegateway",
        defaults=_TAGS,
        computed=network.service_gateway,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/routeTable:RouteTable",
        "routetable",
        defaults={**_TAGS, "routeRules": []},
        computed=network.route_table,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/securityList:SecurityList",
        "securitylist",
        defaults={**_TAGS, "egressSecurityRules": [], "ingressSecurityRules": []},
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/subnet:Subnet",
        "subnet",
        defaults={**_TAGS, "prohibitInternetIngress": False, "prohibitPublicIpOnVnic": False},
        computed=network.subnet,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/networkSecurityGroup:NetworkSecurityGroup",
        "networksecuritygroup",
        defaults=_TAGS,
        names_itself=True,
    ),
    ResourceModel(
        "oci:Core/networkSecurityGroupSecurityRule:NetworkSecurityGroupSecurityRule",
        "securityrule",
        state="",
        defaults={"stateless": False},
        computed=network.security_rule,
    ),
    ResourceModel(
        "oci:Identity/policy:Policy", "policy", state="ACTIVE", defaults=_TAGS, computed=network.policy
    ),
    ResourceModel(
        "oci:Artifacts/containerRepository:ContainerRepository",
        "containerrepo",
        defaults={**_TAGS, "isImmutable": False, "isPublic": False},
        computed=artifacts.repository,
    ),
    ResourceModel(
        "oci:ContainerEngine/cluster:Cluster",
        "cluster",
        state="ACTIVE",
        defaults=container_engine.CLUSTER_DEFAULTS,
        computed=container_engine.cluster,
        created=False,
    ),
    ResourceModel(
        "oci:ContainerEngine/nodePool:NodePool",
        "nodepool",
        state="ACTIVE",
        defaults=container_engine.NODE_POOL_DEFAULTS,
        computed=container_engine.node_pool,
        created=False,
    ),
    ResourceModel(
        "oci:ContainerEngine/addon:Addon",
        "addon",
        state="ACTIVE",
        defaults={"configurations": []},
        computed=container_engine.addon,
    ),
)

RESOURCES: Final = {row.token: row for row in _ROWS}
