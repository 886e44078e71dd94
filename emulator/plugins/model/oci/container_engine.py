"""What the cloud computes for clusters, node pools and add-ons."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model.derived import TIME_CREATED, address, digest, ocid, public_address
from emulator.plugins.model.values import Properties

API_PORT: Final = 6443

CLUSTER_DEFAULTS: Final[Mapping[str, Any]] = {
    "type": "BASIC_CLUSTER",
    "clusterPodNetworkOptions": [{"cniType": "FLANNEL_OVERLAY"}],
    "freeformTags": {},
    "definedTags": {},
    "options": {
        "addOns": {"isKubernetesDashboardEnabled": False, "isTillerEnabled": False},
        "admissionControllerOptions": {"isPodSecurityPolicyEnabled": False},
        "ipFamilies": ["IPv4"],
        "kubernetesNetworkConfig": {"podsCidr": "10.244.0.0/16", "servicesCidr": "10.96.0.0/16"},
        "openIdConnectDiscovery": {"isOpenIdConnectDiscoveryEnabled": False},
    },
    "imagePolicyConfig": {"isPolicyEnabled": False},
}
NODE_POOL_DEFAULTS: Final[Mapping[str, Any]] = {
    "freeformTags": {},
    "definedTags": {},
    "initialNodeLabels": [],
    "nodeMetadata": {},
    "nodeEvictionNodePoolSettings": {
        "evictionGraceDuration": "PT60M",
        "isForceActionAfterGraceDuration": False,
        "isForceDeleteAfterGraceDuration": False,
    },
    "nodeConfigDetails": {"isPvEncryptionInTransitEnabled": False},
}


def cluster(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Endpoints of the API server; public only where the cluster asks for it."""
    config = inputs.get("endpointConfig") or {}
    private = f"{address(resource_id)}:{API_PORT}"
    public = f"{public_address(resource_id)}:{API_PORT}" if config.get("isPublicIpEnabled") else None
    endpoint = {"kubernetes": public or private, "privateEndpoint": private, "publicEndpoint": public}
    return {
        "endpoints": [{key: value for key, value in endpoint.items() if value}],
        "availableKubernetesUpgrades": [],
        "metadatas": [{"timeCreated": TIME_CREATED, "createdByUserId": "ocid1.user.oc1..emulated"}],
    }


def node_pool(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The nodes: as many as the size says, spread over the placements in turn."""
    details = inputs.get("nodeConfigDetails") or {}
    placements = details.get("placementConfigs") or [{}]
    image = (inputs.get("nodeSourceDetails") or {}).get("imageId")
    return {
        "nodes": [
            _node(inputs, resource_id, ordinal, placements[ordinal % len(placements)])
            for ordinal in range(int(details.get("size") or 0))
        ],
        "nodeSources": [{"imageId": image, "sourceType": "IMAGE"}] if image else [],
    }


def addon(inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """The version that was installed: the one asked for, or the newest."""
    return {"currentInstalledVersion": inputs.get("version") or "v1.0.0", "addonErrors": []}


def _node(inputs: Mapping[str, Any], pool_id: str, ordinal: int, placement: Mapping[str, Any]) -> Properties:
    seed = f"{pool_id}/{ordinal}"
    node = {
        "id": ocid("instance", seed),
        "name": f"oke-{digest(pool_id, 11)}-{ordinal}",
        "nodePoolId": pool_id,
        "state": "ACTIVE",
        "faultDomain": f"FAULT-DOMAIN-{ordinal % 3 + 1}",
        "privateIp": address(seed, "10.0.1"),
        "kubernetesVersion": inputs.get("kubernetesVersion"),
        "availabilityDomain": placement.get("availabilityDomain"),
        "subnetId": placement.get("subnetId"),
    }
    return {key: value for key, value in node.items() if value is not None}
