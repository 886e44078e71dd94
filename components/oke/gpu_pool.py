"""OKE's GPU pools: one whose size is enforced, and one whose size belongs to the autoscaler."""

from collections.abc import Sequence
from typing import Any, Final

from catalog.names import ROLE_INFERENCE, ROLE_KEY
from components.inference_nodes import AUTOSCALED, FIXED, labels
from components.oke.node_pool import Hardware, PoolArgs, Site, pool
from components.part import Part

TAINT: Final = f"{ROLE_KEY}={ROLE_INFERENCE}:NoSchedule"


class FixedGpuPool(Part):
    """GPU nodes for the peak, always."""

    def __init__(self, site: Site, hardware: Hardware, size: int, domains: Sequence[str]) -> None:
        super().__init__("oke:FixedGpuPool", FIXED)
        args = PoolArgs(hardware, labels(FIXED), (TAINT,), size, domains)
        self.pool = pool(FIXED, site, args, self.child())
        self.register_outputs({"poolId": self.pool.id})


class AutoscaledGpuPool(Part):
    """GPU nodes as the Cluster Autoscaler wants them, from none.

    It takes a pool's zone from the first placement only: one pool for each availability domain.
    """

    def __init__(self, site: Site, hardware: Hardware, domains: Sequence[str]) -> None:
        super().__init__("oke:AutoscaledGpuPool", AUTOSCALED)
        self.pools: list[Any] = [
            pool(
                AUTOSCALED if index == 1 else f"{AUTOSCALED}-{index}",
                site,
                PoolArgs(hardware, labels(AUTOSCALED), (TAINT,), 0, [domain]),
                self.child(ignore_changes=["nodeConfigDetails.size"]),
            )
            for index, domain in enumerate(domains, start=1)
        ]
        self.register_outputs({"poolIds": [made.id for made in self.pools]})
