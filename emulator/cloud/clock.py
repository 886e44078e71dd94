"""Time of an emulated cloud, passed to everything that needs it so that tests can bring their own."""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Stopped(Exception):
    """The cloud is shutting down; whoever waited gives up."""


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after that time.

        Raises:
            Stopped: the cloud shuts down meanwhile.
        """
        ...


class SystemClock:
    """The machine's clock; `stop` wakes everyone who waits."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float) -> None:
        """Return after that time, or raise `Stopped`."""
        if self._stopped.wait(max(0.0, seconds)):
            raise Stopped

    def stop(self) -> None:
        """Wake everyone who waits, now and from now on."""
        self._stopped.set()


def rfc3339(at: float) -> str:
    """A time as the clouds' JSON has it, in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
