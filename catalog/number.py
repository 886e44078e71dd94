"""Numbers as people write them into catalogs and annotations: digits, a point, perhaps an exponent."""

import re
from decimal import Decimal
from typing import Final

_FORM: Final = re.compile(r"(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?", re.ASCII)


def exact(text: str) -> Decimal:
    """A number from 0 up; raises ValueError for all else that Python takes (`1_0`, `NaN`, `1e999999`)."""
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a number")
    return Decimal(text)
