"""What the provisioner said of a price that could be less: its own words, from its log.

It says why nothing is moved when the reason is new, and not again while it stays the same; and that a reason
holds no longer. So the last such line counts, however old it is; whether nodes have changed since is told with it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.core.explain import MOVING, WITHDRAWN

_NOT_BOUGHT: Final = frozenset({"not to be had", "order failed"})
_BOUGHT: Final = "buy"
_GIVEN_BACK: Final = "terminate: "


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the provisioner's log."""

    time: str
    """UTC in ISO 8601."""
    words: str
    is_older: bool = False
    """Whether nodes were bought or given back after it was said."""


def said_of_price(log: str, since: str) -> tuple[Said, ...]:
    """Why it does not move pods, as it said last; and since a time, which machines it did not get and why."""
    moving: Said | None = None
    refused: list[Said] = []
    for line in _lines(log):
        event, subject, time = (str(line.get(key, "")) for key in ("event", "subject", "timestamp"))
        if subject == MOVING:
            moving = None if event == WITHDRAWN else Said(time, event)
        elif moving is not None and (event == _BOUGHT or event.startswith(_GIVEN_BACK)):
            moving = Said(moving.time, moving.words, is_older=True)
        if event in _NOT_BOUGHT and time >= since:
            refused.append(Said(time, f"{line.get('size', '')} {event}: {line.get('why', '')}".strip()))
    return (*((moving,) if moving else ()), *refused)


def _lines(log: str) -> Iterator[Mapping[str, Any]]:
    """Every line that is a document of the log; others, such as a traceback's, are not."""
    for text in log.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
