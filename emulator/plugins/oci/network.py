"""Network and identity resources: made at once, by one path for each kind."""

from typing import Final

from emulator.plugins.oci.api import CORE
from emulator.plugins.oci.handler import OracleHandler
from emulator.plugins.oci.waiting import in_use
from emulator.plugins.oci.wording import Words, to_api, to_pulumi
from emulator.plugins.provider import Change, Refused, Request
from emulator.plugins.rest.api import Api, ApiFault
from emulator.plugins.rest.handler import changes_of
from emulator.plugins.rest.waiting import patiently
from emulator.plugins.values import Properties

_WORDS: Final[Words] = {
    "state": "lifecycleState",
    "isIpv6enabled": "isIpv6Enabled",
    "byoipv6cidrBlocks": "byoipv6CidrBlocks",
    "ipv4cidrBlocks": "ipv4CidrBlocks",
    "ipv6cidrBlocks": "ipv6CidrBlocks",
    "ipv6privateCidrBlocks": "ipv6PrivateCidrBlocks",
}
_RULES: Final = ("egressSecurityRules", "ingressSecurityRules")


class NetworkHandler(OracleHandler):
    """Resources of the core and identity APIs."""

    def __init__(self, path: str, *replaced_by: str, words: Words | None = None) -> None:
        self._path = f"{CORE}/{path}"
        self.replaced_by = replaced_by
        self.words = {**_WORDS, **(words or {})}

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make it."""
        body = to_api(inputs, self.words)
        return str(patiently(request, lambda: api.call("POST", self._path, body)).body["id"])

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        shown: Properties = to_pulumi(api.get(f"{self._path}/{resource_id}"), self.words)
        return shown

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed."""
        body = to_api(changes_of(change), self.words)
        patiently(request, lambda: api.call("PUT", f"{self._path}/{request.id}", body))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, as soon as nothing uses it any more."""
        del state
        patiently(request, lambda: api.call("DELETE", f"{self._path}/{request.id}"), also=in_use)


class SecurityListHandler(NetworkHandler):
    """Security lists, without rules: what may pass is said by security groups here."""

    def __init__(self) -> None:
        super().__init__("securityLists", "compartmentId", "vcnId")

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make an empty one."""
        for name in _RULES:
            if inputs.get(name):
                raise Refused(
                    f"{request.name}: {name}: the emulated cloud takes security lists without rules only; "
                    f"use network security groups"
                )
        return super().create(api, request, {**inputs, **{name: [] for name in _RULES}})


class PolicyHandler(NetworkHandler):
    """Policies, whose names are unique in their compartment."""

    named = True
    unique_name = True

    def __init__(self) -> None:
        super().__init__("policies", "compartmentId", "name")


class SecurityRuleHandler(OracleHandler):
    """Rules of a network security group; their ids are unique in it only."""

    replaced_by = ("networkSecurityGroupId",)
    words: Words = {"stateless": "isStateless"}  # noqa: RUF012 -- a constant of the class

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Add it to its group."""
        group = str(inputs["networkSecurityGroupId"])
        body = {"securityRules": [self._body(inputs)]}
        path = f"{_group_path(group)}/actions/addSecurityRules"
        added = patiently(request, lambda: api.call("POST", path, body)).body
        return _joined(group, str(added["securityRules"][0]["id"]))

    def read(self, api: Api, resource_id: str) -> Properties:
        """Find it among the rules of its group."""
        group, rule_id = _parts(resource_id)
        for rule in api.get(f"{_group_path(group)}/securityRules"):
            if rule["id"] == rule_id:
                shown: Properties = to_pulumi({**rule, "networkSecurityGroupId": group}, self.words)
                return shown
        raise ApiFault(404, "NotAuthorizedOrNotFound", f"security rule {rule_id}")

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Replace it under its id."""
        group, rule_id = _parts(request.id)
        body = {"securityRules": [{**self._body(change.inputs), "id": rule_id}]}
        path = f"{_group_path(group)}/actions/updateSecurityRules"
        patiently(request, lambda: api.call("POST", path, body))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Take it out of its group."""
        del state
        group, rule_id = _parts(request.id)
        path = f"{_group_path(group)}/actions/removeSecurityRules"
        patiently(request, lambda: api.call("POST", path, {"securityRuleIds": [rule_id]}))

    def _body(self, inputs: Properties) -> Properties:
        given = {name: value for name, value in inputs.items() if name != "networkSecurityGroupId"}
        body: Properties = to_api(given, self.words)
        return body


def _group_path(group: str) -> str:
    return f"{CORE}/networkSecurityGroups/{group}"


def _joined(group: str, rule_id: str) -> str:
    """The id in Oracle's provider."""
    return f"networkSecurityGroups/{group}/securityRules/{rule_id}"


def _parts(resource_id: str) -> tuple[str, str]:
    parts = resource_id.split("/")
    return parts[1], parts[3]
