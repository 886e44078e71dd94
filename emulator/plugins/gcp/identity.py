"""Service accounts, custom roles, and who has which role."""

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from emulator.plugins.gcp.api import IAM, outrun
from emulator.plugins.gcp.handler import GoogleHandler
from emulator.plugins.gcp.rows import Rows, alike, to_api, to_pulumi
from emulator.plugins.model import id_of
from emulator.plugins.provider import Change, Request
from emulator.plugins.rest.api import Api, ApiFault
from emulator.plugins.rest.handler import unforgotten
from emulator.plugins.rest.waiting import patiently
from emulator.plugins.values import Properties

_MEMBERSHIP: Final = re.compile(
    r"(?P<resource>.+?)/(?P<role>(?:(?:projects|organizations)/[^/]+/)?roles/[^/]+)/(?P<member>.+)"
)
_POLICY_VERSION: Final = 3
_TAKEN: Final = 409


class AccountHandler(GoogleHandler):
    """Service accounts."""

    replaced_by = ("accountId", "project")
    own = ("accountId", "createIgnoreAlreadyExists")
    rows: Rows = alike("description", "disabled", "displayName")

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make it; it may be one that is there already, where the program says so."""
        path = f"{IAM}/projects/{inputs['project']}/serviceAccounts"
        resource_id = id_of(request.token, inputs, request.name)
        body = {"accountId": inputs["accountId"], "serviceAccount": _described(inputs)}
        try:
            patiently(request, lambda: api.call("POST", path, body))
        except ApiFault as fault:
            if not (fault.status == _TAKEN and inputs.get("createIgnoreAlreadyExists")):
                raise
        if inputs.get("disabled"):
            with unforgotten(resource_id):
                patiently(request, lambda: api.call("POST", f"{IAM}/{resource_id}:disable", {}))
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it."""
        live = api.get(f"{IAM}/{resource_id}")
        email = str(live["email"])
        told = to_pulumi(live, {**self.rows, **alike("email", "name", "uniqueId")})
        account, _, project = email.partition(".iam.gserviceaccount.com")[0].partition("@")
        return {**told, "accountId": account, "member": f"serviceAccount:{email}", "project": project}

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what is said of it, or whether it can be used."""
        names = {str(one.path[0]) for one in self.changes(change)}
        if said := sorted(names & {"description", "displayName"}):
            body = {
                "serviceAccount": {name: change.inputs.get(name) or "" for name in said},
                "updateMask": ",".join(said),
            }
            patiently(request, lambda: api.call("PATCH", f"{IAM}/{request.id}", body))
        if "disabled" in names:
            action = "disable" if change.inputs.get("disabled") else "enable"
            patiently(request, lambda: api.call("POST", f"{IAM}/{request.id}:{action}", {}))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it."""
        del state
        patiently(request, lambda: api.call("DELETE", f"{IAM}/{request.id}"))


class CustomRoleHandler(GoogleHandler):
    """Roles of a project's own; one that is deleted can come back under its name."""

    replaced_by = ("project", "roleId")
    own = ("roleId",)
    rows: Rows = {  # noqa: RUF012 -- a constant of the class
        **alike("description", "stage", "title"),
        "permissions": "includedPermissions",
    }

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Define it, or bring it back."""
        resource_id = id_of(request.token, inputs, request.name)
        role = to_api(inputs, self.rows)
        if self._is_deleted(api, request, resource_id):
            patiently(request, lambda: api.call("POST", f"{IAM}/{resource_id}:undelete", {}))
            patiently(request, lambda: api.call("PATCH", f"{IAM}/{resource_id}", role, _mask(role)))
        else:
            body = {"roleId": inputs["roleId"], "role": role}
            path = f"{IAM}/{resource_id.rpartition('/')[0]}"
            patiently(request, lambda: api.call("POST", path, body))
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it; a deleted one is not there."""
        live = api.get(f"{IAM}/{resource_id}")
        if live.get("deleted"):
            raise ApiFault(404, "NOT_FOUND", f"role {resource_id} is deleted")
        _, project, _, role_id = resource_id.split("/")
        told = to_pulumi(live, {**self.rows, "name": "name"})
        return {**told, "project": project, "roleId": role_id}

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed."""
        names = {str(one.path[0]) for one in self.changes(change)}
        body = {there: "" for here, there in self.rows.items() if here in names}
        body |= to_api({name: change.inputs.get(name) for name in names}, self.rows)
        if body:
            patiently(request, lambda: api.call("PATCH", f"{IAM}/{request.id}", body, _mask(body)))

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Delete it; the API remembers it for some weeks."""
        del state
        self.read(api, request.id)
        patiently(request, lambda: api.call("DELETE", f"{IAM}/{request.id}"))

    def _is_deleted(self, api: Api, request: Request, resource_id: str) -> bool:
        try:
            live = patiently(request, lambda: api.get(f"{IAM}/{resource_id}"))
        except ApiFault as fault:
            if fault.gone:
                return False
            raise
        return bool(live.get("deleted"))


