"""Waiting for a condition, for tests that drive real processes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, ask: Callable[[], T], timeout_s: float = 60.0) -> T:
    """The first truthy answer; fails with the last one when the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}; last answer: {answer!r}")
        time.sleep(0.1)
