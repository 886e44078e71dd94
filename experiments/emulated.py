"""An emulated cloud of the run's own: started, asked and stopped by its command line.

The emulator is a peer, not a library: it is used as a user would, so what works here works by hand.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from experiments.fault import Fault
from experiments.order import MODELLED

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout: where `python -m emulator` is run from."""

HOME_ENV: Final = "EMULATOR_HOME"
_TIMEOUT_S: Final = 120
_QUIET: Final = 2


class EmulatedCloud:
    """The running emulator of one home folder."""

    def __init__(self, home: Path, serving: str = MODELLED) -> None:
        self.home = home.resolve()
        self._serving = serving

    def start(self) -> None:
        """Start it, replacing one that a killed run may have left in the same home.

        Raises:
            Fault: with the emulator's own line.
        """
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        options = () if self._serving == MODELLED else ("--serving", self._serving)
        self._run("start", *options)

    def stop(self) -> None:
        """Stop it with all its clusters; nothing to do when it does not run.

        Raises:
            Fault: when it does not stop.
        """
        if self.home.exists():
            self._run("stop")

    def environment(self) -> dict[str, str]:
        """The environment in which plain `pulumi` and `kubectl` speak to this cloud.

        The exports of `emulator env` are POSIX shell, so a shell reads them.

        Raises:
            Fault: when there are none.
        """
        script = 'eval "$1" && exec env -0'
        answer = subprocess.run(
            ["/bin/sh", "-c", script, "sh", self._run("env")],
            capture_output=True,
            check=False,
            env=self._env(),
        )
        if answer.returncode != 0:
            raise Fault(f"emulator env: not POSIX exports ({answer.stderr.decode().strip()})")
        pairs = (entry.partition("=") for entry in answer.stdout.decode().split("\0") if entry)
        return {name: value for name, _, value in pairs}

    def bill(self) -> str:
        """The bill as JSON text.

        Raises:
            Fault: when the emulator does not answer.
        """
        return self._run("bill", "--json")

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "emulator", *arguments]
        try:
            # A session of its own: Ctrl-C in the terminal must not hit the command that stops it.
            answer = subprocess.run(
                command,
                cwd=ROOT,
                env=self._env(),
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_S,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise Fault(
                f"emulator {arguments[0]}: no answer within {_TIMEOUT_S} s; see {self.home / 'log'}"
            ) from error
        if answer.returncode != 0:
            said = (answer.stderr or answer.stdout).strip().splitlines() or ["no reason given"]
            words = " ".join(said[-_QUIET:]).removeprefix("emulator: ")
            raise Fault(f"emulator {arguments[0]}: {words}")
        return answer.stdout

    def _env(self) -> dict[str, str]:
        return {**os.environ, HOME_ENV: str(self.home)}


@contextmanager
def own_cloud(home: Path, serving: str = MODELLED) -> Iterator[EmulatedCloud]:
    """An emulated cloud for the time of a run; stopped however the run ends.

    This process speaks to it meanwhile, as a shell does after `eval "$(python -m emulator env)"`:
    the engine is found, and credentials of its kubeconfigs are. The home is kept, for its logs,
    when the run fails.
    """
    cloud = EmulatedCloud(home, serving)
    try:
        cloud.start()
        with _within(cloud.environment()):
            yield cloud
    except BaseException as failure:
        _stop_after(failure, cloud)
        raise
    cloud.stop()
    shutil.rmtree(home, ignore_errors=True)


def _stop_after(failure: BaseException, cloud: EmulatedCloud) -> None:
    try:
        cloud.stop()
    except Fault as fault:
        raise Fault(f"{failure or 'interrupted'}; and the emulator was not stopped: {fault}") from failure


@contextmanager
def _within(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
