"""Who the nodes are: a service account that may write logs and metrics, and pull images."""

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gke.names import LONGEST_ACCOUNT, google_name
from components.part import Part

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
"""What a node may use is said by roles, not by scopes."""
ROLES: Final = ("roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader")


STREAMING_ROLE: Final = "roles/serviceusage.serviceUsageConsumer"
"""What it takes beside to read an image while it is pulled."""


class NodeIdentity(Part):
    """A service account with the roles every node needs."""

    email: pulumi.Output[str]
    account_id: pulumi.Output[str]
    """Its full name, by which rights on it are given."""

    def __init__(self, stack: str, project: str, *, streaming: bool = False) -> None:
        super().__init__("gke:NodeIdentity", stack)
        account = gcp.serviceaccount.Account(
            f"{stack}-nodes",
            account_id=google_name(stack, "nodes", LONGEST_ACCOUNT),
            project=project,
            display_name=f"Nodes of {stack}",
            opts=self.child(),
        )
        for role in (*ROLES, *((STREAMING_ROLE,) if streaming else ())):
            gcp.projects.IAMMember(
                f"{stack}-nodes-{role.rpartition('.')[2]}",
                project=project,
                role=role,
                member=account.member,
                opts=self.child(),
            )
        self.email, self.account_id = account.email, account.name
        self.register_outputs({"email": self.email})
