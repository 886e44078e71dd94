"""An emulated cloud for end-to-end tests, used by its commands as a user would."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

ROOT: Final = Path(__file__).resolve().parents[2]
POLL_S: Final = 1.0

Json = dict[str, Any]


class Cloud:
    """The emulator of one home, with `pulumi` and `kubectl` in its environment."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "EMULATOR_HOME": str(home)}

    def emulator(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the emulator's commands."""
        return self.run(sys.executable, "-m", "emulator", *arguments)

    def enter(self) -> None:
        """Take over what `emulator env` exports, as `eval` in a shell does."""
        exports = self.emulator("env")
        assert exports.returncode == 0, exports.stderr
        answer = subprocess.run(
            ["/bin/sh", "-c", 'eval "$1" && exec env -0', "sh", exports.stdout],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        pairs = (entry.partition("=") for entry in answer.stdout.decode().split("\0") if entry)
        self.environment = {name: value for name, _, value in pairs}

    def run(self, *command: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, in this cloud's environment."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the engine, without questions."""
        return self.run("pulumi", *arguments, "--non-interactive", "--color", "never")

    def kubectl(self, context: str, *arguments: str, text: str | None = None) -> str:
        """Run kubectl against a stack's cluster and return what it prints; it has to succeed."""
        answer = subprocess.run(
            ["kubectl", "--context", context, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def items(self, context: str, *arguments: str) -> list[Json]:
        """List objects of a stack's cluster."""
        found: list[Json] = json.loads(self.kubectl(context, "get", *arguments, "-o", "json"))["items"]
        return found

    def instances(self) -> list[Json]:
        """Instances of the bill that run now."""
        answer = self.emulator("bill", "--json")
        assert answer.returncode == 0, answer.stderr
        return [each for each in json.loads(answer.stdout)["instances"] if each["stopped_at"] is None]

    def processes(self) -> list[psutil.Process]:
        """Processes that belong to this cloud: its home is in their command line or environment."""
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
            except psutil.Error:
                continue
            if any(str(self.home) in word for word in words) and process.pid != os.getpid():
                found.append(process)
        return found


@contextmanager
def running_cloud(home: Path) -> Iterator[Cloud]:
    """A cloud that runs for the time of a test; afterwards none of its processes may be left."""
    cloud = Cloud(home)
    started = cloud.emulator("start")
    try:
        assert started.returncode == 0, started.stderr
        cloud.enter()
        yield cloud
    finally:
        stopped = cloud.emulator("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert cloud.processes() == []


def eventually(holds: Callable[[], bool], what: str, within_s: float = 180) -> None:
    """Wait until a condition holds; fail with what was waited for."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, f"not seen within {within_s:.0f} s: {what}"
        time.sleep(POLL_S)
