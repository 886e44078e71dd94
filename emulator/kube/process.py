"""One run of a container as a local process: start it, log it, measure it, end it."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from emulator.kube.podfiles import PodFolder, record_process
from emulator.kube.podlog import PodLog
from emulator.kube.podstatus import Run

CHECKOUT: Final = Path(__file__).resolve().parents[2]
"""Working directory of the processes: where the project's packages are found."""

_LAST_WORDS_S: Final = 2.0
"""How long to wait for output after the end: somebody outside the group may hold the pipe open."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to start."""

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: PodFolder


@dataclass(frozen=True, slots=True)
class Use:
    """What a process tree has used, and holds."""

    cpu_s: float
    memory_bytes: int


class RunningProcess:
    """A started process, leader of a group of its own, so that nothing of it outlives the pod.

    Raises OSError when it cannot be started.
    """

    def __init__(self, command: Command, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._folder = command.folder
        self.started = clock()
        self._process = subprocess.Popen(
            list(command.words),
            cwd=CHECKOUT,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._seen = psutil.Process(self._process.pid)
        record_process(command.folder, self._seen)
        self._reader = threading.Thread(target=self._log, name=f"log of {self._process.pid}", daemon=True)
        self._reader.start()

    def wait(self, timeout_s: float | None = None) -> Run | None:
        """Return when the process has ended and its output is in the log; None when the time is over first."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._signal(signal.SIGKILL)  # what it left behind in its group
        self._reader.join(_LAST_WORDS_S)
        return Run(self.started, self._clock(), 128 - code if code < 0 else code)

    def end(self, grace_s: float) -> None:
        """Ask it to end, and kill it when the grace is over; returns at once."""
        if grace_s <= 0:
            self._signal(signal.SIGKILL)
            return
        self._signal(signal.SIGTERM)
        timer = threading.Timer(grace_s, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()
        threading.Thread(target=self._cancel_when_gone, args=[timer], daemon=True).start()

    def use(self) -> Use | None:
        """What the process and its children use, None when it has ended."""
        try:
            tree = [self._seen, *self._seen.children(recursive=True)]
            cpu_s, memory_bytes = 0.0, 0
            for process in tree:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s += times.user + times.system
                    memory_bytes += process.memory_info().rss
        except psutil.Error:
            return None
        return Use(cpu_s, memory_bytes)

    def _log(self) -> None:
        if self._process.stdout is not None:
            with PodLog(self._folder.log, self._clock) as log, self._process.stdout as output:
                for line in output:
                    log.write(line)

    def _cancel_when_gone(self, timer: threading.Timer) -> None:
        self._process.wait()
        timer.cancel()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return
