"""Clusters."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.plugins.gcp.api import CONTAINER
from emulator.plugins.gcp.container_rows import BORN_WITH, CLUSTER, CLUSTER_SHOWN
from emulator.plugins.gcp.handler import GoogleHandler, touches
from emulator.plugins.gcp.orders import making, order, settled
from emulator.plugins.gcp.rows import to_api, to_pulumi
from emulator.plugins.model import id_of
from emulator.plugins.model.gcp.region import is_zone
from emulator.plugins.paths import Path
from emulator.plugins.provider import Change, Refused, Request
from emulator.plugins.rest.api import Api
from emulator.plugins.rest.handler import HalfMade, unforgotten, unless_gone
from emulator.plugins.rest.waiting import patiently
from emulator.plugins.values import Properties

_DEFAULT_POOL: Final = "default-pool"
_ROUTES: Final = "ROUTES"
_COMING: Final = frozenset({"PROVISIONING"})
_SICK: Final = frozenset({"DEGRADED", "ERROR"})

_DESIRED: Final[Mapping[str, tuple[str, str, Any]]] = {
    "addonsConfig": ("desiredAddonsConfig", "addonsConfig", {}),
    "clusterAutoscaling": ("desiredClusterAutoscaling", "autoscaling", {}),
    "controlPlaneEndpointsConfig": ("desiredControlPlaneEndpointsConfig", "controlPlaneEndpointsConfig", {}),
    "costManagementConfig": ("desiredCostManagementConfig", "costManagementConfig", {}),
    "databaseEncryption": ("desiredDatabaseEncryption", "databaseEncryption", {"state": "DECRYPTED"}),
    "enableShieldedNodes": ("desiredShieldedNodes", "shieldedNodes", {"enabled": True}),
    "gatewayApiConfig": (
        "desiredGatewayApiConfig",
        "networkConfig.gatewayApiConfig",
        {"channel": "CHANNEL_DISABLED"},
    ),
    "loggingConfig": ("desiredLoggingConfig", "loggingConfig", {}),
    "masterAuthorizedNetworksConfig": (
        "desiredMasterAuthorizedNetworksConfig",
        "masterAuthorizedNetworksConfig",
        {"enabled": False},
    ),
    "minMasterVersion": ("desiredMasterVersion", "initialClusterVersion", "-"),
    "monitoringConfig": ("desiredMonitoringConfig", "monitoringConfig", {}),
    "nodeLocations": ("desiredLocations", "locations", []),
    "privateClusterConfig.enablePrivateEndpoint": (
        "desiredEnablePrivateEndpoint",
        "privateClusterConfig.enablePrivateEndpoint",
        False,
    ),
    "privateClusterConfig.masterGlobalAccessConfig": (
        "desiredPrivateClusterConfig",
        "privateClusterConfig",
        {},
    ),
    "releaseChannel": ("desiredReleaseChannel", "releaseChannel", {}),
    "securityPostureConfig": ("desiredSecurityPostureConfig", "securityPostureConfig", {}),
    "verticalPodAutoscaling": ("desiredVerticalPodAutoscaling", "verticalPodAutoscaling", {"enabled": False}),
    "workloadIdentityConfig": ("desiredWorkloadIdentityConfig", "workloadIdentityConfig", {}),
}
"""What can be changed: field of the update, where its value stands in a cluster, what it is when it is gone."""


class ClusterHandler(GoogleHandler):
    """Clusters; the pool that each is born with goes at once where the program wants it gone."""

    named = True
    unique_name = True
    labelled = True
    rows = CLUSTER
    places = ("project", "location")
    own = (
        "deletionProtection",
        "effectiveLabels",
        "initialNodeCount",
        "location",
        "minMasterVersion",
        "networkingMode",
        "nodeConfig",
        "removeDefaultNodePool",
    )
    replaced_by = (
        "datapathProvider",
        "defaultMaxPodsPerNode",
        "description",
        "initialNodeCount",
        "ipAllocationPolicy",
        "location",
        "name",
        "network",
        "networkingMode",
        "privateClusterConfig.enablePrivateNodes",
        "privateClusterConfig.masterIpv4CidrBlock",
        "privateClusterConfig.privateEndpointSubnetwork",
        "project",
        "subnetwork",
        *BORN_WITH,
    )

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Order it, wait until it is there, and remove the pool it was born with."""
        resource_id = id_of(request.token, inputs, request.name)
        parent = resource_id.rpartition("/clusters/")[0]
        body = {"cluster": {"name": inputs["name"], **_body(inputs)}}
        making(api, request, resource_id, f"{parent}/clusters", body)
        with unforgotten(resource_id):
            _settle(api, request, resource_id, inputs)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = api.get(f"{CONTAINER}/{resource_id}")
        told = to_pulumi(live, {**self.rows, **CLUSTER_SHOWN})
        _, project, _, location, *_ = resource_id.split("/")
        # Labels that others have put on it are no wish of the program's.
        for name in (*self.own, "resourceLabels"):
            told.pop(name, None)
        told["emulatedVersion"] = str(live.get("currentMasterVersion", "")).partition("-")[0]
        for name in ("network", "subnetwork"):
            told[name] = live.get("networkConfig", {}).get(name) or told[name]
        told["effectiveLabels"] = live.get("resourceLabels", {})
        told["nodeLocations"] = [zone for zone in live.get("locations", []) if zone != location]
        return {**told, "project": project, "location": location}

    def read_back(self, inputs: Properties, shown: Properties) -> Properties:
        """As the program would say it; of labels, only its own."""
        there = shown["effectiveLabels"]
        said = inputs.get("resourceLabels") or {}
        labels = {name: there[name] for name in said if name in there}
        return super().read_back(inputs, {**shown, "resourceLabels": labels})

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed, one thing after the other, as the API wants it."""
        paths = [one.path for one in self.changes(change)]
        settled(api, request, request.id, "cluster", _COMING)
        for method, path, body in _updates(api, request, change.inputs, paths):
            order(api, request, method, path, body)
        _settle(api, request, request.id, change.inputs)

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, unless it is protected, and wait until it is gone."""
        if state.get("deletionProtection", True):
            raise Refused(
                f"{request.name}: the cluster is protected from deletion; set deletionProtection to false, "
                "bring that up, and destroy it then"
            )
        order(api, request, "DELETE", request.id)


