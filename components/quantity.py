"""Kubernetes quantities, exactly: `400m` of CPU, `4G` (10^9 bytes) or `4Gi` (2^30) of memory.

The settings read them, the model servers write them; in between they are integers.
"""

import re
from decimal import Decimal
from typing import Final

_SUFFIXES: Final = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
_FORM: Final = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?")
_LARGEST: Final = Decimal(2) ** 63
"""Quantities of Kubernetes are at most 2^63 - 1."""


def parse(text: str) -> Decimal:
    """The exact value of a non-negative quantity.

    Raises:
        ValueError: when it has not the form of a Kubernetes quantity.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    exponent = suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix not in _SUFFIXES
    value = number * (Decimal(f"1{suffix}") if exponent else _SUFFIXES[suffix])
    if value >= _LARGEST:
        raise ValueError(text)
    return value


def cpu_text(millicores: int) -> str:
    """`400m` for 400, `2` for 2000."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def memory_text(memory_bytes: int) -> str:
    """The shortest exact form: `4G` for 4,000,000,000, `4Gi` for 4,294,967,296."""
    forms = [
        f"{memory_bytes // int(factor)}{suffix}"
        for suffix, factor in _SUFFIXES.items()
        if factor >= 1 and memory_bytes % int(factor) == 0
    ]
    return min(forms, key=len) if memory_bytes else "0"
