"""Google's names of the GPUs that the catalog sells, for node pools and for the labels of their nodes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ACCELERATORS: Final[Mapping[str, str]] = MappingProxyType({"T4": "nvidia-tesla-t4", "L4": "nvidia-l4"})
"""Accelerator type by the catalog's GPU model."""

ACCELERATOR_KEY: Final = "cloud.google.com/gke-accelerator"
"""Label of a GPU node; its value is the accelerator type."""
