"""Kubernetes quantities (`400m`, `4G`, `1.5Gi`, `1e3`), exactly.

Same grammar and rounding as apimachinery's `resource.Quantity`: an amount that is not whole in
the unit it is read in is rounded up, because a request must never be taken for less than it is.
"""

import math
import re
from fractions import Fraction
from typing import Final

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


class NotAQuantity(ValueError):
    """Text that is not a Kubernetes quantity."""


def exact(text: str | float) -> Fraction:
    """The value of a quantity; raises NotAQuantity."""
    match = _FORM.fullmatch(str(text))
    if match is None:
        message = f"{text!r} is not a Kubernetes quantity; expected a number like 400m, 2, 1.5Gi or 4G"
        raise NotAQuantity(message)
    number = Fraction(match["number"])
    if match["exponent"]:
        return number * Fraction(10) ** int(match["exponent"])
    return number * _SUFFIXES[match["suffix"] or ""]


def millis(text: str | float) -> int:
    """Thousandths, rounded up: millicores of a CPU quantity."""
    return math.ceil(exact(text) * 1000)


def whole(text: str | float) -> int:
    """Whole units, rounded up: bytes of a memory quantity."""
    return math.ceil(exact(text))
