"""A container's log file in the CRI format, which kwok serves to `kubectl logs`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

_LARGEST_BYTES: Final = 10 * 2**20
"""As a kubelet's `containerLogMaxSize`; one older file is kept."""


def cri_line(moment: datetime, text: bytes) -> bytes:
    """One line of output: `2026-01-01T00:00:00.000000Z stdout F text`."""
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
    return stamp + b" stdout F " + text.rstrip(b"\r\n") + b"\n"


class PodLog:
    """Appends lines; begins a new file when the present one has grown too large."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._file: BinaryIO = path.open("ab", buffering=0)

    def write(self, text: bytes) -> None:
        """Append one line of output."""
        if self._file.tell() > _LARGEST_BYTES:
            self._file.close()
            self._path.replace(self._path.with_suffix(".1"))
            self._file = self._path.open("ab", buffering=0)
        self._file.write(cri_line(self._clock(), text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
