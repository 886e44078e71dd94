"""One line of a catalog: reads its cells by type and keeps every fault with its place.

A column has an upper limit, several times what the largest machine on sale has (2,000 vCPUs and 32 TiB on x86,
some 130 OCPUs and 1.5 TiB of flexible shapes, 72 GPUs behind one network, a few hundred dollars an hour). It is
there for slips of the pen: every size of a flexible shape takes time and memory to weigh.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from catalog import number
from catalog.offering import ARCHITECTURES, CAPACITY_TYPES, KINDS, Offering

FIXED: Final = ("vcpus", "memory_gib", "price_per_hour")
FLEXIBLE: Final = (
    "vcpus_per_ocpu",
    "ocpus_min",
    "ocpus_max",
    "gib_per_ocpu_min",
    "gib_per_ocpu_max",
    "gib_max",
    "price_per_ocpu_hour",
    "price_per_gib_hour",
)
"""Columns that one kind fills in and the other leaves empty."""

LIMITS: Final[Mapping[str, int]] = {
    "vcpus": 10_000,
    "memory_gib": 200_000,
    "gpus": 1_000,
    "price_per_hour": 100_000,
    "vcpus_per_ocpu": 16,
    "ocpus_min": 500,
    "ocpus_max": 500,
    "gib_per_ocpu_min": 10_000,
    "gib_per_ocpu_max": 10_000,
    "gib_max": 5_000,
    "price_per_ocpu_hour": 10_000,
    "price_per_gib_hour": 10_000,
    "max_pods": 10_000,
}
"""The most that a column may say."""

T = TypeVar("T")
N = TypeVar("N", int, Decimal)


_LONGEST: Final = 60
"""Letters of a cell that are repeated in a fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a catalog."""

    line: int
    column: str
    value: str
    expectation: str

    def __str__(self) -> str:
        """One line, as an editor's list of problems has it."""
        value = self.value if len(self.value) <= _LONGEST else f"{self.value[:_LONGEST]}…"
        return f"line {self.line}, column {self.column}: {value!r}; expected {self.expectation}"


