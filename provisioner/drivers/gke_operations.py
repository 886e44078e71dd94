"""Our orders to a cluster, one after the other: GKE takes one at a time.

The last order is polled for some seconds until it is done, before the next is made. One that takes longer
is waited for once, and then looked at once a round, so that the loop goes on. Orders of others are not
waited for, they make the cloud refuse ours for now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import tenacity

from provisioner.drivers.contract import Gone, Retry

_POLLS: Final = 5
"""How often an operation is asked for, ever less often: for 7.5 s altogether."""
BUSY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Operation:
    """An order that the cloud has taken."""

    name: str
    pool: str
    size: int | None = None
    """What the pool grows to; None where it does not grow."""


class Operations:
    """The last of our orders, until it is done."""

    def __init__(
        self,
        ask: Callable[..., Any],
        place: str,
        sleep: Callable[[float], None],
        on_done: Callable[[Operation, str], None],
    ) -> None:
        """Nothing is running yet.

        Args:
            ask: answers with the operation of that `name`; raises Gone when there is none.
            place: parent of the operations' names.
            sleep: waits so many seconds.
            on_done: is told of each that is done, with what went wrong; empty when nothing did.
        """
        self._ask = ask
        self._place = place
        self._sleep = sleep
        self._on_done = on_done
        self._last: Operation | None = None
        self._is_long = False
        """Whether the last was waited for in vain."""

    def remember(self, answer: Any, pool: str, size: int | None = None) -> None:
        """Take note of an order that the cloud has taken."""
        self._last = Operation(answer.name, pool, size)
        self._is_long = False

    def on(self, pool: str) -> Operation | None:
        """What is running on a pool, as of the last look."""
        return self._last if self._last and self._last.pool == pool else None

    def wait(self) -> None:
        """Wait some seconds until nothing of ours is running; raises Retry when it takes longer."""
        waiting = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda is_idle: not is_idle),
            wait=tenacity.wait_exponential(multiplier=0.5),
            stop=tenacity.stop_after_attempt(1 if self._is_long else _POLLS),
            sleep=self._sleep,
            retry_error_callback=lambda _: False,
        )
        self._is_long = not waiting(self.look)
        if self._last:
            raise Retry(f"operation {self._last.name} on {self._last.pool} is running", BUSY_S)

    def look(self) -> bool:
        """Whether nothing of ours is running."""
        last = self._last
        if last is None:
            return True
        try:
            now = self._ask(name=f"{self._place}/operations/{last.name}")
        except Gone:
            self._last = None
            return True
        if now.status.name != "DONE":
            return False
        self._last = None
        self._on_done(last, _errors_of(now))
        return True


def _errors_of(operation: Any) -> str:
    if not operation.error.code:
        return ""
    conditions = (*operation.nodepool_conditions, *operation.cluster_conditions)
    said = [operation.error.message or operation.status_message]
    said += [f"{each.code.name}: {each.message}" for each in conditions]
    return "; ".join(text for text in said if text) or "no reason given"
