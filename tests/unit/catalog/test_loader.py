from decimal import Decimal
from pathlib import Path

import pytest

from catalog.loader import REQUIRED, CatalogError, bundled, load
from catalog.offering import at_home
from catalog.row import family_of

FIXED = {
    "shape": "VM.GPU2.1",
    "arch": "amd64",
    "kind": "fixed",
    "vcpus": "24",
    "memory_gib": "72",
    "gpus": "1",
    "price_per_hour": "1.275",
    "capacity_type": "on-demand",
    "zones": "AD-1;AD-2",
    "available": "true",
    "source": "a page",
    "date": "2026-03-29",
}
FLEXIBLE = {
    **FIXED,
    "shape": "VM.Standard.A1.Flex",
    "arch": "arm64",
    "kind": "flexible",
    "vcpus": "",
    "memory_gib": "",
    "gpus": "",
    "price_per_hour": "",
    "vcpus_per_ocpu": "1",
    "ocpus_min": "1",
    "ocpus_max": "76",
    "gib_per_ocpu_min": "1",
    "gib_per_ocpu_max": "64",
    "gib_max": "472",
    "price_per_ocpu_hour": "0.01",
    "price_per_gib_hour": "0.0015",
}


def written(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = REQUIRED) -> Path:
    file = path / "catalog.csv"
    lines = [",".join(columns), *(",".join(row.get(column, "") for column in columns) for row in rows)]
    file.write_text("\n".join(lines) + "\n")
    return file


def faults(file: Path) -> list[tuple[int, str, str]]:
    with pytest.raises(CatalogError) as error:
        load(file)
    return [(fault.line, fault.column, fault.value) for fault in error.value.faults]


def test_a_fixed_shape_has_one_price(tmp_path: Path) -> None:
    (shape,) = load(written(tmp_path, FIXED))
    assert (shape.price_of(), shape.vcpus_of(), shape.zones) == (Decimal("1.275"), 24, ("AD-1", "AD-2"))


def test_a_flexible_shape_costs_what_is_taken(tmp_path: Path) -> None:
    (shape,) = load(written(tmp_path, FLEXIBLE))
    assert shape.price_of(2, 32) == Decimal("0.068")
    assert shape.vcpus_of(2) == 2
    assert shape.gib_range(2) == range(2, 129)
    assert shape.gib_range(76) == range(76, 473)


def test_a_flexible_shape_without_a_size_has_no_price(tmp_path: Path) -> None:
    (shape,) = load(written(tmp_path, FLEXIBLE))
    with pytest.raises(ValueError, match=r"ocpus of the flexible shape VM.Standard.A1.Flex is not known"):
        shape.price_of()


def test_columns_in_brackets_may_be_absent_and_unknown_ones_are_ignored(tmp_path: Path) -> None:
    (shape,) = load(written(tmp_path, {**FIXED, "colour": "blue"}, columns=("colour", *reversed(REQUIRED))))
    assert (shape.region, shape.family, shape.max_pods, shape.machine_type) == (
        "",
        "VM.GPU2",
        None,
        "VM.GPU2.1",
    )


