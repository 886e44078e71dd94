"""Variants side by side in threads, as many as memory allows, and all ended when one fails."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Final

import psutil

from experiments.fault import Interrupted

BYTES_PER_VARIANT: Final = 1_300_000_000
"""Control plane, engine and plugins of one variant."""
_CGROUP: Final = Path("/sys/fs/cgroup")
_ENGINE: Final = "pulumi"
_LOOK_S: Final = 0.5
_PATIENCE_S: Final = 10.0


def at_once(variants: int, available_bytes: int) -> int:
    """How many variants to measure at a time."""
    return max(1, min(variants, available_bytes // BYTES_PER_VARIANT))


def available_bytes() -> int:
    """Memory that may still be used: the machine's, or less under a container's limit."""
    available = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        available = min(available, limit - used)
    return available


@contextmanager
def stopped_by_signals(stop: Event) -> Iterator[None]:
    """Have Ctrl-C and its like set `stop` instead of tearing the program apart.

    Further signals change nothing: the run is already on its way to leaving nothing behind.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_all(tasks: Mapping[str, Callable[[], None]], workers: int, stop: Event, *, disposable: bool) -> None:
    """Run the tasks; on the first failure, or when `stop` is set, end the others and raise.

    `disposable` says that what the engine is in the middle of may be cut short, since the whole
    cloud goes away with the run; otherwise the engine is asked once, and waited for.

    Raises:
        Exception: the first failure, after every task has ended.
        Interrupted: when `stop` was set from outside.
    """
    failures: list[Exception] = []
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(_watched, task, stop, failures) for task in tasks.values()}
        waiting = futures
        while waiting and not stop.is_set():
            _, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        _end(waiting, disposable=disposable)
    if failures:
        raise failures[0]
    if stop.is_set():
        raise Interrupted


def _watched(task: Callable[[], None], stop: Event, failures: list[Exception]) -> None:
    """Run a task unless the run is being stopped; its failure stops the others.

    What fails after a stop by the user, or after another's failure, comes second in the list or
    is an `Interrupted`, which is no failure.
    """
    if stop.is_set():
        return
    try:
        task()
    except Interrupted:
        stop.set()
    except Exception as failure:  # noqa: BLE001  # raised again by run_all, after all have ended
        failures.append(failure)
        stop.set()


def _end(futures: Iterable[Future[None]], *, disposable: bool) -> None:
    waiting = {future for future in futures if not future.cancel()}
    for engine in _engines() if waiting else ():
        _signal(engine, signal.SIGINT)
    since = time.monotonic()
    while waiting:
        _, waiting = wait(waiting, timeout=_LOOK_S)
        if disposable and time.monotonic() - since > _PATIENCE_S:
            for engine in _engines():
                for process in (*_descendants(engine), engine):
                    _signal(process, signal.SIGKILL)


def _engines() -> list[psutil.Process]:
    """Engine commands that this process started."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if child.name() == _ENGINE:
                found.append(child)
    return found


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)
