"""Policies: who has which role, on the project and on each service account."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.gcp.account import OWNER, PROJECT
from emulator.gcp.accounts import ServiceAccounts
from emulator.gcp.errors import GoogleError, aborted, invalid
from emulator.gcp.roles import Roles
from emulator.gcp.state import digest

PROJECT_RESOURCE: Final = f"projects/{PROJECT}"
_MEMBER: Final = re.compile(r"^(user|group|domain|serviceAccount|principal|principalSet):\S+$")
_ANYONE: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_POOL_MEMBER: Final = re.compile(r"^serviceAccount:(?P<pool>[a-z0-9-]+\.svc\.id\.goog)\[[^/\]]+/[^/\]]+\]$")


@dataclass(slots=True)
class Policy:
    """The policy of one resource."""

    bindings: list[dict[str, Any]] = field(default_factory=list)
    version: int = 0

    def json_value(self, resource: str) -> dict[str, Any]:
        """As the API shows it."""
        shown: dict[str, Any] = {"version": 1, "etag": self.etag(resource)}
        return {**shown, "bindings": self.bindings} if self.bindings else shown

    def etag(self, resource: str) -> str:
        """Of this version."""
        return digest(f"{resource}/{self.version}", 12)


class Policies:
    """The policies of every resource, and the question they answer."""

    def __init__(self, accounts: ServiceAccounts, roles: Roles, pools: Callable[[], frozenset[str]]) -> None:
        """`pools` names the identity pools there are: each comes with the first cluster that uses it."""
        self._accounts = accounts
        self._roles = roles
        self._pools = pools
        owner = {"role": "roles/owner", "members": [f"serviceAccount:{OWNER}"]}
        self._all: dict[str, Policy] = {PROJECT_RESOURCE: Policy([owner])}

    def get(self, resource: str) -> Policy:
        """The policy of a resource; empty when none was ever set."""
        return self._all.get(resource) or Policy()

    def set(self, resource: str, wanted: Mapping[str, Any]) -> Policy:
        """Replace a policy.

        Raises:
            ApiError: 409 when it has changed since it was read, 400 with every fault.
        """
        before = self.get(resource)
        if wanted.get("etag") not in {None, "", before.etag(resource)}:
            raise aborted(
                "There were concurrent policy changes. Please retry the whole read-modify-write with "
                "exponential backoff."
            )
        bindings = wanted.get("bindings") or []
        faults = [fault for binding in bindings for fault in self._faults(binding)]
        if faults:
            raise invalid("; ".join(faults))
        policy = Policy([dict(binding) for binding in bindings if binding.get("members")], before.version + 1)
        self._all[resource] = policy
        return policy

    def forget(self, resource: str) -> None:
        """The resource is gone."""
        self._all.pop(resource, None)

    def roles_of(self, member: str, resource: str) -> Iterator[str]:
        """Roles that a policy gives to a member; bindings with a condition give nothing here."""
        for binding in self.get(resource).bindings:
            if not binding.get("condition") and {member, *_ANYONE} & set(binding["members"]):
                yield binding["role"]

    def allow(self, member: str, permission: str, *resources: str) -> bool:
        """Whether the policy of one of the resources gives the member a role with that permission."""
        return any(
            self._roles.grants(role, permission)
            for resource in resources
            for role in self.roles_of(member, resource)
        )

    def _faults(self, binding: Mapping[str, Any]) -> Iterator[str]:
        try:
            self._roles.check(str(binding.get("role", "")))
        except GoogleError as refusal:
            yield str(refusal)
        for member in binding.get("members") or ():
            if member not in _ANYONE and not _MEMBER.match(str(member)):
                yield f"Invalid member '{member}'; expected for example serviceAccount:EMAIL"
                continue
            yield from self._missing(str(member))

    def _missing(self, member: str) -> Iterator[str]:
        in_pool = _POOL_MEMBER.match(member)
        if in_pool is not None:
            if in_pool["pool"] not in self._pools():
                yield f"Identity Pool does not exist ({in_pool['pool']}). Please check that you specified a valid resource name"
            return
        kind, _, email = member.partition(":")
        if kind == "serviceAccount" and self._accounts.find(email) is None:
            yield f"Service account {email} does not exist."
