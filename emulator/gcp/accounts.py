"""Service accounts of the project."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.gcp.account import DEFAULT_NODES, OWNER, PROJECT
from emulator.gcp.errors import already_exists, invalid, not_found
from emulator.gcp.state import digest, number_of

_ID: Final = re.compile(r"^[a-z]([a-z0-9-]{4,28}[a-z0-9])$")
_LONGEST_NAME: Final = 100


@dataclass(slots=True)
class ServiceAccount:
    """A service account."""

    email: str
    display_name: str = ""
    description: str = ""
    disabled: bool = False
    version: int = 1

    @property
    def name(self) -> str:
        """Path below the API's root."""
        return f"projects/{PROJECT}/serviceAccounts/{self.email}"

    @property
    def member(self) -> str:
        """As policies name it."""
        return f"serviceAccount:{self.email}"

    def json_value(self) -> dict[str, Any]:
        """As the API shows it."""
        number = number_of(self.name)
        shown = {
            "name": self.name,
            "projectId": PROJECT,
            "uniqueId": number,
            "oauth2ClientId": number,
            "email": self.email,
            "displayName": self.display_name,
            "description": self.description,
            "etag": digest(f"{self.name}/{self.version}", 12),
        }
        return {key: value for key, value in shown.items() if value} | (
            {"disabled": True} if self.disabled else {}
        )


class ServiceAccounts:
    """Those there are; two exist from the beginning."""

    def __init__(self) -> None:
        self._all = {
            OWNER: ServiceAccount(OWNER, "Owner"),
            DEFAULT_NODES: ServiceAccount(DEFAULT_NODES, "Compute Engine default service account"),
        }

    def all(self) -> Iterator[ServiceAccount]:
        """Every account, oldest first."""
        return iter(tuple(self._all.values()))

    def find(self, email: str) -> ServiceAccount | None:
        """An account, or None."""
        return self._all.get(email)

    def get(self, email: str) -> ServiceAccount:
        """An account.

        Raises:
            ApiError: 404.
        """
        account = self._all.get(email)
        if account is None:
            raise not_found(f"Service account {email}")
        return account

    def create(self, account_id: str, details: Mapping[str, Any]) -> ServiceAccount:
        """Make an account.

        Raises:
            ApiError: 400 for its id, 409 when there is such an account.
        """
        if not _ID.match(account_id):
            raise invalid(
                f"accountId: '{account_id}' must have 6 to 30 lowercase letters, digits and dashes, "
                "and begin with a letter"
            )
        email = f"{account_id}@{PROJECT}.iam.gserviceaccount.com"
        if email in self._all:
            raise already_exists(f"Service account {account_id} in project {PROJECT}")
        account = ServiceAccount(email)
        self.update(account, details)
        self._all[email] = account
        return account

    def update(self, account: ServiceAccount, details: Mapping[str, Any]) -> ServiceAccount:
        """Change what is said of an account.

        Raises:
            ApiError: 400.
        """
        name = details.get("displayName", account.display_name)
        if len(name) > _LONGEST_NAME:
            raise invalid(f"displayName: '{name}' is longer than {_LONGEST_NAME} characters")
        account.display_name = name
        account.description = details.get("description", account.description)
        account.version += 1
        return account

    def delete(self, account: ServiceAccount) -> None:
        """Remove an account."""
        del self._all[account.email]
