"""What the cloud computes for clusters and node pools."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model.derived import address, digest, public_address
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.model.gcp.region import (
    CHANNELS,
    COMPUTE_URL,
    CONTAINER_URL,
    PROJECT,
    PROJECT_NUMBER,
    is_zone,
    zones_of,
)
from emulator.plugins.model.values import Properties, laid_over

CLUSTER_DEFAULTS: Final[Mapping[str, Any]] = {
    "addonsConfig": {"networkPolicyConfig": {"disabled": True}},
    "databaseEncryption": {"state": "DECRYPTED"},
    "datapathProvider": "LEGACY_DATAPATH",
    "defaultMaxPodsPerNode": 110,
    "deletionProtection": True,
    "enableShieldedNodes": True,
    "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
    "monitoringConfig": {"enableComponents": ["SYSTEM_COMPONENTS"], "managedPrometheus": {"enabled": True}},
    "network": "default",
    "networkingMode": "VPC_NATIVE",
    "project": PROJECT,
    "releaseChannel": {"channel": "REGULAR"},
    "resourceLabels": {},
    "subnetwork": "default",
}
NODE_POOL_DEFAULTS: Final[Mapping[str, Any]] = {
    "management": {"autoRepair": True, "autoUpgrade": True},
    "maxPodsPerNode": 110,
    "project": PROJECT,
    "upgradeSettings": {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0},
    "nodeConfig": {
        "diskSizeGb": 100,
        "diskType": "pd-balanced",
        "imageType": "COS_CONTAINERD",
        "loggingVariant": "DEFAULT",
        "machineType": "e2-medium",
        "metadata": {"disable-legacy-endpoints": "true"},
        "oauthScopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "serviceAccount": "default",
        "shieldedInstanceConfig": {"enableIntegrityMonitoring": True, "enableSecureBoot": False},
    },
}


def cluster(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Endpoints, certificate, versions; a private endpoint takes the public one's place."""
    version = inputs.get("minMasterVersion") or _channel_version(inputs)
    private, public = address(resource_id), public_address(resource_id)
    # A provider may add labels of its own.
    labels = inputs.get("effectiveLabels") or inputs.get("resourceLabels")
    only_private = bool((inputs.get("privateClusterConfig") or {}).get("enablePrivateEndpoint"))
    return {
        "controlPlaneEndpointsConfig": _endpoints(inputs, resource_id),
        "effectiveLabels": labels,
        "emulatedVersion": version.partition("-")[0],
        "endpoint": private if only_private else public,
        "labelFingerprint": digest(resource_id, 8),
        "masterAuth": {"clusterCaCertificate": _certificate(resource_id)},
        "masterVersion": version,
        "nodeLocations": inputs.get("nodeLocations") or _other_zones(str(inputs.get("location", ""))),
        "nodeVersion": version,
        "privateClusterConfig": {
            **(inputs.get("privateClusterConfig") or {}),
            "privateEndpoint": private,
            "publicEndpoint": "" if only_private else public,
        },
        "pulumiLabels": labels,
        "selfLink": f"{CONTAINER_URL}/{resource_id}",
        "servicesIpv4Cidr": "34.118.224.0/20",
    }


def node_pool(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """An instance group in each zone, and the taints of the configuration."""
    zones = inputs.get("nodeLocations") or _zones(str(inputs.get("location", "")))
    size = inputs.get("nodeCount")
    group = f"gke-{last(str(inputs.get('cluster', '')))}-{inputs.get('name')}-{digest(resource_id, 8)}-grp"
    groups = [f"{COMPUTE_URL}/projects/{inputs.get('project')}/zones/{zone}" for zone in zones]
    config = inputs.get("nodeConfig") or {}
    return {
        "initialNodeCount": inputs.get("initialNodeCount", size),
        "nodeCount": inputs.get("initialNodeCount", 0) if size is None else size,
        "nodeLocations": zones,
        "instanceGroupUrls": [f"{base}/instanceGroupManagers/{group}" for base in groups],
        "managedInstanceGroupUrls": [f"{base}/instanceGroups/{group}" for base in groups],
        "nodeConfig": laid_over(config, {"effectiveTaints": config.get("taints", [])}),
        "version": inputs.get("version") or _channel_version({}),
    }


def _channel_version(inputs: Mapping[str, Any]) -> str:
    return CHANNELS[(inputs.get("releaseChannel") or {}).get("channel", "REGULAR")]


def _endpoints(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The name of the cluster's own, beside its addresses."""
    name = f"gke-{digest(resource_id, 40)}-{PROJECT_NUMBER}.{inputs.get('location')}.gke.goog"
    given = inputs.get("controlPlaneEndpointsConfig") or {}
    defaults = {"dnsEndpointConfig": {"allowExternalTraffic": False}, "ipEndpointsConfig": {"enabled": True}}
    return laid_over(laid_over(defaults, given), {"dnsEndpointConfig": {"endpoint": name}})


def _certificate(resource_id: str) -> str:
    return base64.b64encode(f"certificate of {resource_id}".encode()).decode()


def _zones(location: str) -> list[str]:
    return [location] if is_zone(location) else zones_of(location)


def _other_zones(location: str) -> list[str]:
    """Zones beside the location itself."""
    return [] if is_zone(location) else zones_of(location)
