"""Everything that can be wrong with a stack before the cloud is asked: shapes, sizes, prices, budget."""

from dataclasses import dataclass

from catalog.loader import CatalogError, bundled
from provisioner.core.market import Catalog
from stacks import prices, shapes
from stacks.faults import Fault, StackError
from stacks.prices import Prices
from stacks.settings import Settings
from stacks.shapes import CLOUD, Node


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stack's settings come down to."""

    management: Node
    gpu: Node | None
    """The node of the GPU pools; none in the right-sized variant."""
    prices: Prices


def check(settings: Settings) -> Checked:
    """Look up, fit and price all that the settings name.

    Raises:
        StackError: with every fault found.
    """
    try:
        catalog = Catalog(bundled(CLOUD), cloud=CLOUD, accounting=settings.accounting)
    except CatalogError as error:
        raise StackError(
            Fault(
                f"catalog/{CLOUD}.csv, line {fault.line}, {fault.column}",
                fault.value,
                f"must be {fault.expectation}",
            )
            for fault in error.faults
        ) from error
    faults: list[Fault] = []
    management = shapes.management_node(settings, catalog, faults)
    gpu = None if settings.right_sized else shapes.gpu_node(settings, catalog, faults)
    faults += shapes.unknown_families(settings, catalog)
    if faults or management is None:
        raise StackError(faults)
    found = (
        prices.of_gpu_variant(settings, management, gpu)
        if gpu
        else prices.of_right_sized(settings, management, catalog, faults)
    )
    faults += prices.over_budget(settings, found)
    if faults:
        raise StackError(faults)
    return Checked(management, gpu, found)
