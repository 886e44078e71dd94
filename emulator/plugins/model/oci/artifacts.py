"""What the cloud computes for repositories of images."""

from collections.abc import Mapping
from typing import Any

from emulator.oci.account import NAMESPACE, USER
from emulator.plugins.model.values import Properties


def repository(_inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """Whose it is, and that nothing is in it yet."""
    return {
        "billableSizeInGbs": "0",
        "createdBy": USER,
        "imageCount": 0,
        "layerCount": 0,
        "layersSizeInBytes": "0",
        "namespace": NAMESPACE,
        "systemTags": {},
    }
