"""Clusters as the API shows them."""

import base64
from typing import Any

from emulator.cloud.clock import rfc3339
from emulator.gcp import wire
from emulator.gcp.account import CONTAINER_URL, PROJECT_NUMBER, region_of
from emulator.gcp.pool_json import pool_json
from emulator.gcp.state import Cluster, digest

_DEFAULTS: dict[str, Any] = {
    "loggingService": "logging.googleapis.com/kubernetes",
    "monitoringService": "monitoring.googleapis.com/kubernetes",
    "databaseEncryption": {"state": "DECRYPTED", "currentState": "CURRENT_STATE_DECRYPTED"},
    "addonsConfig": {"networkPolicyConfig": {"disabled": True}},
    "masterAuthorizedNetworksConfig": {},
    "privateClusterConfig": {},
}


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """A cluster with its pools, endpoints and certificate."""
    message = cluster.message
    pools = [pool_json(cluster, pool) for pool in cluster.pools.values()]
    labels = str(sorted(message.resource_labels.items()))
    address = cluster.address
    private_only = message.private_cluster_config.enable_private_endpoint
    shown: dict[str, Any] = {
        **_DEFAULTS,
        **wire.shown(message),
        "id": cluster.number,
        "etag": cluster.etag,
        "status": cluster.status,
        "statusMessage": cluster.status_message,
        "location": cluster.location,
        "zone": cluster.location,
        "locations": list(cluster.zones),
        "selfLink": f"{CONTAINER_URL}/{cluster.id}",
        "createTime": rfc3339(cluster.created_at),
        "labelFingerprint": digest(labels, 8),
        "currentNodeVersion": message.current_master_version,
        "nodePools": pools,
        "instanceGroupUrls": [url for pool in pools for url in pool.get("instanceGroupUrls", ())],
        "currentNodeCount": sum(1 for pool in cluster.pools.values() for _ in pool.running()),
        "endpoint": address,
    }
    shown["privateClusterConfig"] = {
        **shown["privateClusterConfig"],
        "privateEndpoint": address,
        **({} if private_only else {"publicEndpoint": address}),
    }
    if cluster.kube is not None:
        certificate = base64.b64encode(cluster.kube.ca_pem).decode()
        shown["masterAuth"] = {**shown.get("masterAuth", {}), "clusterCaCertificate": certificate}
    shown["controlPlaneEndpointsConfig"] = _endpoints(cluster, shown)
    return {key: value for key, value in shown.items() if value not in ("", None, [])}


def _endpoints(cluster: Cluster, shown: dict[str, Any]) -> dict[str, Any]:
    given = shown.get("controlPlaneEndpointsConfig", {})
    name = f"gke-{cluster.number[:40]}-{PROJECT_NUMBER}.{region_of(cluster.location)}.gke.goog"
    private = shown["privateClusterConfig"]
    ip = {"enabled": True, **given.get("ipEndpointsConfig", {})}
    for key in ("publicEndpoint", "privateEndpoint"):
        if private.get(key):
            ip[key] = private[key]
    return {
        **given,
        "dnsEndpointConfig": {**given.get("dnsEndpointConfig", {}), "endpoint": name},
        "ipEndpointsConfig": ip,
    }
