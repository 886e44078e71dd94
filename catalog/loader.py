"""Reads catalogs: CSV files with one offering a row.

A user may bring a catalog of their own, so every fault is reported with its line, column, value
and what was expected, all of them at once.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from catalog.offering import Offering
from catalog.row import FLEXIBLE, Fault, Row

REQUIRED: Final = (
    "shape",
    "arch",
    "kind",
    "vcpus",
    "memory_gib",
    "gpus",
    "gpu_model",
    "price_per_hour",
    *FLEXIBLE,
    "capacity_type",
    "zones",
    "available",
    "source",
    "date",
)
"""Columns every catalog has, in the order in which they are usually written."""


_OPTIONAL: Final = ("region", "family", "max_pods", "machine_type")
"""Columns that a catalog may have."""


class CatalogError(ValueError):
    """A catalog that cannot be used: `path` is the file, `faults` has every reason."""

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{path}: {fault}" for fault in self.faults))


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: tuple[str, ...]


def bundled(cloud: str) -> tuple[Offering, ...]:
    """The project's own catalog of a cloud."""
    return load(Path(__file__).with_name(f"{cloud}.csv"))


def load(path: Path) -> tuple[Offering, ...]:
    """Every offering of a catalog, in the file's order.

    Columns may come in any order; `region`, `family`, `max_pods` and `machine_type` may be absent,
    and columns that are not known are ignored, as are commas after the last. Raises CatalogError with every
    fault of the file.
    """
    lines = _lines(path)
    if not lines:
        raise CatalogError(path, [Fault(1, "-", "", f"a header with the columns {', '.join(REQUIRED)}")])
    header = _without_last_commas(lines[0].cells)
    faults = list(_header_faults(lines[0]))
    if faults:
        raise CatalogError(path, faults)
    offerings: list[tuple[_Line, Offering]] = []
    for line in lines[1:]:
        row = Row(line.number, header, line.cells)
        offering = row.offering()
        faults += row.faults
        if offering is not None:
            offerings.append((line, offering))
    faults += _repetitions(offerings)
    if not lines[1:]:
        faults.append(Fault(2, "shape", "", "at least one offering"))
    if faults:
        raise CatalogError(path, sorted(faults, key=lambda fault: fault.line))
    return tuple(offering for _, offering in offerings)


def _lines(path: Path) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogError(path, [Fault(1, "-", str(error.object[:20]), "UTF-8 text")]) from error
    except OSError as error:
        raise CatalogError(path, [Fault(0, "-", str(path), f"a readable file ({error.strerror})")]) from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    found: list[_Line] = []
    try:
        found.extend(
            _Line(reader.line_num, tuple(cell.strip() for cell in cells)) for cells in reader if any(cells)
        )
    except csv.Error as error:
        raise CatalogError(
            path, [Fault(reader.line_num, "-", "", f"comma-separated values ({error})")]
        ) from error
    return [line for line in found if any(line.cells)]


def _without_last_commas(header: tuple[str, ...]) -> tuple[str, ...]:
    named = max((at for at, name in enumerate(header) if name), default=-1)
    return header[: named + 1]


def _header_faults(line: _Line) -> Iterator[Fault]:
    missing = [name for name in REQUIRED if name not in line.cells]
    if missing:
        yield Fault(line.number, ", ".join(missing), "", "each of these columns in the header")
    for name in (*REQUIRED, *_OPTIONAL):
        if line.cells.count(name) > 1:
            yield Fault(line.number, name, name, "each column once")


def _repetitions(offerings: list[tuple[_Line, Offering]]) -> Iterator[Fault]:
    first: dict[tuple[str, str, str], int] = {}
    for line, offering in offerings:
        key = (offering.shape, offering.region, offering.capacity_type)
        if key in first:
            yield Fault(
                line.number,
                "shape",
                offering.shape,
                f"one row for each shape, region and capacity type (the same stands in line {first[key]})",
            )
        first.setdefault(key, line.number)
