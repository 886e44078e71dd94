"""Pulumi's Google functions (data sources), asked of the emulated APIs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.plugins.gcp.api import COMPUTE, CONTAINER
from emulator.plugins.gcp.network import NETWORK, SubnetworkHandler
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.rest.api import Api, ApiFault
from emulator.plugins.rest.functions import Function
from emulator.plugins.values import Properties

_SUBNETWORK: Final = SubnetworkHandler()
_SHOWN_OF_SUBNETWORK: Final = (
    "description",
    "gatewayAddress",
    "ipCidrRange",
    "name",
    "network",
    "privateIpGoogleAccess",
    "project",
    "region",
    "secondaryIpRanges",
    "selfLink",
    "stackType",
    "subnetworkId",
)


def _engine_versions(api: Api, args: Mapping[str, Any]) -> Properties:
    location = args.get("location") or args["region"]
    config = api.get(f"{CONTAINER}/projects/{args['project']}/locations/{location}/serverConfig")
    prefix = str(args.get("versionPrefix") or "")
    masters = [one for one in config["validMasterVersions"] if one.startswith(prefix)]
    nodes = [one for one in config["validNodeVersions"] if one.startswith(prefix)]
    if not masters or not nodes:
        raise ApiFault(400, "INVALID_ARGUMENT", f"no version begins with {prefix!r}")
    channels = config.get("channels", [])
    defaults = {one["channel"]: one.get("defaultVersion", "") for one in channels}
    latest = {one["channel"]: next(iter(one.get("validVersions", [])), "") for one in channels}
    return {
        "project": args["project"],
        "defaultClusterVersion": config["defaultClusterVersion"],
        "latestMasterVersion": masters[0],
        "latestNodeVersion": nodes[0],
        "releaseChannelDefaultVersion": defaults,
        "releaseChannelLatestVersion": latest,
        "releaseChannelUpgradeTargetVersion": {
            one["channel"]: one.get("upgradeTargetVersion", defaults[one["channel"]]) for one in channels
        },
        "validMasterVersions": masters,
        "validNodeVersions": nodes,
    }


def _zones(api: Api, args: Mapping[str, Any]) -> Properties:
    region, status = str(args["region"]), args.get("status")
    found = sorted(
        zone["name"]
        for zone in _listed(api, f"{COMPUTE}/projects/{args['project']}/zones")
        if last(str(zone["region"])) == region and status in {None, zone["status"]}
    )
    return {"names": found, "project": args["project"], "region": region}


def _network(api: Api, args: Mapping[str, Any]) -> Properties:
    own_id = f"projects/{args['project']}/global/networks/{args['name']}"
    shown = NETWORK.read(api, own_id)
    return {
        "id": own_id,
        "description": shown.get("description", ""),
        "gatewayIpv4": shown.get("gatewayIpv4", ""),
        "name": shown["name"],
        "networkId": int(shown["networkId"]),
        "numericId": shown["numericId"],
        "project": shown["project"],
        "selfLink": shown["selfLink"],
        "subnetworksSelfLinks": shown.get("subnetworksSelfLinks", []),
    }


def _subnetwork(api: Api, args: Mapping[str, Any]) -> Properties:
    own_id = f"projects/{args['project']}/regions/{args['region']}/subnetworks/{args['name']}"
    shown = {"description": "", "secondaryIpRanges": [], **_SUBNETWORK.read(api, own_id)}
    return {"id": own_id, **{name: shown[name] for name in _SHOWN_OF_SUBNETWORK if name in shown}}


def _listed(api: Api, path: str) -> Iterator[Mapping[str, Any]]:
    """A list over all its pages."""
    token = None
    while True:
        page = api.get(path, {"pageToken": token})
        yield from page.get("items", [])
        token = page.get("nextPageToken")
        if not token:
            return


FUNCTIONS: Final[Mapping[str, Function]] = {
    "gcp:container/getEngineVersions:getEngineVersions": _engine_versions,
    "gcp:compute/getZones:getZones": _zones,
    "gcp:compute/getNetwork:getNetwork": _network,
    "gcp:compute/getSubnetwork:getSubnetwork": _subnetwork,
}
