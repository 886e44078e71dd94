"""Outputs of Google Cloud's resources: one row for each type of resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.plugins.model.contract import Computed, nothing
from emulator.plugins.model.gcp import container, identity, network, registry
from emulator.plugins.model.gcp.paths import IdOf, account_path, path
from emulator.plugins.model.gcp.region import PROJECT, REGION
from emulator.plugins.model.values import Properties, given, laid_over


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """What the cloud adds to the inputs of one type of resource."""

    token: str
    kind: str
    """The API's word for it."""
    id_of: IdOf
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What the cloud takes for inputs that were not given."""
    computed: Computed = nothing

    def outputs(self, inputs: Mapping[str, Any], resource_id: str) -> Properties:
        """Its inputs, the cloud's defaults, what it computes."""
        merged = laid_over(self.defaults, inputs)
        return given({**merged, **self.computed(merged, resource_id)})


_HERE: Final[Mapping[str, Any]] = {"project": PROJECT}
_IN_REGION: Final[Mapping[str, Any]] = {"project": PROJECT, "region": REGION}

_ROWS: Final = (
    ResourceModel(
        "gcp:compute/network:Network",
        "networks",
        path("projects/{project}/global/networks/{name}"),
        defaults={
            **_HERE,
            "autoCreateSubnetworks": True,
            "bgpBestPathSelectionMode": "LEGACY",
            "deleteDefaultRoutesOnCreate": False,
            "mtu": 1460,
            "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
            "routingMode": "REGIONAL",
        },
        computed=network.network,
    ),
    ResourceModel(
        "gcp:compute/subnetwork:Subnetwork",
        "subnetworks",
        path("projects/{project}/regions/{region}/subnetworks/{name}"),
        defaults={
            **_IN_REGION,
            "privateIpGoogleAccess": False,
            "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS",
            "purpose": "PRIVATE",
            "secondaryIpRanges": [],
            "stackType": "IPV4_ONLY",
        },
        computed=network.subnetwork,
    ),
    ResourceModel(
        "gcp:compute/router:Router",
        "routers",
        path("projects/{project}/regions/{region}/routers/{name}"),
        defaults=_IN_REGION,
        computed=network.router,
    ),
    ResourceModel(
        "gcp:compute/routerNat:RouterNat",
        "nats",
        path("{project}/{region}/{router}/{name}"),
        defaults={
            **_IN_REGION,
            "enableDynamicPortAllocation": False,
            "enableEndpointIndependentMapping": False,
            "endpointTypes": ["ENDPOINT_TYPE_VM"],
            "icmpIdleTimeoutSec": 30,
            "tcpEstablishedIdleTimeoutSec": 1200,
            "tcpTimeWaitTimeoutSec": 120,
            "tcpTransitoryIdleTimeoutSec": 30,
            "type": "PUBLIC",
            "udpIdleTimeoutSec": 30,
        },
    ),
    ResourceModel(
        "gcp:serviceaccount/account:Account",
        "serviceAccounts",
        account_path,
        defaults={**_HERE, "disabled": False},
        computed=identity.account,
    ),
    ResourceModel(
        "gcp:serviceaccount/iAMMember:IAMMember",
        "bindings",
        path("{serviceAccountId}/{role}/{member}"),
        computed=identity.membership,
    ),
    ResourceModel(
        "gcp:projects/iAMMember:IAMMember",
        "bindings",
        path("{project}/{role}/{member}"),
        defaults=_HERE,
        computed=identity.membership,
    ),
    ResourceModel(
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        "roles",
        path("projects/{project}/roles/{roleId}"),
        defaults={**_HERE, "stage": "GA"},
        computed=identity.role,
    ),
    ResourceModel(
        "gcp:artifactregistry/repository:Repository",
        "repositories",
        path("projects/{project}/locations/{location}/repositories/{repositoryId}"),
        defaults={**_HERE, "location": REGION, "mode": "STANDARD_REPOSITORY"},
        computed=registry.repository,
    ),
    ResourceModel(
        "gcp:container/cluster:Cluster",
        "clusters",
        path("projects/{project}/locations/{location}/clusters/{name}"),
        defaults=container.CLUSTER_DEFAULTS,
        computed=container.cluster,
    ),
    ResourceModel(
        "gcp:container/nodePool:NodePool",
        "nodePools",
        path("projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}"),
        defaults=container.NODE_POOL_DEFAULTS,
        computed=container.node_pool,
    ),
)

RESOURCES: Final = {row.token: row for row in _ROWS}
