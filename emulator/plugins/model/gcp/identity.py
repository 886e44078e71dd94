"""What the cloud computes for service accounts, roles, and who has them."""

from collections.abc import Mapping
from typing import Any

from emulator.plugins.model.derived import digest
from emulator.plugins.model.gcp.paths import email_of
from emulator.plugins.model.values import Properties


def account(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Its address, alone and as a member of policies."""
    email = email_of(inputs)
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": resource_id,
        "uniqueId": str(10**20 + int(digest(resource_id, 15), 16)),
    }


def membership(_inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The version of the policy it stands in."""
    return {"etag": f"Bw{digest(resource_id, 9)}="}


def role(_inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The name by which it is given."""
    return {"deleted": False, "name": resource_id}
