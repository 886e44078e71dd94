"""Waiting for what an emulated cloud does in the background."""

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from emulator.plugins.provider import Request
from emulator.plugins.rest.api import ApiFault

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0
_PATIENCE_S: Final = 1200.0
"""As long as the official providers wait where the program gives no timeout."""

T = TypeVar("T")


class Unfinished(Exception):
    """An operation failed, or took too long; the message says why."""


def pauses(request: Request) -> Iterator[bool]:
    """Whether there is time left, again and again with a pause in between that grows.

    Raises:
        Refused: the user cancelled.
    """
    deadline = time.monotonic() + (request.timeout_s or _PATIENCE_S)
    pause = _FIRST_PAUSE_S
    while True:
        yield time.monotonic() <= deadline
        request.pause(pause)
        pause = min(_LONGEST_PAUSE_S, pause * 1.5)


def patiently(
    request: Request, call: Callable[[], T], *, also: Callable[[ApiFault], bool] | None = None
) -> T:
    """What a call answers, made again while the API says that it may succeed later.

    `also` names further faults that are worth waiting for.

    Raises:
        ApiFault: for good, or still after the time there is.
        Refused: the user cancelled.
    """
    told = False
    for in_time in pauses(request):
        try:
            answer = call()
        except ApiFault as fault:
            worth_it = fault.passing or (also is not None and also(fault))
            if not worth_it or not in_time:
                raise
            request.status.say(str(fault))
            told = True
        else:
            if told:
                request.status.say("")
            return answer
    raise AssertionError  # pauses never end
