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
        self._specs: set[PoolSpec] = set(terms.in_use)
        self._nodes = sum(pool.size for pool in snapshot.pools)
        self._price = sum(
            (price_of(pool.spec, terms.catalog) * pool.size for pool in snapshot.pools), Decimal(0)
        )

    def add(self, planned: PlannedNode) -> None:
        """Buy it."""
        self._specs.add(planned.spec)
        self._nodes += 1
        self._price += planned.size.price_per_hour

    def why_not(self, candidate: Candidate) -> Reason | None:
        """Which limit the candidate would exceed."""
        return self.why_not_one(candidate.size, candidate.spec)

    def why_not_one(self, size: Size, spec: PoolSpec) -> Reason | None:
        """Which limit one more node of that size would exceed."""
        policy = self._policy
        if policy.max_nodes is not None and self._nodes >= policy.max_nodes:
            return Reason("limit", f"{self._nodes} nodes are bought, max_nodes is {policy.max_nodes}")
        if spec not in self._specs and len(self._specs) >= policy.max_pools:
            return Reason("limit", f"{len(self._specs)} sizes are in use, max_pools is {policy.max_pools}")
        total = self._price + size.price_per_hour
        if policy.max_price_per_hour is not None and total > policy.max_price_per_hour:
            return Reason(
                "budget",
                f"with it, bought nodes cost ${total:f} an hour; max_price_per_hour is ${policy.max_price_per_hour:f}",
            )
        return None


def price_of(spec: PoolSpec, catalog: Catalog) -> Decimal:
    """Price per hour of one node of a pool; 0 of what the catalog does not have."""
    offering = catalog.find(spec.shape, spec.capacity_type)
    if offering is None:
        return Decimal(0)
    return offering.price_of(spec.ocpus or None, int(spec.memory_gib) if spec.ocpus else None)
