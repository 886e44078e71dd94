"""Where the binaries are: on PATH in a fitting version, else in the cache the bootstrap fills."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from tools.pins import BY_NAME, Tool

_VERSION_TIMEOUT_S: Final = 20
_PACKAGED: Final = ("kubectl",)
"""Tools that come as Python packages, installed with the environment."""


class ToolMissing(Exception):
    """A binary is neither on PATH in a fitting version nor built."""


def cache_dir() -> Path:
    """Folder outside the clone that holds what was built, kept between clones."""
    override = os.environ.get("RIGHTSIZE_CACHE")
    if override:
        return Path(override).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "rightsize"


def bin_dir() -> Path:
    """Folder with `pulumi` and everything that has to lie beside it, to be put first on PATH.

    Raises:
        ToolMissing: when the bootstrap has not assembled it.
    """
    folder = cache_dir() / "bin" / assembly_key()
    if not (folder / "pulumi").exists():
        raise ToolMissing("pulumi: not set up yet; run `make tools`")
    return folder


def assembly_key() -> str:
    """Name of the assembled folder: changes with the engine and its language host."""
    return f"{BY_NAME['pulumi'].key}+{BY_NAME['pulumi-language-python'].version}"


def locate(name: str) -> Path:
    """Path of a tool by its name, for example `kwokctl`.

    Raises:
        ToolMissing: when it is nowhere; the message says how to get it.
    """
    if name in _PACKAGED:
        return _packaged(name)
    tool = BY_NAME[name]
    found = built(tool) or on_path(tool)
    if found is None:
        raise ToolMissing(
            f"{name}: {tool.version} is neither built nor on PATH in a fitting version; run `make tools`"
        )
    return found


def built(tool: Tool) -> Path | None:
    """The tool in the cache, if it was built."""
    path = cache_dir() / "tools" / tool.key / tool.name
    return path if path.exists() else None


@cache
def on_path(tool: Tool) -> Path | None:
    """The tool on PATH, if its version has the pinned major and minor."""
    found = shutil.which(tool.name)
    if found is None or not tool.version_argument:
        return None
    try:
        answer = subprocess.run(
            [found, tool.version_argument],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Path(found) if tool.fits(answer.stdout + answer.stderr) else None


def _packaged(name: str) -> Path:
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return beside
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(f"{name}: not in the environment and not on PATH; run `make setup`")
    return Path(found)
