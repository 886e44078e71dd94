"""What goes on after its call was answered: one thread for each operation of a cloud."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from emulator.cloud.clock import Stopped
from emulator.cloud.errors import OperationFailed

LOG: Final = logging.getLogger(__name__)

Fault = tuple[str, str]
"""Code and message."""


class Background:
    """The threads that carry operations out."""

    def __init__(self, bug_code: str) -> None:
        """`bug_code` is the cloud's word for a fault of its own."""
        self._bug_code = bug_code
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def run(self, name: str, carry_out: Callable[[], None], finish: Callable[[Fault | None], None]) -> None:
        """Begin to carry something out, and tell `finish` in the end what was wrong, or None."""

        def whole() -> None:
            finish(self._fault_of(name, carry_out))

        thread = threading.Thread(target=whole, name=name, daemon=True)
        with self._lock:
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for what goes on, for example at the end of a test or of the cloud."""
        for thread in tuple(self._threads):
            thread.join(timeout_s)

    def _fault_of(self, name: str, carry_out: Callable[[], None]) -> Fault | None:
        try:
            carry_out()
        except OperationFailed as failure:
            return failure.code, failure.message
        except Stopped:
            return self._bug_code, "the emulated cloud is shutting down"
        except Exception as bug:
            LOG.exception("%s", name)
            return self._bug_code, f"{type(bug).__name__}: {bug}"
        return None
