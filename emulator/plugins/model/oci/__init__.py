"""What OCI answers: its resources and its functions."""

from emulator.plugins.model.oci.functions import FUNCTIONS
from emulator.plugins.model.oci.resources import RESOURCES

__all__ = ["FUNCTIONS", "RESOURCES"]
