"""What Google Cloud answers: its resources and its functions."""

from emulator.plugins.model.gcp.functions import FUNCTIONS
from emulator.plugins.model.gcp.resources import RESOURCES

__all__ = ["FUNCTIONS", "RESOURCES"]
