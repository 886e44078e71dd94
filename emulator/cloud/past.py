"""Lists as they were: what a cloud shows that is behind itself.

A list is remembered when it is asked for while the cloud is behind. What it shows is the newest answer that
is old enough; before there is one, the oldest.
"""

from collections import deque
from copy import deepcopy
from typing import Generic, TypeVar

from emulator.cloud.faults import CloudFaults

T = TypeVar("T")


class Past(Generic[T]):
    """Earlier answers, by what was asked."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[tuple[float, T]]] = {}

    def shown(self, asked: str, answer: T, faults: CloudFaults, now: float) -> T:
        """What a cloud with these faults shows for its present answer."""
        shown = self.as_it_was(asked, answer, faults.behind_s(now), now)
        if shown != answer:
            faults.note_stale(now)
        return shown

    def as_it_was(self, asked: str, answer: T, behind_s: float, now: float) -> T:
        """The answer of that long ago, given the present one."""
        if behind_s <= 0:
            self._answers.clear()
            return answer
        known = self._answers.setdefault(asked, deque())
        known.append((now, deepcopy(answer)))
        while len(known) > 1 and known[1][0] <= now - behind_s:
            known.popleft()
        return known[0][1]
