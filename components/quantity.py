"""Amounts as Kubernetes' own quantities, exactly: `400m` of CPU, `4G` or `4Gi` of memory."""

from typing import Final

_SUFFIXES: Final = {
    "": 1,
    **{suffix: 1000**power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": 1024**power for power, suffix in enumerate("KMGTPE", start=1)},
}


def cpu_text(millicores: int) -> str:
    """`400m` for 400, `2` for 2000."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def memory_text(memory_bytes: int) -> str:
    """The shortest exact form: `4G` for 4,000,000,000, `4Gi` for 4,294,967,296."""
    forms = [
        f"{memory_bytes // factor}{suffix}"
        for suffix, factor in _SUFFIXES.items()
        if memory_bytes % factor == 0
    ]
    return min(forms, key=len) if memory_bytes else "0"
