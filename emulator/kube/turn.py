"""A place among those that start: taken before a slow start, given back when it is over."""

import threading
import time
from typing import Final

_LONGEST_S: Final = 60.0
"""After that the next one starts, whatever keeps this one."""
_LOOK_S: Final = 0.2


class Turn:
    """One place of a semaphore; None is a start that waits for nobody. For one thread."""

    def __init__(self, places: threading.Semaphore | None) -> None:
        self._places = places
        self._taken_at: float | None = None

    @property
    def overdue(self) -> bool:
        """Whether it has been held for too long."""
        return self._taken_at is not None and time.monotonic() - self._taken_at > _LONGEST_S

    def take(self, ending: threading.Event) -> None:
        """Wait for a place, or for the end."""
        while self._places is not None and self._taken_at is None and not ending.is_set():
            if self._places.acquire(timeout=_LOOK_S):
                self._taken_at = time.monotonic()

    def give_back(self) -> None:
        """Let the next one start; again does nothing."""
        if self._places is not None and self._taken_at is not None:
            self._taken_at = None
            self._places.release()