class Row:
    """A line's cells by column; reading a cell that is wrong adds to `faults` and gives None."""

    def __init__(self, line: int, header: Sequence[str], cells: Sequence[str]) -> None:
        self.faults: list[Fault] = []
        self._line = line
        self._cells = dict(zip(header, cells, strict=False))
        if len(cells) < len(header) or any(cells[len(header) :]):
            self._refuse("-", f"{len(cells)} cells", f"{len(header)} cells, as the header has")

    def offering(self) -> Offering | None:
        """The offering this line states, or None when it has faults."""
        if self.faults:
            return None
        kind = self._one_of("kind", KINDS)
        shape = self._text("shape")
        self._leave_empty(FLEXIBLE if kind == "fixed" else FIXED if kind == "flexible" else ())
        is_fixed, is_flexible = kind == "fixed", kind == "flexible"
        offering = Offering(
            shape=shape,
            arch=self._one_of("arch", ARCHITECTURES),
            kind=kind,
            vcpus=self._count("vcpus", needed=is_fixed),
            memory_gib=self._amount("memory_gib", needed=is_fixed, positive=True),
            gpus=self._gpus(is_flexible=is_flexible),
            gpu_model=self._printable("gpu_model"),
            price_per_hour=self._amount("price_per_hour", needed=is_fixed),
            vcpus_per_ocpu=self._count("vcpus_per_ocpu", needed=is_flexible),
            ocpus_min=self._count("ocpus_min", needed=is_flexible),
            ocpus_max=self._count("ocpus_max", needed=is_flexible),
            gib_per_ocpu_min=self._amount("gib_per_ocpu_min", needed=is_flexible),
            gib_per_ocpu_max=self._amount("gib_per_ocpu_max", needed=is_flexible, positive=True),
            gib_max=self._count("gib_max", needed=is_flexible),
            price_per_ocpu_hour=self._amount("price_per_ocpu_hour", needed=is_flexible),
            price_per_gib_hour=self._amount("price_per_gib_hour", needed=is_flexible),
            capacity_type=self._one_of("capacity_type", CAPACITY_TYPES),
            zones=tuple(zone.strip() for zone in self._printable("zones").split(";") if zone.strip()),
            available=self._one_of("available", ("true", "false")) == "true",
            region=self._printable("region"),
            family=self._printable("family") or family_of(shape),
            max_pods=self._count("max_pods", needed=False),
            machine_type=self._printable("machine_type") or shape,
            source=self._cells["source"],
            date=self._date("date"),
        )
        self._check_order("ocpus_min", "ocpus_max")
        self._check_order("gib_per_ocpu_min", "gib_per_ocpu_max")
        if is_flexible and not self.faults and not any(map(offering.gib_range, offering.ocpu_range())):
            self._refuse(
                "gib_max",
                self._cells["gib_max"],
                "a whole number of GiB that gib_per_ocpu_min and _max allow",
            )
        return None if self.faults else offering

    def _refuse(self, column: str, value: str, expectation: str) -> None:
        self.faults.append(Fault(self._line, column, value, expectation))

    def _text(self, column: str) -> str:
        value = self._printable(column)
        if not value:
            self._refuse(column, value, "a name")
        return value

    def _printable(self, column: str) -> str:
        value = self._cells.get(column, "")
        if not value.isprintable():
            self._refuse(column, value, "text without control characters")
        return value

    def _one_of(self, column: str, allowed: Sequence[str]) -> str:
        value = self._cells[column]
        if value not in allowed:
            self._refuse(column, value, " or ".join(allowed))
        return value

    def _leave_empty(self, columns: Sequence[str]) -> None:
        for column in columns:
            value = self._cells[column]
            if value:
                self._refuse(column, value, f"nothing, in a row of kind {self._cells['kind']}")
                self._cells[column] = ""

    def _count(self, column: str, *, needed: bool) -> int | None:
        return self._number(column, _whole, "a whole number of at least 1", needed=needed)

    def _amount(self, column: str, *, needed: bool, positive: bool = False) -> Decimal | None:
        expectation = "a number above 0" if positive else "a number of at least 0"
        return self._number(column, _above_zero if positive else number.exact, expectation, needed=needed)

    def _gpus(self, *, is_flexible: bool) -> int:
        value = self._cells["gpus"]
        if value in {"", "0"}:
            return 0
        if is_flexible:
            self._refuse("gpus", value, "nothing or 0, in a row of kind flexible")
            return 0
        return self._number("gpus", _whole, "a whole number", needed=True) or 0

    def _number(self, column: str, parse: Callable[[str], N], expectation: str, *, needed: bool) -> N | None:
        value = self._read(column, parse, expectation, needed=needed)
        if value is not None and value > LIMITS[column]:
            self._refuse(column, self._cells[column], f"at most {LIMITS[column]}")
            return None
        return value

    def _date(self, column: str) -> date | None:
        return self._read(column, date.fromisoformat, "a date like 2026-03-29", needed=False)

    def _read(self, column: str, parse: Callable[[str], T], expectation: str, *, needed: bool) -> T | None:
        value = self._cells.get(column, "")
        if not value and not needed:
            return None
        try:
            return parse(value)
        except ValueError:
            self._refuse(column, value, expectation)
            return None

    def _check_order(self, least: str, most: str) -> None:
        refused = {fault.column for fault in self.faults}
        low, high = self._cells[least], self._cells[most]
        if low and high and not refused & {least, most} and Decimal(low) > Decimal(high):
            self._refuse(most, high, f"at least {least}, which is {low}")


def family_of(shape: str) -> str:
    """A shape's name without its size: `VM.GPU2.1` is of `VM.GPU2`, `VM.Standard.A1.Flex` of `VM.Standard.A1`."""
    cut = max(shape.rfind("."), shape.rfind("-"))
    return shape[:cut] if cut > 0 else shape


def _whole(text: str) -> int:
    value = number.exact(text)
    if not text.isdigit() or value < 1:
        raise ValueError(text)
    return int(value)


def _above_zero(text: str) -> Decimal:
    value = number.exact(text)
    if value == 0:
        raise ValueError(text)
    return value
