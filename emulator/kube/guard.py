"""Keeps one fault from ending a controller: threads of a daemon have nobody else to tell."""

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


def survives(what: str, action: Callable[[], None]) -> bool:
    """Run an action; whatever it raises is our bug, is logged with its traceback, and answered by False."""
    try:
        action()
    except Exception:  # noqa: BLE001 (the last place where a thread's fault can be told)
        _log.exception("%s: unexpected; this is a bug, please report it", what)
        return False
    return True
