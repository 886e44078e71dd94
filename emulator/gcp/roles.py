"""Roles: the predefined ones that this project meets, and those that a project defines itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from emulator.gcp.account import PROJECT
from emulator.gcp.errors import already_exists, invalid, not_found
from emulator.gcp.state import digest

WORKLOAD_USER: Final = "roles/iam.workloadIdentityUser"
PREDEFINED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "roles/owner": ("*",),
        "roles/editor": ("container.*", "compute.*", "iam.serviceAccounts.actAs", "*.get", "*.list"),
        "roles/viewer": ("*.get", "*.list"),
        "roles/container.admin": ("container.*",),
        "roles/container.clusterAdmin": ("container.clusters.*", "container.operations.*"),
        "roles/container.clusterViewer": ("container.clusters.get", "container.clusters.list"),
        "roles/container.developer": ("container.clusters.get", "container.clusters.list"),
        "roles/container.viewer": ("container.*.get", "container.*.list"),
        "roles/container.defaultNodeServiceAccount": (
            "logging.logEntries.create",
            "monitoring.metricDescriptors.*",
            "monitoring.timeSeries.*",
        ),
        "roles/compute.admin": ("compute.*",),
        "roles/compute.instanceAdmin.v1": (
            "compute.instances.*",
            "compute.instanceGroupManagers.*",
            "compute.zoneOperations.*",
            "compute.machineTypes.*",
        ),
        "roles/compute.networkAdmin": ("compute.networks.*", "compute.subnetworks.*", "compute.routers.*"),
        "roles/compute.viewer": ("compute.*.get", "compute.*.list"),
        "roles/iam.roleAdmin": ("iam.roles.*",),
        "roles/iam.serviceAccountAdmin": ("iam.serviceAccounts.*",),
        "roles/iam.serviceAccountUser": (
            "iam.serviceAccounts.actAs",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
        ),
        "roles/iam.serviceAccountTokenCreator": ("iam.serviceAccounts.getAccessToken",),
        WORKLOAD_USER: (
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.list",
        ),
        "roles/resourcemanager.projectIamAdmin": (
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setIamPolicy",
        ),
        "roles/artifactregistry.reader": ("artifactregistry.repositories.downloadArtifacts",),
        "roles/logging.logWriter": ("logging.logEntries.create",),
        "roles/monitoring.metricWriter": ("monitoring.timeSeries.create",),
        "roles/monitoring.viewer": ("monitoring.*.get", "monitoring.*.list"),
        "roles/serviceusage.serviceUsageConsumer": ("serviceusage.services.use",),
        "roles/stackdriver.resourceMetadata.writer": ("stackdriver.resourceMetadata.write",),
    }
)
"""What each lets do; a star stands for any part of a permission's name."""
_ID: Final = re.compile(r"^[A-Za-z0-9_.]{3,64}$")
_PERMISSION: Final = re.compile(r"^[a-z]+(\.[a-zA-Z]+){2}$")
_STAGES: Final = ("ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP")


@dataclass(slots=True)
class CustomRole:
    """A role that the project defines itself."""

    id: str
    title: str
    description: str
    stage: str
    permissions: tuple[str, ...]
    deleted: bool = False
    version: int = 1

    @property
    def name(self) -> str:
        """As policies name it."""
        return f"projects/{PROJECT}/roles/{self.id}"

    def json_value(self) -> dict[str, Any]:
        """As the API shows it."""
        shown: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "includedPermissions": list(self.permissions),
            "stage": self.stage,
            "etag": digest(f"{self.name}/{self.version}", 12),
        }
        return {key: value for key, value in shown.items() if value} | (
            {"deleted": True} if self.deleted else {}
        )


class Roles:
    """Every role that can be given."""

    def __init__(self) -> None:
        self._custom: dict[str, CustomRole] = {}

    def grants(self, role: str, permission: str) -> bool:
        """Whether a role has a permission; a role that is gone has none."""
        patterns = PREDEFINED.get(role)
        if patterns is not None:
            return any(_covers(pattern, permission) for pattern in patterns)
        custom = self._custom.get(role.rsplit("/", 1)[-1])
        return (
            custom is not None
            and custom.name == role
            and not custom.deleted
            and custom.stage != "DISABLED"
            and permission in custom.permissions
        )

    def check(self, role: str) -> None:
        """Refuse a role that does not exist.

        Raises:
            ApiError: 400.
        """
        custom = self._custom.get(role.rsplit("/", 1)[-1])
        if role not in PREDEFINED and (custom is None or custom.name != role or custom.deleted):
            raise invalid(f"Role {role} is not supported for this resource.")

    def all(self, *, deleted: bool) -> Iterator[CustomRole]:
        """Custom roles, oldest first."""
        return (role for role in self._custom.values() if deleted or not role.deleted)

    def get(self, role_id: str) -> CustomRole:
        """A custom role; one that was deleted is still shown, as such.

        Raises:
            ApiError: 404.
        """
        role = self._custom.get(role_id)
        if role is None:
            raise not_found(f"The role named projects/{PROJECT}/roles/{role_id}")
        return role

    def create(self, role_id: str, details: Mapping[str, Any]) -> CustomRole:
        """Define a role.

        Raises:
            ApiError: 400 with every fault, 409 when there is such a role.
        """
        if not _ID.match(role_id):
            raise invalid(f"roleId: '{role_id}' must have 3 to 64 letters, digits, underscores and periods")
        if role_id in self._custom:
            raise already_exists(f"A role named {role_id} in projects/{PROJECT}")
        role = CustomRole(role_id, "", "", "GA", ())
        _change(role, details)
        self._custom[role_id] = role
        return role

    def update(self, role: CustomRole, details: Mapping[str, Any]) -> CustomRole:
        """Change a role.

        Raises:
            ApiError: 400 with every fault.
        """
        _change(role, details)
        role.version += 1
        return role


def _change(role: CustomRole, details: Mapping[str, Any]) -> None:
    permissions = details.get("includedPermissions", role.permissions)
    stage = details.get("stage", role.stage)
    faults = [
        f"includedPermissions: '{each}' is no permission; expected service.resource.verb"
        for each in permissions
        if not _PERMISSION.match(str(each))
    ]
    if stage not in _STAGES:
        faults.append(f"stage: '{stage}' must be one of {', '.join(_STAGES)}")
    if faults:
        raise invalid("; ".join(faults))
    role.permissions, role.stage = tuple(permissions), stage
    role.title = details.get("title", role.title)
    role.description = details.get("description", role.description)


def _covers(pattern: str, permission: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), permission) is not None