class MemberHandler(GoogleHandler):
    """One member of one role, on a project or on a service account.

    A policy is read and written whole, so the API refuses who read it before somebody else wrote.
    """

    rows: Rows = {}  # noqa: RUF012 -- a constant of the class
    of_others = ("etag",)

    def __init__(self, resource: str, prefix: str = "") -> None:
        """Handle memberships.

        Args:
            resource: the input that names what the policy belongs to.
            prefix: what the API's path of it has before the input.
        """
        self._prefix = prefix
        self.own = (resource, "member", "role")
        self.replaced_by = self.own
        self._resource = resource
        self.places = ("project",) if resource == "project" else ()
        self._one_at_a_time = threading.Lock()

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Add the member."""
        role, member = str(inputs["role"]), str(inputs["member"])

        def added(bindings: list[Properties]) -> list[Properties]:
            binding = _binding(bindings, role)
            if binding is None:
                return [*bindings, {"role": role, "members": [member]}]
            if not _has(binding, member):
                binding["members"].append(member)
            return bindings

        self._rewrite(api, request, str(inputs[self._resource]), added)
        return id_of(request.token, inputs, request.name)

    def read(self, api: Api, resource_id: str) -> Properties:
        """Find the member in the policy."""
        resource, role, member = _parts(resource_id)
        policy = self._policy(api, resource)
        binding = _binding(policy.get("bindings", []), role)
        if binding is None or not _has(binding, member):
            raise ApiFault(404, "NOT_FOUND", f"{member} has no role {role} on {resource}")
        return {self._resource: resource, "role": role, "member": member, "etag": policy["etag"]}

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Everything about a membership replaces it."""

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Take the member out."""
        del state
        self.read(api, request.id)
        resource, role, member = _parts(request.id)

        def without(bindings: list[Properties]) -> list[Properties]:
            binding = _binding(bindings, role)
            if binding is not None:
                binding["members"] = [one for one in binding["members"] if one.lower() != member.lower()]
            return [one for one in bindings if one.get("members")]

        self._rewrite(api, request, resource, without)

    def _rewrite(
        self,
        api: Api,
        request: Request,
        resource: str,
        change: Callable[[list[Properties]], list[Properties]],
    ) -> None:
        def attempt() -> None:
            policy = self._policy(api, resource)
            policy["bindings"] = change(policy.get("bindings", []))
            api.call("POST", f"{IAM}/{self._prefix}{resource}:setIamPolicy", {"policy": policy})

        with self._one_at_a_time:
            patiently(request, attempt, also=outrun)

    def _policy(self, api: Api, resource: str) -> Properties:
        path = f"{IAM}/{self._prefix}{resource}:getIamPolicy"
        wanted = {"options": {"requestedPolicyVersion": _POLICY_VERSION}}
        # A service account's policy is asked for without a body.
        if self._prefix:
            policy: Properties = api.call("POST", path, wanted).body
        else:
            query = {"options.requestedPolicyVersion": _POLICY_VERSION}
            policy = api.call("POST", path, query=query).body
        return policy


def _described(inputs: Properties) -> Properties:
    return {name: inputs[name] for name in ("description", "displayName") if inputs.get(name)}


def _mask(body: Properties) -> Properties:
    return {"updateMask": ",".join(sorted(body))}


def _binding(bindings: list[Properties], role: str) -> Properties | None:
    """The binding of a role that has no condition."""
    return next((one for one in bindings if one["role"] == role and not one.get("condition")), None)


def _has(binding: Properties, member: str) -> bool:
    """Whether somebody is in it; addresses have no case."""
    members: list[Any] = binding.get("members", [])
    return member.lower() in {str(one).lower() for one in members}


def _parts(resource_id: str) -> tuple[str, str, str]:
    """Resource, role and member out of an id; roles and members may have slashes."""
    found = _MEMBERSHIP.fullmatch(resource_id)
    if found is None:
        raise ApiFault(404, "NOT_FOUND", f"{resource_id} is no id of a membership")
    return found["resource"], found["role"], found["member"]
