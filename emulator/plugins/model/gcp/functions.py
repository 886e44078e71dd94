"""Results of Google Cloud's functions (data sources): one row for each."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model.contract import Function
from emulator.plugins.model.gcp import region
from emulator.plugins.model.gcp.resources import RESOURCES
from emulator.plugins.model.values import Properties

_NETWORK: Final = "gcp:compute/network:Network"
_SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"


def _engine_versions(args: Mapping[str, Any]) -> Properties:
    prefix = str(args.get("versionPrefix") or "")
    versions = [one for one in reversed(region.KUBERNETES_VERSIONS) if one.startswith(prefix)]
    newest = versions[0] if versions else ""
    return {
        "project": args.get("project", region.PROJECT),
        "defaultClusterVersion": region.CHANNELS["REGULAR"],
        "latestMasterVersion": newest,
        "latestNodeVersion": newest,
        "releaseChannelDefaultVersion": dict(region.CHANNELS),
        "releaseChannelLatestVersion": dict(region.CHANNELS),
        "releaseChannelUpgradeTargetVersion": dict(region.CHANNELS),
        "validMasterVersions": versions,
        "validNodeVersions": versions,
    }


def _zones(args: Mapping[str, Any]) -> Properties:
    wanted = str(args.get("region") or region.REGION)
    return {
        "project": args.get("project", region.PROJECT),
        "region": wanted,
        "names": region.zones_of(wanted),
    }


def _network(args: Mapping[str, Any]) -> Properties:
    name = str(args.get("name"))
    place = {"project": args.get("project", region.PROJECT), "name": name, "autoCreateSubnetworks": False}
    model = RESOURCES[_NETWORK]
    own_id = model.id_of(place, name)
    shown = model.outputs(place, own_id)
    kept = ("gatewayIpv4", "name", "numericId", "project", "selfLink")
    return {
        **{key: shown[key] for key in kept},
        "id": own_id,
        "networkId": int(shown["networkId"]),
        "subnetworksSelfLinks": [],
    }


def _subnetwork(args: Mapping[str, Any]) -> Properties:
    name, project = str(args.get("name")), args.get("project", region.PROJECT)
    place = {
        "project": project,
        "region": args.get("region", region.REGION),
        "name": name,
        "network": f"{region.COMPUTE_URL}/projects/{project}/global/networks/existing",
        "ipCidrRange": "10.8.0.0/22",
        "privateIpGoogleAccess": True,
        "secondaryIpRanges": [
            {"rangeName": "pods", "ipCidrRange": "10.12.0.0/16"},
            {"rangeName": "services", "ipCidrRange": "10.13.0.0/20"},
        ],
    }
    model = RESOURCES[_SUBNETWORK]
    own_id = model.id_of(place, name)
    shown = model.outputs(place, own_id)
    kept = (*place, "gatewayAddress", "selfLink", "stackType", "subnetworkId")
    return {**{key: shown[key] for key in kept}, "id": own_id}


FUNCTIONS: Final[Mapping[str, Function]] = {
    "gcp:container/getEngineVersions:getEngineVersions": _engine_versions,
    "gcp:compute/getZones:getZones": _zones,
    "gcp:compute/getNetwork:getNetwork": _network,
    "gcp:compute/getSubnetwork:getSubnetwork": _subnetwork,
}
