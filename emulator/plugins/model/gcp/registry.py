"""What the cloud computes for repositories of images."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model.gcp.paths import last
from emulator.plugins.model.values import Properties

_TIME: Final = "2026-01-01T00:00:00.000Z"


def repository(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Its name, since when it is there, and where images are pushed to."""
    name, labels = last(resource_id), inputs.get("labels") or {}
    return {
        "createTime": _TIME,
        "effectiveLabels": labels,
        "name": name,
        "pulumiLabels": labels,
        "registryUri": f"{inputs['location']}-docker.pkg.dev/{inputs['project']}/{name}",
        "updateTime": _TIME,
    }
