"""The static pool that carries everything but models: system pods, provisioner, load generator."""

from collections.abc import Sequence

from catalog.names import ROLE_KEY, ROLE_MANAGEMENT
from components.gke.node_pool import Fixed, Hardware, PoolArgs, Site, fixed_pools
from components.part import Part


class ManagementPool(Part):
    """Nodes spread over the zones, without a taint; a pool for each zone."""

    def __init__(self, name: str, site: Site, hardware: Hardware, count: int, zones: Sequence[str]) -> None:
        super().__init__("gke:ManagementPool", name)
        args = PoolArgs(hardware, {ROLE_KEY: ROLE_MANAGEMENT}, {}, zones, Fixed(count))
        self.pools = fixed_pools(name, site, args, self.child())
        self.register_outputs({"poolIds": [made.id for made in self.pools]})
