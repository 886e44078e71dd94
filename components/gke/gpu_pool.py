"""GKE's GPU pools: one whose size is enforced, and one whose size belongs to the cloud's autoscaler.

Both come after the management pool: the cloud adds the taint of GPUs only beside other nodes, and a
pool of GPUs must not be the first home of the cloud's own pods.
"""

from collections.abc import Sequence
from typing import Final

import pulumi

from catalog.names import ROLE_INFERENCE, ROLE_KEY
from components.gke.node_pool import Fixed, Hardware, PoolArgs, Site, UpTo, fixed_pools, pool
from components.inference_nodes import AUTOSCALED, FIXED, labels
from components.part import Part

TAINTS: Final = {ROLE_KEY: ROLE_INFERENCE, "nvidia.com/gpu": "present"}


class FixedGpuPool(Part):
    """GPU nodes for the peak, always; a pool for each zone."""

    def __init__(
        self,
        site: Site,
        hardware: Hardware,
        size: int,
        zones: Sequence[str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("gke:FixedGpuPool", FIXED, after=after)
        args = PoolArgs(hardware, labels(FIXED), TAINTS, zones, Fixed(size))
        self.pools = fixed_pools(FIXED, site, args, self.child())
        self.register_outputs({"poolIds": [made.id for made in self.pools]})


class AutoscaledGpuPool(Part):
    """GPU nodes as the cloud's autoscaler wants them, from none, in whatever zone has them."""

    def __init__(
        self,
        site: Site,
        hardware: Hardware,
        max_nodes: int,
        zones: Sequence[str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("gke:AutoscaledGpuPool", AUTOSCALED, after=after)
        args = PoolArgs(hardware, labels(AUTOSCALED), TAINTS, zones, UpTo(max_nodes))
        # A resize by hand changes the initial count too, which can only be replaced.
        self.pool = pool(AUTOSCALED, site, args, self.child(ignore_changes=["initialNodeCount"]))
        self.register_outputs({"poolId": self.pool.id})
