"""Kubernetes quantities (`400m`, `4G`, `1.5Gi`, `1e3`), exactly.

Same grammar and rounding as apimachinery's `resource.Quantity`: an amount that is not whole in
the unit it is read in is rounded up, because a request must never be taken for less than it is.
"""

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

_FORM: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,3}))?",
    re.ASCII,
)
_SUFFIXES: Final = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    "": Fraction(1),
    "k": Fraction(10**3),
    **{letter: Fraction(1000**power) for power, letter in enumerate("MGTPE", start=2)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", start=1)},
}
LARGEST: Final = 2**63 - 1
"""No amount that Kubernetes counts is larger, in millicores or in whole units."""
_MOST_LETTERS: Final = 100
_LIKE: Final = f"a number like 400m, 2, 1.5Gi or 4G, in at most {_MOST_LETTERS} letters"


class NotAQuantity(ValueError):
    """Text that is not a Kubernetes quantity."""


def exact(text: str | float) -> Fraction:
    """The value of a quantity; raises NotAQuantity."""
    return _exact(_written(text))


def millis(text: str | float) -> int:
    """Thousandths, rounded up: millicores of a CPU quantity."""
    return _rounded_up(_written(text), 1000)


def whole(text: str | float) -> int:
    """Whole units, rounded up: bytes of a memory quantity."""
    return _rounded_up(_written(text), 1)


def expected_for(value: Any, per_unit: int) -> str:
    """What was expected in place of a value, counted in so many parts of a unit; empty: it can be asked for."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return _LIKE
    try:
        text = _written(value)
        if _exact(text) < 0:
            return "0 or more"
        return "" if _rounded_up(text, per_unit) <= LARGEST else f"at most {LARGEST // per_unit}"
    except NotAQuantity:
        return _LIKE


def _written(value: str | float) -> str:
    if isinstance(value, int) and abs(value) >= 10**_MOST_LETTERS:
        raise NotAQuantity(f"a number of more than {_MOST_LETTERS} digits is not a Kubernetes quantity")
    return str(value)


@lru_cache(maxsize=2**12)
def _rounded_up(text: str, per_unit: int) -> int:
    return math.ceil(_exact(text) * per_unit)


@lru_cache(maxsize=2**12)
def _exact(text: str) -> Fraction:
    match = _FORM.fullmatch(text) if len(text) <= _MOST_LETTERS else None
    if match is None:
        short = text[:_MOST_LETTERS]
        raise NotAQuantity(f"{short!r} is not a Kubernetes quantity; expected {_LIKE}")
    number = Fraction(match["number"])
    if match["exponent"]:
        return number * Fraction(10) ** int(match["exponent"])
    return number * _SUFFIXES[match["suffix"] or ""]
