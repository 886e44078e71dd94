"""One run at a time in a folder: a second one would stop the first one's cloud."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from experiments.fault import Fault

LOCK_FILE: Final = ".lock"


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Hold the folder, made if need be; given back even when this process is killed.

    Raises:
        Fault: when it cannot be made, or another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("w", encoding="utf-8")
    except OSError as error:
        raise Fault(f"--out {folder}: cannot be written to ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Fault(f"--out {folder}: another run is writing there; choose another folder") from error
        yield
