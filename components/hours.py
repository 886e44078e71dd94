"""Models that run at certain hours only: KEDA's object in the place of the autoscaler."""

from dataclasses import dataclass
from typing import Any, Final

from catalog.timing import Timing
from components.model_manifests import CPU_TARGET_PERCENT, Manifest, Server, autoscaler_spec

API_VERSION: Final = "keda.sh/v1alpha1"
KIND: Final = "ScaledObject"


@dataclass(frozen=True, slots=True)
class Hours:
    """When at least one worker runs; there is none outside of them."""

    start: str
    """Cron expression of five fields."""
    end: str
    timezone: str
    """As the IANA database names it."""


def scaled_object_spec(server: Server, timing: Timing, hours: Hours) -> Manifest:
    """The ScaledObject's spec: within the hours as the autoscaler does it, outside of them none at all.

    CPU alone never brings KEDA from one worker to none, nor back; the hours do.
    """
    autoscaler = autoscaler_spec(server, timing)
    cron: dict[str, Any] = {"timezone": hours.timezone, "start": hours.start, "end": hours.end}
    return {
        "scaleTargetRef": {"name": server.name},
        "minReplicaCount": 0,
        "maxReplicaCount": server.max_workers,
        "cooldownPeriod": timing.hpa_scale_down_window_s,
        "advanced": {
            "horizontalPodAutoscalerConfig": {"name": server.name, "behavior": autoscaler["behavior"]}
        },
        "triggers": [
            {"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(CPU_TARGET_PERCENT)}},
            {"type": "cron", "metadata": {**cron, "desiredReplicas": "1"}},
        ],
    }
