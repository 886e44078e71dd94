"""Asking a cloud in trouble again: a few times within a round, so that one failed call does not cost it.

The SDKs' own strategies do not know which errors these are: to Oracle's "Out of host capacity" is a status
500 like any other, and Google's count by time alone.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import tenacity

from provisioner.drivers.contract import Trouble

TRIES: Final = 6
"""Of ten calls that fail every other time all succeed in six rounds of seven."""
FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 2.0
LONGEST_S: Final = 25.0
"""After that long no other try begins; one that got no answer in time is made once more within it."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Again:
    """Makes a call that may be repeated until it succeeds, its error is no trouble, or it was tried enough.

    Between tries it waits up to twice as long as the last time, by chance from nothing on, so that many
    clients do not come back together: <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>.
    """

    sleep: Callable[[float], None] = time.sleep
    """Waits so many seconds."""
    draw: Callable[[], float] = random.random  # noqa: TID251 (the edge, where it is made)
    """A number from 0 to below 1."""
    clock: Callable[[], float] = time.monotonic

    def __call__(self, act: Callable[[], Answer]) -> Answer:
        """What the call answers; raises its last error."""
        began = self.clock()
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Trouble),
            stop=lambda state: state.attempt_number >= TRIES or self.clock() - began >= LONGEST_S,
            wait=lambda state: (
                self.draw() * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (state.attempt_number - 1))
            ),
            sleep=self.sleep,
            reraise=True,
        )
        return trying(act)