def test_columns_in_brackets_are_read_where_they_are_there(tmp_path: Path) -> None:
    columns = (*REQUIRED, "region", "family", "max_pods", "machine_type")
    row = {
        **FIXED,
        "shape": "n1-standard-2+t4x1",
        "region": "us-central1",
        "family": "n1-t4",
        "max_pods": "31",
        "machine_type": "n1-standard-2",
    }
    (shape,) = load(written(tmp_path, row, columns=columns))
    assert (shape.region, shape.family, shape.max_pods) == ("us-central1", "n1-t4", 31)
    assert shape.machine_type == "n1-standard-2"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("shape", ""),
        ("arch", "riscv"),
        ("kind", "bendy"),
        ("vcpus", "0"),
        ("vcpus", "1.5"),
        ("vcpus", ""),
        ("memory_gib", "-4"),
        ("memory_gib", "0"),
        ("memory_gib", "NaN"),
        ("gpus", "some"),
        ("price_per_hour", ""),
        ("price_per_hour", "free"),
        ("price_per_hour", "-1"),
        ("price_per_hour", "Infinity"),
        ("price_per_hour", "1e400"),
        ("price_per_hour", "1_0"),
        ("price_per_hour", "\u0661"),
        ("price_per_hour", "100001"),
        ("memory_gib", "1e999999"),
        ("memory_gib", "200001"),
        ("vcpus", "9" * 30),
        ("vcpus", "10001"),
        ("vcpus", "1_0"),
        ("gpus", "1001"),
        ("shape", "a\0b"),
        ("gpu_model", "a\x1b[2Jb"),
        ("zones", "z\x07"),
        ("ocpus_min", "1"),
        ("price_per_gib_hour", "0.1"),
        ("capacity_type", "ondemand"),
        ("available", "yes"),
        ("date", "29.3.2026"),
    ],
)
def test_a_wrong_cell_of_a_fixed_shape_is_named(tmp_path: Path, column: str, value: str) -> None:
    assert (2, column, value) in faults(written(tmp_path, {**FIXED, column: value}))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("vcpus", "4"),
        ("price_per_hour", "1"),
        ("gpus", "1"),
        ("ocpus_min", "80"),
        ("ocpus_max", ""),
        ("gib_per_ocpu_min", "65"),
        ("gib_max", "many"),
        ("gib_max", "5001"),
        ("ocpus_max", "501"),
        ("vcpus_per_ocpu", "17"),
        ("price_per_ocpu_hour", ""),
        ("price_per_gib_hour", "10001"),
    ],
)
def test_a_wrong_cell_of_a_flexible_shape_is_named(tmp_path: Path, column: str, value: str) -> None:
    place = {"ocpus_min": ("ocpus_max", "76"), "gib_per_ocpu_min": ("gib_per_ocpu_max", "64")}
    expected = place.get(column, (column, value))
    assert (2, *expected) in faults(written(tmp_path, {**FLEXIBLE, column: value}))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path, {**FIXED, "arch": "x86"}, FLEXIBLE, {**FLEXIBLE, "gib_max": "0", "available": ""}
    )
    assert faults(file) == [(2, "arch", "x86"), (4, "gib_max", "0"), (4, "available", "")]


def test_a_fault_reads_as_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path, {**FIXED, "price_per_hour": ""})
    with pytest.raises(CatalogError) as error:
        load(file)
    assert str(error.value) == (f"{file}: line 2, column price_per_hour: ''; expected a number of at least 0")


def test_a_shape_stands_once_for_each_region_and_capacity_type(tmp_path: Path) -> None:
    spot = {**FIXED, "capacity_type": "spot"}
    assert len(load(written(tmp_path, FIXED, spot))) == 2
    assert faults(written(tmp_path, FIXED, spot, FIXED)) == [(4, "shape", "VM.GPU2.1")]


def test_missing_columns_are_named_in_one_line(tmp_path: Path) -> None:
    columns = tuple(column for column in REQUIRED if column not in {"arch", "zones"})
    assert faults(written(tmp_path, FIXED, columns=columns)) == [(1, "arch, zones", "")]


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    assert faults(written(tmp_path, FIXED, columns=(*REQUIRED, "arch"))) == [(1, "arch", "arch")]


def test_a_column_that_nobody_knows_may_be_there_twice(tmp_path: Path) -> None:
    columns = ("note", *REQUIRED, "note")
    assert load(written(tmp_path, {**FIXED, "note": "mine"}, columns=columns)) == load(
        written(tmp_path, FIXED)
    )


@pytest.mark.parametrize(("header", "row"), [(",,", ",,"), (",", ""), ("", ",,,"), (",,", ",")])
def test_commas_after_the_last_column_are_ignored(tmp_path: Path, header: str, row: str) -> None:
    file = written(tmp_path, FIXED)
    plain = load(file)
    first, second = file.read_text().splitlines()
    file.write_text(f"{first}{header}\n{second}{row}\n")
    assert load(file) == plain


