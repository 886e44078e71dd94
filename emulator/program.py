"""The emulator's own copies of the project and stack files, and its Pulumi backend.

The copies' `main:` is the checkout, so the program runs unchanged and the checkout stays clean.
"""

import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from emulator.accounts import CLOUDS, Configuration
from emulator.home import Home, write_whole

PASSPHRASE: Final = "emulated"  # noqa: S105 - encrypts nothing but dummy credentials
_INIT_S: Final = 120


class ProgramFault(Exception):
    """The program cannot be set up; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Program:
    """The checkout's program, as the emulator offers it."""

    checkout: Path
    home: Home
    accounts: Mapping[str, Configuration]
    """What stack files of each cloud say of its emulated account."""
    pulumi: Path
    """The engine's command."""

    def write(self) -> tuple[str, ...]:
        """Write the copies; returns the names of the stacks.

        Raises:
            ProgramFault: a file of the checkout is missing or cannot be read.
        """
        self.home.program.mkdir()
        self.home.state.mkdir()
        project = _read(self.checkout / "Pulumi.yaml")
        project["main"] = str(self.checkout)
        _write(self.home.program / "Pulumi.yaml", project)
        stacks = self.stacks()
        for stack in stacks:
            content = _read(self.checkout / f"Pulumi.{stack}.yaml")
            content["config"] = merged(content.get("config") or {}, self.accounts[_cloud_of(stack)])
            _write(self.home.program / f"Pulumi.{stack}.yaml", content)
        return stacks

    def stacks(self) -> tuple[str, ...]:
        """Stacks of the checkout whose cloud is emulated, sorted."""
        names = (
            path.name.removeprefix("Pulumi.").removesuffix(".yaml")
            for path in self.checkout.glob("Pulumi.*.yaml")
        )
        return tuple(sorted(name for name in names if _cloud_of(name) in CLOUDS))

    def init(self, stacks: tuple[str, ...], environment: Mapping[str, str]) -> None:
        """Create the stacks in the backend, two at a time.

        Raises:
            ProgramFault: with what Pulumi said.
        """
        with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as workers:
            for fault in workers.map(lambda stack: self._init(stack, environment), stacks):
                if fault:
                    raise ProgramFault(fault)

    def _init(self, stack: str, environment: Mapping[str, str]) -> str | None:
        try:
            done = subprocess.run(
                [self.pulumi, "stack", "init", stack, "--no-select", "--non-interactive"],
                cwd=self.home.program,
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                timeout=_INIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            return f"pulumi stack init {stack}: {fault}"
        if done.returncode == 0:
            return None
        said = " ".join((done.stderr or done.stdout).split())
        return f"pulumi stack init {stack}: {said[:500]}"


def _cloud_of(stack: str) -> str:
    return stack.split("-", maxsplit=1)[0]


def merged(config: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The stack's configuration with the emulator's values; objects keep their other keys."""
    result = dict(config)
    for key, value in own.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        result[key] = {**before, **value} if both and before is not None else value
    return result


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as fault:
        raise ProgramFault(f"{path}: {fault.strerror or fault}") from fault
    except yaml.YAMLError as fault:
        raise ProgramFault(f"{path}: not YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(content, dict):
        raise ProgramFault(f"{path}: must be a YAML mapping")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    write_whole(path, yaml.safe_dump(content, sort_keys=False))
