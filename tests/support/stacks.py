"""Runs the project's own program against the mocks."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.mocks import Cloud, declare
from tests.support.settings import values

PROGRAM = Path(__file__).parents[2] / "__main__.py"


def run(changes: Mapping[str, Any] | None = None, *, stack: str = "oke", cloud: Cloud | None = None) -> Cloud:
    """Run `__main__.py` with the smallest valid settings, changed at dotted paths."""
    config = {f"rightsize:{key}": value for key, value in values(dict(changes or {})).items()}
    return declare(lambda: runpy.run_path(str(PROGRAM)) and None, stack=stack, config=config, cloud=cloud)
