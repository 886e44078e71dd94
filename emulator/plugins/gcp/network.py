"""Networks, subnetworks, routers and NAT gateways, at the Compute Engine API."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv4Network
from typing import Any, Final

from emulator.plugins.differences import keys
from emulator.plugins.gcp.api import COMPUTE, in_use, outrun
from emulator.plugins.gcp.handler import GoogleHandler
from emulator.plugins.gcp.operations import compute_done
from emulator.plugins.gcp.rows import Rows, alike, to_api, to_pulumi
from emulator.plugins.model import id_of
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.model.gcp.region import COMPUTE_URL
from emulator.plugins.paths import Path
from emulator.plugins.provider import Change, Refused, Request
from emulator.plugins.rest.api import Api, ApiFault
from emulator.plugins.rest.handler import unforgotten
from emulator.plugins.rest.waiting import patiently
from emulator.plugins.values import Properties


class ComputeHandler(GoogleHandler):
    """What the Compute Engine API makes by one path for each kind."""

    named = True
    unique_name = True

    def __init__(
        self, rows: Rows, shown: Rows, *replaced_by: str, places: tuple[str, ...] = ("project",)
    ) -> None:
        self.rows = rows
        self._shown = {**rows, **shown, "name": "name"}
        self.replaced_by = ("name", "project", *replaced_by)
        self.own = self.places = places

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make it and wait until it is there."""
        resource_id = id_of(request.token, inputs, request.name)
        collection = resource_id.rpartition("/")[0]
        body = {"name": inputs["name"], **self.body(inputs)}
        operation = patiently(request, lambda: api.call("POST", f"{COMPUTE}/{collection}", body)).body
        _finish(api, request, resource_id, operation)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = to_pulumi(api.get(f"{COMPUTE}/{resource_id}"), self._shown)
        return {**live, **_place(resource_id)}

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed."""
        names = {str(one.path[0]) for one in self.changes(change)}
        for method, action, body in self.steps(api, request, change, names):
            path = f"{COMPUTE}/{request.id}{action}"
            operation = patiently(request, partial(api.call, method, path, body)).body
            _done(api, request, request.id, operation)

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, as soon as nothing uses it any more."""
        del state

        def attempt() -> None:
            _done(api, request, request.id, api.call("DELETE", f"{COMPUTE}/{request.id}").body)

        patiently(request, attempt, also=in_use)

    def body(self, inputs: Properties) -> Properties:
        """It as the API takes it."""
        return _linked(to_api(inputs, self.rows), inputs)

    def steps(
        self, api: Api, request: Request, change: Change, names: set[str]
    ) -> list[tuple[str, str, Properties]]:
        """Calls that change it: method, action below its path, body."""
        del api, request
        told = {name: change.inputs.get(name) for name in names}
        body = to_api(told, self.rows)
        return [("PATCH", "", body)] if body else []


class SubnetworkHandler(ComputeHandler):
    """Subnetworks, which grow and never shrink."""

    def __init__(self) -> None:
        super().__init__(
            alike(
                "description",
                "ipCidrRange",
                "network",
                "privateIpGoogleAccess",
                "purpose",
                "secondaryIpRanges[].ipCidrRange",
                "secondaryIpRanges[].rangeName",
                "stackType",
            ),
            {
                **alike("creationTimestamp", "fingerprint", "gatewayAddress", "privateIpv6GoogleAccess"),
                "selfLink": "selfLink",
                "subnetworkId": "id",
            },
            "description",
            "network",
            "purpose",
            "region",
            places=("project", "region"),
        )

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = super().read(api, resource_id)
        return {**live, "subnetworkId": int(live["subnetworkId"])}

    def replaces(self, change: Change) -> Callable[[Path], bool]:
        """A range that does not contain the old one is another subnetwork's."""
        names = self.replaced_by if _grows(change) else (*self.replaced_by, "ipCidrRange")
        return keys(*names)

    def steps(
        self, api: Api, request: Request, change: Change, names: set[str]
    ) -> list[tuple[str, str, Properties]]:
        """Range and access have actions of their own; the rest is told with the fingerprint last seen."""
        new = change.inputs
        found: list[tuple[str, str, Properties]] = []
        if "ipCidrRange" in names:
            found.append(("POST", "/expandIpCidrRange", {"ipCidrRange": new["ipCidrRange"]}))
        if "privateIpGoogleAccess" in names:
            wanted = bool(new.get("privateIpGoogleAccess"))
            found.append(("POST", "/setPrivateIpGoogleAccess", {"privateIpGoogleAccess": wanted}))
        rest = names & {"secondaryIpRanges", "stackType"}
        if rest:
            body = to_api({name: new.get(name) for name in rest}, self.rows)
            if "secondaryIpRanges" in rest:
                body.setdefault("secondaryIpRanges", [])
            fingerprint = patiently(request, lambda: api.get(f"{COMPUTE}/{request.id}"))["fingerprint"]
            found.insert(0, ("PATCH", "", {**body, "fingerprint": fingerprint}))
        return found


