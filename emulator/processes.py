"""Finds and ends the processes of an emulator, also those of one whose daemon was killed."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import psutil

from emulator.home import MARK_ENV, Home

_TERM_S: Final = 5.0
_KILL_S: Final = 5.0


def of_home(home: Home) -> Iterator[psutil.Process]:
    """Every process that carries this home's mark, the calling one apart."""
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(MARK_ENV) == str(home.path):
                yield process
        except psutil.Error:
            continue


def end_all(home: Home) -> int:
    """End every process of an emulator; returns how many there were.

    Asked first, killed after a few seconds; repeated until none is left, since one may start another.
    """
    ended = 0
    while found := list(of_home(home)):
        ended += len(found)
        for process in found:
            _quietly(process.terminate)
        _, stubborn = psutil.wait_procs(found, timeout=_TERM_S)
        for process in stubborn:
            _quietly(process.kill)
        psutil.wait_procs(stubborn, timeout=_KILL_S)
    return ended


def alive(pid: int, home: Home) -> bool:
    """Whether that process lives and is this emulator's."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK_ENV) == str(home.path)
    except psutil.Error:
        return False


def _quietly(action: Callable[[], None]) -> None:
    with suppress(psutil.Error):
        action()
