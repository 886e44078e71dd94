"""Where an emulator keeps everything, and the note that says which one is running.

Everything lies in one folder, `EMULATOR_HOME`; another folder is another emulator.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME_ENV: Final = "EMULATOR_HOME"
MARK_ENV: Final = "RIGHTSIZE_EMULATOR"
"""Every process of an emulator has this variable with its home, so that none is ever forgotten."""
_MARKER: Final = ".rightsize-emulator"
_FRESH: Final = (
    "state",
    "program",
    "account",
    "clusters",
    "credentials",
    "pulumi",
    "bin",
    "kubeconfig",
    "emulator.json",
)
"""What every start makes anew."""


class HomeFault(Exception):
    """The folder cannot be an emulator's home; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Running:
    """The note of a running daemon."""

    pid: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one emulator."""

    path: Path

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] = os.environ) -> "Home":
        """The folder that `EMULATOR_HOME` names, else the one in the user's state directory."""
        named = environ.get(HOME_ENV)
        if named:
            return cls(Path(named).expanduser().absolute())
        base = environ.get("XDG_STATE_HOME") or "~/.local/state"
        return cls(Path(base).expanduser().absolute() / "rightsize" / "emulator")

    @property
    def note(self) -> Path:
        """Process id and endpoint of the daemon."""
        return self.path / "emulator.json"

    @property
    def lock(self) -> Path:
        """Held while an emulator starts or stops."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What the daemon says."""
        return self.path / "log" / "daemon.log"

    @property
    def bin(self) -> Path:
        """Stand-ins for cloud commands, to be put on PATH."""
        return self.path / "bin"

    @property
    def pulumi(self) -> Path:
        """PULUMI_HOME, with the plugins."""
        return self.path / "pulumi"

    @property
    def state(self) -> Path:
        """Pulumi's backend."""
        return self.path / "state"

    @property
    def program(self) -> Path:
        """Copies of the project and stack files."""
        return self.path / "program"

    @property
    def kubeconfig(self) -> Path:
        """One context for each cluster."""
        return self.path / "kubeconfig"

    @property
    def clusters(self) -> Path:
        """One folder for each cluster."""
        return self.path / "clusters"

    @property
    def credentials(self) -> Path:
        """Answers of the stand-ins, one file for each cluster."""
        return self.path / "credentials"

    @property
    def account(self) -> Path:
        """Keys and certificates of the emulated account."""
        return self.path / "account"

    @property
    def last_bill(self) -> Path:
        """The bill when the emulator last stopped."""
        return self.path / "bill.json"

    def prepare(self) -> None:
        """Make the folder, empty but for logs and the last bill.

        Raises:
            HomeFault: it exists, has something in it, and is not an emulator's.
        """
        marker = self.path / _MARKER
        try:
            if self.path.exists() and not marker.exists() and any(self.path.iterdir()):
                raise HomeFault(
                    f"{HOME_ENV}: {self.path} is not empty and not an emulator's folder; name another one"
                )
            self.path.mkdir(parents=True, exist_ok=True)
            marker.touch()
            self.log.parent.mkdir(exist_ok=True)
        except OSError as fault:
            raise HomeFault(f"{HOME_ENV}: {self.path} cannot be used: {fault.strerror or fault}") from fault

    def wipe(self) -> None:
        """Remove what belongs to one run of the emulator."""
        for name in _FRESH:
            entry = self.path / name
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """What the note says; the daemon may be dead nevertheless."""
        try:
            note = json.loads(self.note.read_text())
            return Running(int(note["pid"]), str(note["endpoint"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_note(self, running: Running) -> None:
        """Leave the note, whole or not at all."""
        write_whole(self.note, json.dumps({"pid": running.pid, "endpoint": running.endpoint}) + "\n")


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file at once, so that no reader sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
