"""The ClusterAutoscaler add-on of the dynamic variant, with the identity it acts under."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi

from catalog.timing import Timing
from components.oke.add_ons import add_on
from components.oke.node_pool import Site
from components.oke.workload_policy import WorkloadPolicy
from components.part import Part

NAMESPACE: Final = "kube-system"
SERVICE_ACCOUNT: Final = "cluster-autoscaler"
"""Under which the add-on runs."""


class Autoscaler(Part):
    """Scales some node pools between none and a limit."""

    def __init__(
        self,
        name: str,
        site: Site,
        pools: Sequence[Any],
        *,
        max_nodes: int,
        timing: Timing,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("oke:Autoscaler", name, after=after)
        policy = WorkloadPolicy(
            name,
            compartment_id=site.compartment_id,
            cluster_id=site.cluster_id,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
        )
        ids = pulumi.Output.all(*[pool.id for pool in pools])
        nodes = ids.apply(lambda found: ", ".join(f"0:{max_nodes}:{pool}" for pool in found))
        self.add_on = add_on(
            "ClusterAutoscaler",
            site.cluster_id,
            {"nodes": nodes, **settings(timing)},
            self.child(policy, *pools),
        )
        self.register_outputs({})


def settings(timing: Timing) -> dict[str, str]:
    """The add-on's settings for a pace.

    Model pods have an empty directory for their scratch files, which must not pin a node.
    """
    return {
        "authType": "workload",
        "numOfReplicas": "1",
        "scanInterval": f"{timing.autoscaler_scan_s}s",
        "scaleDownUnneededTime": f"{timing.autoscaler_unneeded_s}s",
        "scaleDownDelayAfterAdd": f"{timing.autoscaler_delay_after_add_s}s",
        "maxNodeProvisionTime": "25m",
        "skipNodesWithLocalStorage": "false",
    }
