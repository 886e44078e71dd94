"""Puts the plugins where the engine finds them without a word: into its plugin folder.

On PATH they would work as well, but the engine warns of it at every command.
"""

import importlib.metadata
import shlex
import stat
import sys
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_DISTRIBUTIONS: Final = {"gcp": "pulumi-gcp", "kubernetes": "pulumi-kubernetes", "oci": "pulumi-oci"}
"""Plugin to the SDK that asks for it; it asks for exactly its own version."""


def install(pulumi_home: Path, emulator_home: Path) -> None:
    """Write the plugins of every emulated provider into a PULUMI_HOME; again is fine.

    They run with this interpreter and this checkout, and find the emulated cloud by its home.
    """
    for name, distribution in _DISTRIBUTIONS.items():
        version = importlib.metadata.version(distribution)
        folder = pulumi_home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / f"pulumi-resource-{name}"
        content = _script(name, emulator_home.resolve())
        if not script.exists() or script.read_text() != content:
            # A running engine must never see half a script.
            fresh = script.with_suffix(".new")
            fresh.write_text(content)
            fresh.chmod(fresh.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
            fresh.replace(script)


def _script(name: str, emulator_home: Path) -> str:
    environment = {"EMULATOR_HOME": str(emulator_home), "PYTHONPATH": str(_CHECKOUT)}
    exports = "\n".join(f"export {key}={shlex.quote(value)}" for key, value in environment.items())
    interpreter = shlex.quote(sys.executable)
    return f'#!/bin/sh\n{exports}\nexec {interpreter} -m emulator.plugins {name} "$@"\n'