class RouterNatHandler(GoogleHandler):
    """NAT gateways, which are entries of their router."""

    named = True
    unique_name = True
    replaced_by = ("name", "project", "region", "router", "type", "endpointTypes")
    places = ("project", "region")
    own = ("region", "router")
    rows: Rows = {  # noqa: RUF012 -- a constant of the class
        **alike(
            "enableDynamicPortAllocation",
            "enableEndpointIndependentMapping",
            "endpointTypes",
            "icmpIdleTimeoutSec",
            "logConfig",
            "maxPortsPerVm",
            "minPortsPerVm",
            "natIpAllocateOption",
            "natIps",
            "sourceSubnetworkIpRangesToNat",
            "subnetworks[].name",
            "subnetworks[].secondaryIpRangeNames",
            "tcpEstablishedIdleTimeoutSec",
            "tcpTimeWaitTimeoutSec",
            "tcpTransitoryIdleTimeoutSec",
            "type",
            "udpIdleTimeoutSec",
        ),
        "subnetworks[].sourceIpRangesToNats": "subnetworks[].sourceIpRangesToNat",
    }

    def __init__(self) -> None:
        # A router's gateways are read and written together.
        self._one_at_a_time = threading.Lock()

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Add it to its router."""
        place = {**inputs, "router": last(str(inputs["router"]))}
        resource_id = id_of(request.token, place, request.name)
        mine = self._entry(inputs)

        def added(nats: list[Properties]) -> list[Properties]:
            if any(nat["name"] == mine["name"] for nat in nats):
                raise Refused(f"{request.name}: router {place['router']} has a NAT {mine['name']} already")
            return [*nats, mine]

        with self._one_at_a_time:
            _finish(api, request, resource_id, self._rewrite(api, request, resource_id, added))
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Find it among the gateways of its router."""
        project, region, router, name = resource_id.split("/")
        for nat in api.get(_router_path(resource_id)).get("nats", []):
            if nat["name"] == name:
                place = {"name": name, "project": project, "region": region, "router": router}
                return {**to_pulumi(nat, self.rows), **place}
        raise ApiFault(404, "NOT_FOUND", f"router {router} has no NAT {name}")

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Put it in the place of what it was."""
        mine = self._entry(change.inputs)

        def changed(nats: list[Properties]) -> list[Properties]:
            return [mine if nat["name"] == mine["name"] else nat for nat in nats]

        with self._one_at_a_time:
            _done(api, request, request.id, self._rewrite(api, request, request.id, changed))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Take it out of its router."""
        del state
        name = last(request.id)
        self.read(api, request.id)

        def without(nats: list[Properties]) -> list[Properties]:
            return [nat for nat in nats if nat["name"] != name]

        with self._one_at_a_time:
            _done(api, request, request.id, self._rewrite(api, request, request.id, without))

    def _entry(self, inputs: Properties) -> Properties:
        nat = to_api(inputs, self.rows)
        for subnetwork in nat.get("subnetworks", []):
            subnetwork["name"] = _link("subnetworks", str(subnetwork["name"]), inputs)
        return {"name": inputs["name"], **nat}

    def _rewrite(
        self,
        api: Api,
        request: Request,
        resource_id: str,
        change: Callable[[list[Properties]], list[Properties]],
    ) -> Mapping[str, Any]:
        """Order other gateways for a router; the caller takes care that nobody else does."""
        path = _router_path(resource_id)

        def attempt() -> Any:
            nats = api.get(path).get("nats", [])
            return api.call("PATCH", path, {"nats": change(nats)}).body

        operation: Mapping[str, Any] = patiently(request, attempt, also=outrun)
        return operation


NETWORK: Final = ComputeHandler(
    {
        **alike("autoCreateSubnetworks", "description", "mtu", "networkFirewallPolicyEnforcementOrder"),
        "bgpBestPathSelectionMode": "routingConfig.bgpBestPathSelectionMode",
        "routingMode": "routingConfig.routingMode",
    },
    {
        "gatewayIpv4": "gatewayIPv4",
        "networkId": "id",
        "numericId": "id",
        "selfLink": "selfLink",
        "subnetworksSelfLinks": "subnetworks",
    },
    "autoCreateSubnetworks",
    "description",
)
ROUTER: Final = ComputeHandler(
    alike("bgp", "description", "encryptedInterconnectRouter", "network"),
    alike("creationTimestamp", "selfLink"),
    "encryptedInterconnectRouter",
    "network",
    "region",
    places=("project", "region"),
)


def _finish(api: Api, request: Request, resource_id: str, operation: Mapping[str, Any]) -> None:
    """Wait; whatever ends the waiting, the resource may be there."""
    with unforgotten(resource_id):
        _done(api, request, resource_id, operation)


def _done(api: Api, request: Request, resource_id: str, operation: Mapping[str, Any]) -> None:
    compute_done(api, request, resource_id.removeprefix("projects/").partition("/")[0], operation)


def _grows(change: Change) -> bool:
    """Whether the new range contains the old one; a range that is not known yet does not."""
    try:
        before = IPv4Network(str(change.old_inputs.get("ipCidrRange")))
        return before.subnet_of(IPv4Network(str(change.inputs.get("ipCidrRange"))))
    except ValueError:
        return False


def _linked(body: Properties, inputs: Properties) -> Properties:
    """The body with a link for the name of its network."""
    if "network" in body:
        body["network"] = _link("networks", str(body["network"]), inputs)
    return body


def _link(collection: str, text: str, inputs: Properties) -> str:
    """The link of what a link, a path or a name means."""
    if text.startswith("https://"):
        return text
    if "/" in text:
        return f"{COMPUTE_URL}/{text}"
    place = "global" if collection == "networks" else f"regions/{inputs['region']}"
    return f"{COMPUTE_URL}/projects/{inputs['project']}/{place}/{collection}/{text}"


def _place(resource_id: str) -> Properties:
    """Project and region out of an id."""
    parts = resource_id.split("/")
    project = {"project": parts[1]}
    return {**project, "region": parts[3]} if parts[2] == "regions" else project


def _router_path(resource_id: str) -> str:
    project, region, router, _ = resource_id.split("/")
    return f"{COMPUTE}/projects/{project}/regions/{region}/routers/{router}"
