"""The saving factor is max-sized over the variant, of the cells that were measured."""

from decimal import Decimal

from experiments.cost import Comparison, compare
from experiments.published import CostTable, published
from experiments.saving import savings

OKE = published().clouds["oke"].cost
POINTS = published().points


def comparison(ours: CostTable) -> Comparison:
    return Comparison("oke", "nominal", "bin-select", True, compare(ours, OKE, POINTS))


def test_the_published_idle_cost_is_nearly_48_times_less() -> None:
    found = savings(comparison(OKE))["idle"]["right-sized"]
    assert found.ours is not None
    assert round(found.ours, 1) == round(found.published, 1) == Decimal("47.6")


def test_nothing_is_compared_with_itself() -> None:
    assert all(list(row) == ["dynamic", "right-sized"] for row in savings(comparison(OKE)).values())


def test_a_factor_needs_both_cells_and_a_price() -> None:
    half = {
        "idle": {"right-sized": Decimal("0.1635")},
        "peak": {"max-sized": Decimal(1), "dynamic": Decimal(0)},
    }
    found = savings(comparison(half))
    assert found["idle"]["right-sized"].ours is None
    assert found["peak"]["dynamic"].ours is None
