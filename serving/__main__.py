"""`python -m serving`: runs in the environment that has TorchServe, wherever it was called from."""

import os
import sys
from pathlib import Path

from serving import environment


def main() -> None:
    """Hand over to the command line, in the other environment where this one lacks TorchServe."""
    try:
        interpreter = environment.python()
    except environment.ServingMissing as missing:
        sys.exit(f"serving: {missing}")
    if interpreter != Path(sys.executable):
        known = {**os.environ, "PYTHONPATH": str(environment.ROOT)}
        os.execve(interpreter, [str(interpreter), "-m", "serving.cli", *sys.argv[1:]], known)  # noqa: S606
    from serving.cli import app

    app()


if __name__ == "__main__":
    main()
