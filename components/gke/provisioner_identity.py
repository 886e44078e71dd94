"""Who the provisioner is at the cloud: a custom role of least rights, by workload identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gke.names import LONGEST_ACCOUNT, google_name, role_id
from components.gke.node_identity import NodeIdentity
from components.part import Part

ANNOTATION: Final = "iam.gke.io/gcp-service-account"
"""Of the Kubernetes ServiceAccount: whom it acts as."""
PERMISSIONS: Final = (
    "compute.instanceGroupManagers.get",
    "compute.instanceGroupManagers.update",
    "container.clusters.get",
    "container.clusters.update",
    "container.operations.get",
)
"""What it takes to add and remove nodes; node pools have no permission of their own."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A ServiceAccount of the cluster."""

    namespace: str
    name: str


class ProvisionerIdentity(Part):
    """A service account that pods of one ServiceAccount act as."""

    email: pulumi.Output[str]

    def __init__(
        self,
        stack: str,
        project: str,
        workload: Workload,
        nodes: NodeIdentity,
        after: Sequence[pulumi.Resource],
    ) -> None:
        """Declare it; it has to come after a cluster, which brings the project's pool of identities."""
        super().__init__("gke:ProvisionerIdentity", stack, after=after)
        name = f"{stack}-{workload.name}"
        account = gcp.serviceaccount.Account(
            name,
            account_id=google_name(stack, "provisioner", LONGEST_ACCOUNT),
            project=project,
            display_name=f"Provisioner of {stack}",
            opts=self.child(),
        )
        role = gcp.projects.IAMCustomRole(
            name,
            role_id=role_id(stack),
            project=project,
            title=f"Provisioner of {stack}",
            description="Adds and removes nodes of its cluster",
            permissions=list(PERMISSIONS),
            opts=self.child(),
        )
        gcp.projects.IAMMember(
            name, project=project, role=role.name, member=account.member, opts=self.child()
        )
        gcp.serviceaccount.IAMMember(
            f"{name}-uses-nodes",
            service_account_id=nodes.account_id,
            role="roles/iam.serviceAccountUser",
            member=account.member,
            opts=self.child(),
        )
        gcp.serviceaccount.IAMMember(
            f"{name}-workload",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{project}.svc.id.goog[{workload.namespace}/{workload.name}]",
            opts=self.child(),
        )
        self.email = account.email
        self.register_outputs({"email": self.email})
