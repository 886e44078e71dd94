"""Kubernetes quantities as whole numbers."""

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Final

_SUFFIXES: Final = {
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
}


class NotAQuantity(ValueError):
    """The text is no Kubernetes quantity."""


def parse(text: str) -> Decimal:
    """Value of a quantity: `parse("400m") == Decimal("0.4")`, `parse("4G") == 4 * 10**9`.

    Raises:
        NotAQuantity: naming the text.
    """
    number, factor = text, Decimal(1)
    for suffix, value in _SUFFIXES.items():
        if text.endswith(suffix):
            number, factor = text[: -len(suffix)], value
            break
    try:
        return Decimal(number) * factor
    except InvalidOperation as fault:
        raise NotAQuantity(f"{text!r} is not a quantity such as 400m, 4G or 2Gi") from fault


def milli(text: str) -> int:
    """In thousandths, rounded up, as the API server rounds."""
    return int((parse(text) * 1000).to_integral_value(ROUND_CEILING))


def whole(text: str) -> int:
    """In whole units, rounded up."""
    return int(parse(text).to_integral_value(ROUND_CEILING))
