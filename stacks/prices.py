"""What a stack's nodes cost an hour, at idle and at peak, before there is a stack."""

from dataclasses import dataclass
from decimal import Decimal

from stacks.faults import Fault
from stacks.right_sizing import Plans
from stacks.settings import DYNAMIC, Settings
from stacks.shapes import Node


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars an hour of all instances: every model at one worker, every model at its most."""

    idle: Decimal
    peak: Decimal


def of_gpu_variant(settings: Settings, management: Node, gpu: Node) -> Prices:
    """Prices of the max-sized and the dynamic variant."""
    static = settings.management.count * management.price_per_hour
    peak = static + _nodes(settings, idle=False) * gpu.price_per_hour
    if settings.variant != DYNAMIC:
        return Prices(idle=peak, peak=peak)
    return Prices(idle=static + _nodes(settings, idle=True) * gpu.price_per_hour, peak=peak)


def of_right_sized(settings: Settings, management: Node, plans: Plans) -> Prices:
    """Prices of the right-sized variant, by what the provisioner will buy."""
    static = settings.management.count * management.price_per_hour
    return Prices(idle=static + plans.idle.price_per_hour, peak=static + plans.peak.price_per_hour)


def over_budget(settings: Settings, prices: Prices) -> list[Fault]:
    """A fault when the peak costs more than the stack may."""
    budget = settings.budget_per_hour
    if budget is None or prices.peak <= budget:
        return []
    return [
        Fault(
            "budget.pricePerHour",
            f"{budget}",
            f"must be at least {prices.peak}, the price of the peak of variant {settings.variant}",
            "raise it, lower max_workers, or choose a cheaper variant",
        )
    ]


def _nodes(settings: Settings, *, idle: bool) -> int:
    """GPU nodes at idle or peak: a worker takes a node, as the published experiment has it."""
    return len(settings.models) if idle else settings.max_workers
