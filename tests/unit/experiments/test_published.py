"""The published figures agree with each other: every cost cell is management + count * price."""

from decimal import Decimal
from itertools import pairwise, product

import pytest

from catalog.loader import bundled
from experiments.published import VARIANTS, published, walk

CELLS = [
    (cloud, point, variant)
    for cloud, point, variant in product(published().clouds, published().points, VARIANTS)
]


@pytest.mark.parametrize(("cloud", "point", "variant"), CELLS)
def test_a_published_cell_is_management_plus_count_times_price(cloud: str, point: str, variant: str) -> None:
    figures = published().clouds[cloud]
    price = figures.management.count * figures.management.price_per_hour
    for model, worker in figures.variants[variant].items():
        at_peak = variant == "max-sized" or model in published().points[point].peak
        price += (worker.max_workers if at_peak else 1) * worker.price_per_hour
    assert price.quantize(Decimal("0.0001")) == figures.cost[point][variant]


def test_the_tables_have_all_24_cells() -> None:
    assert (
        sum(len(row) for cloud in published().clouds.values() for row in cloud.cost.values())
        == len(CELLS)
        == 24
    )


def test_every_table_speaks_of_the_same_points_variants_and_models() -> None:
    figures = published()
    for cloud in figures.clouds.values():
        assert set(cloud.cost) == set(figures.points)
        assert all(set(row) == set(VARIANTS) for row in cloud.cost.values())
        assert all(set(workers) == set(figures.models) for workers in cloud.variants.values())
        assert all(set(row) == set(figures.models) for row in cloud.latency.values())
    assert set(figures.complexity) == set(VARIANTS)


def test_the_walk_begins_idle_and_changes_one_model_at_a_time() -> None:
    points = published().points
    order = walk(points, tuple(points))
    assert order == ("idle", "vgg16-idle-squeezenet-peak", "peak", "vgg16-peak-squeezenet-idle")
    loads = [set(points[name].peak) for name in order]
    assert all(len(before ^ after) == 1 for before, after in pairwise(loads))


def test_a_walk_over_some_points_visits_just_these() -> None:
    assert walk(published().points, ("peak", "idle")) == ("idle", "peak")
    assert walk(published().points, ()) == ()


def test_a1_prices_of_the_talk_are_those_of_the_catalog() -> None:
    """OKE's A1 costs by OCPU and GB; the talk's three A1 sizes follow from the catalog's row."""
    a1 = next(
        o for o in bundled("oke") if o.shape == "VM.Standard.A1.Flex" and o.capacity_type == "on-demand"
    )
    oke = published().clouds["oke"]
    sizes = {
        (2, 32): oke.management.price_per_hour,
        (1, 4): oke.variants["right-sized"]["vgg16"].price_per_hour,
        (1, 1): oke.variants["right-sized"]["squeezenet1_1"].price_per_hour,
    }
    assert {size: a1.price_of(*size) for size in sizes} == sizes
