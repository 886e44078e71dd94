"""Cells: which sample makes one, how they compare, and the promised JSON."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from experiments.cost import Cell, Comparison, as_json, compare, measured_cells
from experiments.explained import Explained
from experiments.published import VARIANTS, published
from experiments.record import Sample
from experiments.table import clouds_table, cost_table, summary

OKE = published().clouds["oke"].cost
POINTS = published().points


def sample(price: str, *, variant: str = "dynamic", point: str = "idle", steady: bool = True) -> Sample:
    return Sample(
        time="2026-01-01T00:00:00+00:00",
        variant=variant,
        point=point,
        nodes=4,
        replicas={"vgg16": 1},
        price_per_hour=Decimal(price),
        steady=steady,
    )


def comparison(ours: dict[str, dict[str, Decimal]], *, reproduces: bool = True) -> Comparison:
    return Comparison("oke", "nominal", "bin-select", reproduces, compare(ours, OKE, POINTS))


def with_least(ours: Comparison, point: str, price: str) -> Comparison:
    one = Explained(Decimal("0.3"), Decimal(price), Decimal(price))
    return replace(ours, explained={point: {"right-sized": one}})


def as_published() -> dict[str, dict[str, Decimal]]:
    return {point: dict(row) for point, row in OKE.items()}


def test_only_a_steady_sample_makes_a_cell() -> None:
    samples = [sample("9", steady=False), sample("2.686"), sample("8", point="peak", steady=False)]
    assert measured_cells(samples) == {"idle": {"dynamic": Decimal("2.686")}}


def test_a_run_that_measured_the_published_figures_agrees_in_all_cells() -> None:
    ours = comparison(as_published())
    assert ours.agreeing == len(ours.measured) == 12
    assert summary(ours) == (
        "nominal accounting, bin-select: all 12 measured cells equal the published ones to four decimals."
    )


def test_a_cell_that_differs_is_named() -> None:
    ours = as_published()
    ours["peak"]["right-sized"] += Decimal("0.0001")
    assert summary(comparison(ours)).endswith(
        "11 of 12 measured cells equal the published ones; not right-sized at peak."
    )


def test_cells_that_were_not_measured_are_neither_right_nor_wrong() -> None:
    ours = comparison({"idle": {"dynamic": Decimal("2.6860")}})
    assert (ours.agreeing, len(ours.measured)) == (1, 1)
    assert ours.cells["idle"]["dynamic"].ratio is None


@given(st.decimals("0", "100", places=6), st.decimals("0", "100", places=4))
def test_agreement_is_equality_of_four_decimals(ours: Decimal, theirs: Decimal) -> None:
    assert Cell(ours, theirs, None).agrees is (f"{ours:.4f}" == f"{theirs:.4f}")


def test_the_ratio_is_to_max_sized_of_the_same_point() -> None:
    ours = comparison(as_published())
    assert ours.cells["idle"]["right-sized"].ratio == Decimal("0.1635") / Decimal("7.7860")
    assert all(row["max-sized"].ratio == 1 for row in ours.cells.values())


def test_the_json_form_is_the_promised_one() -> None:
    ours = as_published()
    del ours["idle"]["dynamic"]
    document = as_json(comparison(ours))
    assert list(document) == ["cloud", "accounting", "mode", "points", "published"]
    assert document["points"]["idle"] == {"max-sized": 7.786, "right-sized": 0.1635}
    assert document["published"]["vgg16-peak-squeezenet-idle"] == {
        "max-sized": 7.786,
        "dynamic": 5.236,
        "right-sized": 0.2115,
    }
    assert list(document["points"]) == list(POINTS)


def test_the_json_form_has_the_least_possible_price_beside_the_promised_keys() -> None:
    document = as_json(with_least(comparison(as_published()), "peak", "0.25"))
    assert list(document) == ["cloud", "accounting", "mode", "points", "published", "least"]
    one = document["least"]["peak"]["right-sized"]
    assert (one["least_per_hour"], one["lower_bound_per_hour"], one["proven"]) == (0.25, 0.25, True)


@pytest.mark.parametrize("ours", [as_published(), {"peak": {"right-sized": Decimal("0.3")}}])
def test_the_table_with_the_least_possible_price_fits_80_columns(ours: dict[str, dict[str, Decimal]]) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(cost_table(with_least(comparison(ours), "peak", "0.25"), POINTS))
    text = console.export_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "…" not in text
    peak = next(line for line in text.splitlines() if "Both models peak" in line)
    assert [cell.strip() for cell in peak.split("│")][-2] == "0.2500"
    assert "$0.05 an hour above that" in " ".join(text.split())


@pytest.mark.parametrize("reproduce", [True, False])
def test_the_table_fits_a_terminal_of_80_columns_and_shows_every_figure(reproduce: bool) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(cost_table(comparison(as_published(), reproduces=reproduce), POINTS))
    text = console.export_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert all(f"{row[variant]:.4f} =" in text for row in OKE.values() for variant in VARIANTS)
    assert "2.1 %" in text
    assert "…" not in text


def test_two_clouds_fit_one_table_of_80_columns() -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    gke = published().clouds["gke"].cost
    other = Comparison("gke", "documented", "bin-select", True, compare(gke, gke, POINTS))
    console.print(clouds_table([comparison(as_published()), other], POINTS))
    lines = console.export_text().splitlines()
    assert all(len(line) <= 80 for line in lines)
    idle = [line for line in lines if "6.8290" in line or "7.7860" in line][:2]
    assert [line.split("│")[1].strip() for line in idle] == ["OKE", "GKE"]
    assert [line.split("│")[4].strip() for line in idle] == ["0.1635   2.1 %", "0.2695   3.9 %"]