def test_a_cell_without_a_column_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, FIXED)
    file.write_text(file.read_text().rstrip() + ",,lost\n")
    assert [fault[:2] for fault in faults(file)] == [(2, "-")]


@pytest.mark.parametrize(
    "sold",
    [
        {"gib_per_ocpu_min": "8", "ocpus_min": "4", "gib_max": "31"},
        {"gib_per_ocpu_min": "0.4", "gib_per_ocpu_max": "0.4", "ocpus_max": "2"},
    ],
)
def test_a_flexible_shape_of_which_there_is_no_size_is_named(tmp_path: Path, sold: dict[str, str]) -> None:
    file = written(tmp_path, {**FLEXIBLE, **sold})
    assert faults(file) == [(2, "gib_max", sold.get("gib_max", FLEXIBLE["gib_max"]))]


def test_a_long_cell_is_shown_by_its_beginning(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as error:
        load(written(tmp_path, {**FIXED, "price_per_hour": "9" * 5000}))
    assert str(error.value).endswith(f"'{'9' * 60}…'; expected a number of at least 0")


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, FIXED)
    file.write_text(file.read_text() + "VM.X,arm64\n")
    assert [fault[:2] for fault in faults(file)] == [(3, "-")]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_no_catalog(tmp_path: Path, text: str) -> None:
    file = tmp_path / "catalog.csv"
    file.write_text(text)
    assert [fault[:2] for fault in faults(file)] == [(1, "-")]


def test_a_header_alone_is_no_catalog(tmp_path: Path) -> None:
    assert faults(written(tmp_path)) == [(2, "shape", "")]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="a readable file"):
        load(tmp_path / "none.csv")


def test_a_file_that_is_not_text_is_said(tmp_path: Path) -> None:
    file = tmp_path / "catalog.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match="UTF-8"):
        load(file)


@pytest.mark.parametrize(
    ("shape", "family"),
    [
        ("VM.Standard.A1.Flex", "VM.Standard.A1"),
        ("VM.GPU2.1", "VM.GPU2"),
        ("VM.GPU.A10.2", "VM.GPU.A10"),
        ("t2a-standard-2", "t2a-standard"),
        ("x", "x"),
    ],
)
def test_a_family_is_a_shape_without_its_size(shape: str, family: str) -> None:
    assert family_of(shape) == family


def test_oke_prices_are_those_of_the_published_experiment() -> None:
    offerings = {(each.shape, each.capacity_type): each for each in bundled("oke")}
    arm, gpu = offerings["VM.Standard.A1.Flex", "on-demand"], offerings["VM.GPU2.1", "on-demand"]
    assert [arm.price_of(1, 4), arm.price_of(1, 1), arm.price_of(2, 32), gpu.price_of()] == [
        Decimal("0.016"),
        Decimal("0.0115"),
        Decimal("0.068"),
        Decimal("1.275"),
    ]


def test_every_bundled_price_has_a_source_and_a_date() -> None:
    assert all(each.source and each.date and each.zones and each.region for each in bundled("oke"))


def test_spot_costs_half_on_oke() -> None:
    offerings = {(each.shape, each.capacity_type): each for each in bundled("oke")}
    spot = [key for key in offerings if key[1] == "spot"]
    assert len(spot) >= 10
    for shape, _ in spot:
        size = (2, 8) if offerings[shape, "spot"].is_flexible else (None, None)
        assert offerings[shape, "spot"].price_of(*size) * 2 == offerings[shape, "on-demand"].price_of(*size)


def test_a_catalog_moves_to_another_region_at_the_same_prices() -> None:
    moved = at_home(bundled("oke"), "eu-frankfurt-1", iter(("B", "A")))
    assert {(each.region, each.zones) for each in moved} == {("eu-frankfurt-1", ("A", "B"))}
    assert moved[0].price_of(1, 4) == Decimal("0.016")