def _body(inputs: Properties) -> Properties:
    """The cluster as the API takes it."""
    told = to_api(inputs, CLUSTER)
    told["resourceLabels"] = inputs.get("effectiveLabels") or inputs.get("resourceLabels") or {}
    if inputs.get("networkingMode") != _ROUTES:
        told.setdefault("ipAllocationPolicy", {})["useIpAliases"] = True
    authorized = inputs.get("masterAuthorizedNetworksConfig") is not None
    told.setdefault("masterAuthorizedNetworksConfig", {})["enabled"] = authorized
    if told.get("locations"):
        told["locations"] = _locations(inputs)
    return told


def _locations(inputs: Properties) -> list[str]:
    """Zones of the nodes: what is listed, and where a zonal cluster itself is."""
    location = str(inputs["location"])
    own = [location] if is_zone(location) else []
    return [*own, *(zone for zone in inputs.get("nodeLocations") or [] if zone != location)]


def _updates(
    api: Api, request: Request, inputs: Properties, paths: list[Path]
) -> Iterator[tuple[str, str, Properties]]:
    """One call for each thing that changed."""
    body = _body(inputs)
    for name, (field, place, nothing) in _DESIRED.items():
        if touches(paths, name):
            yield "PUT", request.id, {"update": {field: _at(body, place, nothing)}}
    if touches(paths, "resourceLabels"):
        live = patiently(request, lambda: api.get(f"{CONTAINER}/{request.id}"))
        labels = {
            "resourceLabels": body["resourceLabels"],
            "labelFingerprint": live.get("labelFingerprint", ""),
        }
        yield "POST", f"{request.id}:setResourceLabels", labels


def _at(body: Properties, place: str, nothing: Any) -> Any:
    value: Any = body
    for step in place.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return nothing if value is None else value


def _settle(api: Api, request: Request, resource_id: str, inputs: Properties) -> None:
    """Wait until it is there and well, and has no pool that the program does not want."""
    live = settled(api, request, resource_id, "cluster", _COMING)
    if live["status"] in _SICK:
        said = f"the cluster is {live['status']}: {live.get('statusMessage', '')}"
        raise HalfMade(resource_id, f"{said}; destroy or replace it")
    pools = {str(pool["name"]) for pool in live.get("nodePools", [])}
    if inputs.get("removeDefaultNodePool") and _DEFAULT_POOL in pools:
        unless_gone(lambda: order(api, request, "DELETE", f"{resource_id}/nodePools/{_DEFAULT_POOL}"))
