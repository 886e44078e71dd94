"""Everything that can be wrong with a stack before the cloud is asked: shapes, sizes, prices, budget."""

from dataclasses import dataclass

from catalog.loader import CatalogError, bundled
from provisioner.core.market import Catalog, Size
from stacks import prices, right_sizing, shapes
from stacks.faults import Fault, StackError
from stacks.prices import Prices
from stacks.settings import Settings
from stacks.shapes import Market, Node


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stack's settings come down to."""

    management: Node
    gpu: Node | None
    """The node of the GPU pools; none in the right-sized variant."""
    prices: Prices
    bought: tuple[Size, ...]
    """What the provisioner will buy for the peak, one for each node."""


def check(settings: Settings) -> Checked:
    """Look up, fit and price all that the settings name.

    Raises:
        StackError: with every fault found.
    """
    market = _market(settings)
    faults: list[Fault] = []
    management = shapes.management_node(settings, market, faults)
    gpu = None if settings.right_sized else shapes.gpu_node(settings, market, faults)
    faults += shapes.unknown_families(settings, market)
    if faults or management is None:
        raise StackError(faults)
    bought: tuple[Size, ...] = ()
    if gpu:
        found = prices.of_gpu_variant(settings, management, gpu)
    else:
        plans = right_sizing.plans(settings, market.catalog, faults)
        found, bought = prices.of_right_sized(settings, management, plans), plans.bought
    faults += prices.over_budget(settings, found)
    if faults:
        raise StackError(faults)
    return Checked(management, gpu, found, bought)


def _market(settings: Settings) -> Market:
    cloud = settings.cloud
    try:
        everything = bundled(cloud)
    except CatalogError as error:
        raise StackError(
            Fault(
                f"catalog/{cloud}.csv, line {fault.line}, {fault.column}",
                fault.value,
                f"must be {fault.expectation}",
            )
            for fault in error.faults
        ) from error
    sold = settings.dialect.sold(everything, settings.region, settings.site)
    catalog = Catalog(sold, cloud=cloud, accounting=settings.accounting)
    return Market(catalog, everything, settings.dialect.where(settings.region, settings.site))
