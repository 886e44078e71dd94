"""The static pool that carries everything but models: system pods, provisioner, load generator."""

from collections.abc import Sequence
from typing import Any

from catalog.names import ROLE_KEY, ROLE_MANAGEMENT
from components.gke.node_pool import Fixed, Hardware, PoolArgs, Site, numbered, pool, spread
from components.part import Part


class ManagementPool(Part):
    """Nodes spread over the zones, without a taint.

    A pool's size counts in each of its zones, so each zone has a pool of its own.
    """

    def __init__(self, name: str, site: Site, hardware: Hardware, count: int, zones: Sequence[str]) -> None:
        super().__init__("gke:ManagementPool", name)
        labels = {ROLE_KEY: ROLE_MANAGEMENT}
        self.pools: list[Any] = [
            pool(
                numbered(name, index),
                site,
                PoolArgs(hardware, labels, {}, [zone], Fixed(nodes)),
                self.child(),
            )
            for index, (zone, nodes) in enumerate(spread(count, zones).items())
        ]
        self.register_outputs({"poolIds": [made.id for made in self.pools]})
