"""What Google Cloud answers: its resources and its functions."""

from collections.abc import Mapping
from typing import Final

from emulator.plugins.model.contract import Function, ResourceModel

RESOURCES: Final[Mapping[str, ResourceModel]] = {}
FUNCTIONS: Final[Mapping[str, Function]] = {}

__all__ = ["FUNCTIONS", "RESOURCES"]
