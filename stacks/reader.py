"""Reads one object of the settings key by key, collects every fault, and refuses what nobody read.

A key that was asked for is known; `close` makes a fault of each key that was not. A reader never
raises: a faulty value becomes a fault and the default is returned, so that all faults are found.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from provisioner.core import quantity
from provisioner.core.cron import fault_of
from stacks.faults import UNSAID, Fault, closest

_NOTHING: Final = ""
_SECRET: Final = "(a secret)"  # noqa: S105 - what is shown instead of one
_LARGEST: Final = 2**63
"""Quantities of Kubernetes are below it."""


class Reader:
    """A cursor on one object of the settings."""

    def __init__(self, value: object, path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        self._asked: set[str] = set()
        self._values: Mapping[str, object] = {}
        if isinstance(value, Mapping):
            self._values = {str(key): item for key, item in value.items()}
        elif value is not None:
            self.fault("", UNSAID, "must be an object", "write its keys below it")

    def has(self, key: str) -> bool:
        """Whether a key is there with a value."""
        self._asked.add(key)
        return self._values.get(key) not in (None, _NOTHING)

    def peek(self, key: str) -> object:
        """A value as it is written, whatever it is."""
        return self._get(key, _NOTHING)

    def fault(self, key: str, value: object, expectation: str, way_out: str = "") -> None:
        """Note that a value is not as expected; an empty key means the object itself."""
        self.faults.append(Fault(self.at(key), value, expectation, way_out))

    def secret_fault(self, key: str, expectation: str, way_out: str = "") -> None:
        """Note that a secret is not as expected, without repeating it."""
        self.fault(key, _SECRET, expectation, way_out)

    def at(self, key: str) -> str:
        """The full path of a key."""
        return ".".join(part for part in (self.path, key) if part)

    def text(self, key: str, default: str = "", *, pattern: str = "", expectation: str = "") -> str:
        """A string; with a pattern it must match as a whole, or be the default."""
        value = self._get(key, default)
        if not isinstance(value, str) or (pattern and value != default and not re.fullmatch(pattern, value)):
            self.fault(key, value, expectation or "must be a string")
            return default
        return value

    def required(self, key: str, *, pattern: str, expectation: str, way_out: str) -> str:
        """A string that has no default."""
        value = self._get(key, _NOTHING)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.fault(key, value, expectation, way_out)
            return _NOTHING
        return value

    def cron(self, key: str, example: str = "") -> str:
        """A cron expression, empty when it is not one; with an example it has to be there."""
        value = self.text(key)
        if not self.has(key):
            if example:
                self.fault(key, _NOTHING, "must be a cron expression", f"for example {example}")
            return _NOTHING
        fault = fault_of(value) if value else ""
        if fault:
            self.fault(key, value, "must be a cron expression", fault)
        return _NOTHING if fault else value

    def secret(self, key: str) -> str:
        """A string that no fault repeats; empty when it is not there."""
        value = self._get(key, _NOTHING)
        if not isinstance(value, str):
            self.secret_fault(key, "must be a string")
            return _NOTHING
        return value

    def choice(self, key: str, options: Sequence[str], default: str | None) -> str:
        """One of some words; without a default it has to be there."""
        value = self._get(key, default)
        if isinstance(value, str) and value in options:
            return value
        self.fault(key, value, f"must be one of {', '.join(options)}", closest(str(value), options))
        return default or options[0]

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Yes or no."""
        value = self._get(key, default)
        if str(value).lower() not in {"true", "false"}:
            self.fault(key, value, "must be true or false")
        return str(value).lower() == "true"

    def integer(self, key: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        """A whole number within limits."""
        number = _number(self._get(key, default))
        if number is None or number != number.to_integral_value() or not least <= number <= most:
            self.fault(key, self._get(key, default), f"must be a whole number from {least} to {most}")
            return default
        return int(number)

    def optional_integer(self, key: str, *, least: int = 0) -> int | None:
        """A whole number, or nothing."""
        return self.integer(key, least, least=least) if self.has(key) else None

    def price(self, key: str, *, most: Decimal) -> Decimal:
        """An amount of dollars up to a limit; 0 where nothing is said."""
        number = _number(self._get(key, 0))
        if number is None or not 0 <= number <= most:
            expectation = f"must be a price from 0 to {most}, in US dollars an hour"
            self.fault(key, self._get(key, 0), expectation, "divide a price a month by 730")
            return Decimal(0)
        return number

    def optional_price(self, key: str) -> Decimal | None:
        """A positive amount of dollars, or nothing."""
        if not self.has(key):
            return None
        number = _number(self._get(key, None))
        if number is None or number <= 0:
            self.fault(key, self._get(key, None), "must be a price above 0, in US dollars an hour")
            return None
        return number

    def texts(
        self, key: str, default: tuple[str, ...] = (), *, options: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """A list of strings, each one of the options where there are options."""
        value = self._get(key, default)
        if isinstance(value, str) or not isinstance(value, Sequence):
            self.fault(key, value, "must be a list of strings", f"write [{value}]" if value else "")
            return default
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item:
                self.fault(f"{key}[{index}]", item, "must be a string")
            elif options and item not in options:
                self.fault(
                    f"{key}[{index}]", item, f"must be one of {', '.join(options)}", closest(item, options)
                )
        return tuple(dict.fromkeys(str(item) for item in value))

    def cidrs(self, key: str) -> tuple[str, ...]:
        """A list of address blocks which together do not open the door to everybody."""
        value = self.texts(key)
        blocks: list[ipaddress.IPv4Network] = []
        for index, item in enumerate(value):
            block = self._cidr(f"{key}[{index}]", item)
            blocks += [] if block is None else [block]
        if any(block.prefixlen == 0 for block in ipaddress.collapse_addresses(blocks)):
            self.fault(key, ", ".join(value), "must not let in everybody", "list the addresses you come from")
        return tuple(str(block) for block in blocks)

    def cidr(self, key: str, default: str) -> ipaddress.IPv4Network:
        """One address block."""
        block = self._cidr(key, self._get(key, default))
        return ipaddress.IPv4Network(default) if block is None else block

    def millicores(self, key: str) -> int:
        """CPU as Kubernetes writes it, in millicores."""
        return self._quantity(key, 1000, "must be an amount of CPU in whole millicores, such as 400m or 2")

    def optional_millicores(self, key: str) -> int | None:
        """CPU, or nothing."""
        return self.millicores(key) if self.has(key) else None

    def memory_bytes(self, key: str) -> int:
        """Memory as Kubernetes writes it, in bytes."""
        return self._quantity(
            key, 1, "must be an amount of memory in whole bytes, such as 4G (10^9 bytes) or 512Mi"
        )

    def optional_memory_bytes(self, key: str) -> int | None:
        """Memory, or nothing."""
        return self.memory_bytes(key) if self.has(key) else None

    def section(self, key: str) -> "Reader":
        """A reader on the object under a key; absent is as good as empty."""
        return Reader(self._get(key, None), self.at(key), self.faults)

    def names(self) -> tuple[str, ...]:
        """The keys of an object whose keys are names of the user's."""
        return tuple(self._values)

    def words(self, key: str) -> dict[str, str]:
        """An object of strings, such as environment variables."""
        inner = self.section(key)
        return {name: inner.text(name) for name in inner.names()}

    def close(self) -> None:
        """Refuse every key that was not asked for; what is under it may be a secret, and is not repeated."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked)) or "none"
                self.fault(key, UNSAID, "is an unknown key", closest(key, self._asked) or f"known: {known}")

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._values.get(key)
        return default if value is None else value

    def _cidr(self, key: str, value: object) -> ipaddress.IPv4Network | None:
        try:
            return ipaddress.IPv4Network(str(value))
        except ValueError as error:
            hint = _network_of(str(value))
            self.fault(key, value, "must be an IPv4 block such as 203.0.113.0/24", hint or str(error))
            return None

    def _quantity(self, key: str, factor: int, expectation: str) -> int:
        value = self._get(key, None)
        amount = _amount(value) * factor
        if 0 < amount < _LARGEST and amount.denominator == 1:
            return int(amount)
        capital = f"did you mean '{str(value)[:-1]}M'?" if amount and str(value).endswith("m") else ""
        self.fault(key, value, expectation, capital)
        return 0


def _amount(value: object) -> Fraction:
    """The value of a quantity, however JSON or YAML wrote it; 0 when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return Fraction(0)
    try:
        return quantity.exact(f"{value:f}" if isinstance(value, Decimal) else str(value).strip())
    except quantity.NotAQuantity:
        return Fraction(0)


def _number(value: object) -> Decimal | None:
    """A finite number out of what JSON, YAML and the command line make of one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _network_of(text: str) -> str:
    """The block that a host address with a prefix was meant to be."""
    try:
        return f"did you mean '{ipaddress.IPv4Network(text, strict=False)}'?"
    except ValueError:
        return ""
