"""What a plan has bought so far, against the policy's limits."""

from decimal import Decimal

from provisioner.core.bin_select import Candidate, Terms
from provisioner.core.market import Catalog, Size
from provisioner.core.plan import PlannedNode, Reason
from provisioner.core.pools import PoolSpec
from provisioner.core.snapshot import Snapshot


class Cart:
    """Nodes bought, those before this plan among them."""

    def __init__(self, snapshot: Snapshot, terms: Terms) -> None:
        self._policy = terms.policy
        self._specs = dict.fromkeys(terms.in_use)
        self._nodes = self._cpu = self._memory = 0
        self._price = Decimal(0)
        for pool in snapshot.pools:
            self._count(pool.size, terms.catalog.size_of(pool.spec))

    def add(self, planned: PlannedNode) -> None:
        """Buy it."""
        self._specs[planned.spec] = None
        self._count(1, planned.size)

    @property
    def sizes_left(self) -> tuple[PoolSpec, ...]:
        """The only sizes that may be bought, where no other may be added to them; empty while others may."""
        return tuple(self._specs) if self._is_full else ()

    @property
    def _is_full(self) -> bool:
        return len(self._specs) >= self._policy.max_pools

    def why_not(self, candidate: Candidate) -> Reason | None:
        """Which limit the candidate would exceed."""
        return self.why_not_one(candidate.size, candidate.spec)

    def why_not_one(self, size: Size, spec: PoolSpec) -> Reason | None:
        """Which limit one more node of that size would exceed."""
        policy = self._policy
        if self._is_full and spec not in self._specs:
            return Reason("limit", f"{len(self._specs)} sizes are in use, max_pools is {policy.max_pools}")
        for code, name, most, used, asked in (
            ("limit", "max_nodes", policy.max_nodes, self._nodes, 1),
            ("limit", "max_cpu_millicores", policy.max_cpu_millicores, self._cpu, size.cpu_millicores),
            ("limit", "max_memory_bytes", policy.max_memory_bytes, self._memory, size.memory_bytes),
            ("budget", "max_price_per_hour", policy.max_price_per_hour, self._price, size.price_per_hour),
        ):
            if most is not None and used + asked > most:
                return Reason(code, f"{name} is {most}: in use are {used}, and {size} would add {asked}")
        return None

    def _count(self, nodes: int, size: Size | None) -> None:
        """Nodes of a size; of one that the catalog has no more, the number alone."""
        self._nodes += nodes
        if size is not None:
            self._cpu += nodes * size.cpu_millicores
            self._memory += nodes * size.memory_bytes
            self._price += nodes * size.price_per_hour


def price_of(spec: PoolSpec, catalog: Catalog) -> Decimal:
    """Price per hour of one node of a pool; 0 of what the catalog does not have."""
    size = catalog.size_of(spec)
    return size.price_per_hour if size is not None else Decimal(0)
