"""The `oci` provider: keeps nothing, everything stands in the emulated cloud."""
# ruff: noqa: ARG002, D102 -- the methods are described where they are declared

import hashlib
import importlib.metadata
from collections.abc import Mapping
from typing import Final

from emulator.plugins.differences import Difference, between, keys
from emulator.plugins.model import outputs_of
from emulator.plugins.model.values import laid_over
from emulator.plugins.oci.api import Api, ApiFault, Unreachable
from emulator.plugins.oci.engine import AddonHandler, EngineHandler
from emulator.plugins.oci.functions import UnknownFunction, answer
from emulator.plugins.oci.handler import HalfMade, Handler, unless_gone
from emulator.plugins.oci.network import (
    NetworkHandler,
    PolicyHandler,
    SecurityListHandler,
    SecurityRuleHandler,
)
from emulator.plugins.oci.waiting import Unfinished
from emulator.plugins.oci.wording import read_back
from emulator.plugins.provider import Change, Checked, Found, InitFailed, Made, Provider, Refused, Request
from emulator.plugins.values import Properties

_DIGITS: Final = 7
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


class OciProvider(Provider):
    """All provider resources speak to the one emulated account of the emulator's home."""

    name = "oci"

    def __init__(self, api: Api | None = None) -> None:
        self.version = importlib.metadata.version("pulumi-oci")
        self._api = api or Api()

    def configure(self, inputs: Properties, variables: Mapping[str, str]) -> None:
        """Nothing: there is one account and one region."""

    def check(self, request: Request, old: Properties, new: Properties, seed: bytes) -> Checked:
        handler = _handler(request.token)
        if not handler.named or new.get("name") is not None:
            return Checked(new)
        kept = str(old.get("name", ""))
        digits = hashlib.sha256(seed + request.urn.encode()).hexdigest()[:_DIGITS]
        same = kept.startswith(f"{request.name}-")
        return Checked({**new, "name": kept if same else f"{request.name}-{digits}"})

    def diff(self, request: Request, change: Change) -> Difference:
        handler = _handler(request.token)
        changes = between(
            change.old_inputs, change.inputs, ignored=change.ignored, replaces=keys(*handler.replaced_by)
        )
        same_name = change.old_inputs.get("name") == change.inputs.get("name")
        return Difference(changes, handler.unique_name and same_name)

    def create(self, request: Request, inputs: Properties) -> Made:
        handler = _handler(request.token)
        if request.preview:
            return Made("", inputs)
        try:
            resource_id = handler.create(self._api, request, inputs)
            return Made(resource_id, self._outputs(request, handler, resource_id, inputs))
        except HalfMade as fault:
            made = Made(fault.id, self._outputs(request, handler, fault.id, inputs))
            raise InitFailed(made, inputs, [fault.reason]) from fault
        except (ApiFault, Unreachable) as fault:
            raise Refused(str(fault)) from fault

    def read(self, request: Request, inputs: Properties, outputs: Properties) -> Found | None:
        handler = _handler(request.token)
        if not inputs:
            raise Refused(f"{request.token} {request.id}: the emulated cloud cannot import resources")
        try:
            live = handler.read(self._api, request.id)
        except ApiFault as fault:
            if fault.gone:
                return None
            raise Refused(str(fault)) from fault
        except Unreachable as fault:
            raise Refused(str(fault)) from fault
        now = read_back(inputs, live)
        return Found(request.id, _shown(request.token, now, request.id, live), now)

    def update(self, request: Request, change: Change) -> Properties:
        handler = _handler(request.token)
        if request.preview:
            return laid_over(change.outputs, change.inputs)
        try:
            handler.update(self._api, request, change)
            return self._outputs(request, handler, request.id, change.inputs)
        except HalfMade as fault:
            made = Made(fault.id, self._outputs(request, handler, fault.id, change.inputs))
            raise InitFailed(made, change.inputs, [fault.reason]) from fault
        except (ApiFault, Unreachable) as fault:
            raise Refused(str(fault)) from fault

    def delete(self, request: Request, inputs: Properties, outputs: Properties) -> None:
        handler = _handler(request.token)
        try:
            unless_gone(lambda: handler.delete(self._api, request, inputs or outputs))
        except (ApiFault, Unfinished, Unreachable) as fault:
            raise Refused(str(fault)) from fault

    def invoke(self, token: str, args: Properties) -> Properties:
        try:
            return answer(self._api, token, args)
        except (ApiFault, UnknownFunction, Unreachable) as fault:
            raise Refused(str(fault)) from fault

    def _outputs(
        self, request: Request, handler: Handler, resource_id: str, inputs: Properties
    ) -> Properties:
        return _shown(request.token, inputs, resource_id, handler.read(self._api, resource_id))


def _handler(token: str) -> Handler:
    try:
        return HANDLERS[token]
    except KeyError:
        raise Refused(
            f"{token}: the emulated cloud has no such resource; it has {', '.join(sorted(HANDLERS))}"
        ) from None


def _shown(token: str, inputs: Properties, resource_id: str, live: Properties) -> Properties:
    """Outputs by the model, with what the cloud itself says laid over them."""
    model = outputs_of(token, inputs, resource_id)
    return {**model, **{name: value for name, value in live.items() if name in model}}
