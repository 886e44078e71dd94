"""The static pool that carries everything but models: system pods, provisioner, load generator."""

from collections.abc import Sequence

from catalog.names import ROLE_KEY, ROLE_MANAGEMENT
from components.oke.node_pool import Hardware, PoolArgs, Site, pool
from components.part import Part


class ManagementPool(Part):
    """A pool of fixed size, spread over the availability domains, without a taint."""

    def __init__(self, name: str, site: Site, hardware: Hardware, count: int, domains: Sequence[str]) -> None:
        super().__init__("oke:ManagementPool", name)
        args = PoolArgs(hardware, {ROLE_KEY: ROLE_MANAGEMENT}, (), count, domains)
        self.pool = pool(name, site, args, self.child())
        self.register_outputs({"poolId": self.pool.id})
