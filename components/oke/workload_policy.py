"""IAM policy for the workload identity of one ServiceAccount of one cluster."""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_oci as oci

from components.part import Part

NODE_POOL_VERBS: Final = (
    "manage cluster-node-pools",
    "manage instance-family",
    "use subnets",
    "read virtual-network-family",
    "use vnics",
    "inspect compartments",
    "read clusters",
    "read cluster-work-requests",
    "use network-security-groups",
    "use private-ips",
)
"""What it takes to add and remove nodes; `use` is too weak for the pools themselves."""


class WorkloadPolicy(Part):
    """Lets the pods of a ServiceAccount do what the verbs say, in the compartment."""

    def __init__(
        self,
        name: str,
        *,
        compartment_id: str,
        cluster_id: pulumi.Output[str],
        namespace: str,
        service_account: str,
        verbs: Sequence[str] = NODE_POOL_VERBS,
    ) -> None:
        super().__init__("oke:WorkloadPolicy", name)
        self.policy = oci.identity.Policy(
            name,
            name=name,
            compartment_id=compartment_id,
            description=f"{service_account} in {namespace} adds and removes nodes of its cluster",
            statements=cluster_id.apply(
                lambda cluster: [
                    statement(verb, compartment_id, namespace, service_account, cluster) for verb in verbs
                ]
            ),
            opts=self.child(),
        )
        self.register_outputs({"policyId": self.policy.id})


def statement(verb: str, compartment_id: str, namespace: str, service_account: str, cluster_id: str) -> str:
    """One statement: the verb, for this ServiceAccount of this cluster only."""
    return (
        f"Allow any-user to {verb} in compartment id {compartment_id} where ALL "
        f"{{request.principal.type='workload', request.principal.namespace='{namespace}', "
        f"request.principal.service_account='{service_account}', request.principal.cluster_id='{cluster_id}'}}"
    )
