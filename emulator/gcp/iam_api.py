"""The IAM and resource manager APIs: service accounts, roles, policies, the project itself."""

from collections.abc import Iterator
from typing import Any, Final

from emulator.cloud.http import Answer
from emulator.gcp.account import PROJECT, PROJECT_NUMBER
from emulator.gcp.accounts import ServiceAccount
from emulator.gcp.errors import not_found, precondition
from emulator.gcp.http import Call, Endpoint, page
from emulator.gcp.policies import PROJECT_RESOURCE
from emulator.gcp.roles import PREDEFINED
from emulator.gcp.world import World

_PROJECTS: Final = "resourcemanager.projects"
_ACCOUNTS: Final = "iam.serviceAccounts"
_ROLES: Final = "iam.roles"


class IamApi:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        project = "/v1/projects/{project}"
        yield Endpoint("POST", f"{project}:getIamPolicy", self._project_policy, f"{_PROJECTS}.getIamPolicy")
        yield Endpoint(
            "POST", f"{project}:setIamPolicy", self._set_project_policy, f"{_PROJECTS}.setIamPolicy"
        )
        yield Endpoint("POST", f"{project}:testIamPermissions", self._test, "")
        yield Endpoint("GET", project, _project, f"{_PROJECTS}.get")
        yield from self._accounts(f"{project}/serviceAccounts")
        yield from self._roles(f"{project}/roles")
        yield Endpoint("GET", "/v1/roles/{role}", _predefined, "")

    def _accounts(self, base: str) -> Iterator[Endpoint]:
        one, of = f"{base}/{{email}}", _resource_of
        yield Endpoint("POST", f"{one}:getIamPolicy", self._policy, f"{_ACCOUNTS}.getIamPolicy", of)
        yield Endpoint("GET", f"{one}:getIamPolicy", self._policy, f"{_ACCOUNTS}.getIamPolicy", of)
        yield Endpoint("POST", f"{one}:setIamPolicy", self._set_policy, f"{_ACCOUNTS}.setIamPolicy", of)
        yield Endpoint("POST", f"{one}:disable", self._disable, f"{_ACCOUNTS}.disable", of)
        yield Endpoint("POST", f"{one}:enable", self._enable, f"{_ACCOUNTS}.enable", of)
        yield Endpoint("POST", base, self._create_account, f"{_ACCOUNTS}.create")
        yield Endpoint("GET", base, self._list_accounts, f"{_ACCOUNTS}.list")
        yield Endpoint(
            "GET", one, lambda call: Answer(self._account(call).json_value()), f"{_ACCOUNTS}.get", of
        )
        yield Endpoint("PATCH", one, self._update_account, f"{_ACCOUNTS}.update", of)
        yield Endpoint("PUT", one, self._update_account, f"{_ACCOUNTS}.update", of)
        yield Endpoint("DELETE", one, self._delete_account, f"{_ACCOUNTS}.delete", of)

    def _roles(self, base: str) -> Iterator[Endpoint]:
        one = f"{base}/{{role}}"
        yield Endpoint("POST", f"{one}:undelete", self._undelete_role, f"{_ROLES}.undelete")
        yield Endpoint("POST", base, self._create_role, f"{_ROLES}.create")
        yield Endpoint("GET", base, self._list_roles, f"{_ROLES}.list")
        yield Endpoint("GET", one, self._get_role, f"{_ROLES}.get")
        yield Endpoint("PATCH", one, self._update_role, f"{_ROLES}.update")
        yield Endpoint("DELETE", one, self._delete_role, f"{_ROLES}.delete")

    def _project_policy(self, _call: Call) -> Answer:
        return Answer(self._world.policies.get(PROJECT_RESOURCE).json_value(PROJECT_RESOURCE))

    def _set_project_policy(self, call: Call) -> Answer:
        policy = self._world.policies.set(PROJECT_RESOURCE, call.object().get("policy") or {})
        return Answer(policy.json_value(PROJECT_RESOURCE))

    def _test(self, call: Call) -> Answer:
        wanted = call.object().get("permissions") or []
        caller = call.principal
        held = [
            permission
            for permission in wanted
            if caller.owns_everything
            or self._world.policies.allow(caller.member, permission, PROJECT_RESOURCE)
        ]
        return Answer({"permissions": held} if held else {})

    def _policy(self, call: Call) -> Answer:
        account = self._account(call)
        return Answer(self._world.policies.get(account.name).json_value(account.name))

    def _set_policy(self, call: Call) -> Answer:
        account = self._account(call)
        policy = self._world.policies.set(account.name, call.object().get("policy") or {})
        return Answer(policy.json_value(account.name))

    def _create_account(self, call: Call) -> Answer:
        wanted = call.object()
        account = self._world.accounts.create(
            str(wanted.get("accountId", "")), wanted.get("serviceAccount") or {}
        )
        return Answer(account.json_value())

    def _list_accounts(self, call: Call) -> Answer:
        return page([account.json_value() for account in self._world.accounts.all()], call, "accounts")

    def _update_account(self, call: Call) -> Answer:
        wanted = call.object()
        details = wanted.get("serviceAccount") if "serviceAccount" in wanted else wanted
        return Answer(self._world.accounts.update(self._account(call), details or {}).json_value())

    def _disable(self, call: Call) -> Answer:
        self._account(call).disabled = True
        return Answer({})

    def _enable(self, call: Call) -> Answer:
        self._account(call).disabled = False
        return Answer({})

    def _delete_account(self, call: Call) -> Answer:
        account = self._account(call)
        self._world.accounts.delete(account)
        self._world.policies.forget(account.name)
        return Answer({})

    def _create_role(self, call: Call) -> Answer:
        wanted = call.object()
        role = self._world.roles.create(str(wanted.get("roleId", "")), wanted.get("role") or {})
        return Answer(role.json_value())

    def _get_role(self, call: Call) -> Answer:
        return Answer(self._world.roles.get(call.parameters["role"]).json_value())

    def _list_roles(self, call: Call) -> Answer:
        roles = self._world.roles.all(deleted=call.flag("showDeleted"))
        return page([role.json_value() for role in roles], call, "roles")

    def _update_role(self, call: Call) -> Answer:
        role = self._world.roles.get(call.parameters["role"])
        return Answer(self._world.roles.update(role, call.object()).json_value())

    def _delete_role(self, call: Call) -> Answer:
        """It stays for a while, to be undeleted; its id cannot be taken again meanwhile."""
        role = self._world.roles.get(call.parameters["role"])
        if role.deleted:
            raise precondition(f"The role {role.name} is already deleted.")
        role.deleted = True
        return Answer(role.json_value())

    def _undelete_role(self, call: Call) -> Answer:
        role = self._world.roles.get(call.parameters["role"])
        if not role.deleted:
            raise precondition(f"The role {role.name} is not deleted.")
        role.deleted = False
        return Answer(role.json_value())

    def _account(self, call: Call) -> ServiceAccount:
        return self._world.accounts.get(call.parameters["email"])


def _resource_of(call: Call) -> str:
    return f"projects/{PROJECT}/serviceAccounts/{call.parameters['email']}"


def _project(_call: Call) -> Answer:
    shown: dict[str, Any] = {
        "projectNumber": PROJECT_NUMBER,
        "projectId": PROJECT,
        "lifecycleState": "ACTIVE",
        "name": PROJECT,
        "createTime": "2026-01-01T00:00:00.000Z",
    }
    return Answer(shown)


def _predefined(call: Call) -> Answer:
    name = f"roles/{call.parameters['role']}"
    permissions = PREDEFINED.get(name)
    if permissions is None:
        raise not_found(f"The role named {name}")
    return Answer({"name": name, "stage": "GA", "includedPermissions": list(permissions)})
