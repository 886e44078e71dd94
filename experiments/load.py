"""The load of a model, as a Kubernetes Job: what makes an operating point.

The emulated cloud reads the demand from the Job's pod and divides it among the model's ready
pods; on a real cluster the same Job runs the generator.
"""

from decimal import Decimal
from typing import Any, Final

from catalog.names import (
    DOMAIN,
    IMAGE_LOAD,
    NAMESPACE_MODELS,
    ROLE_KEY,
    ROLE_MANAGEMENT,
    resource_name,
)

LOAD_KEY: Final = f"{DOMAIN}/load"
"""Label of a load's pods; its value is the model. Not `MODEL_KEY`: they do not serve it."""

PEAK_DEMAND_CORES: Final = Decimal("2.0")
"""CPU demand at peak. At 50 % of 400m an autoscaler surely reaches n workers only above
1.1 * (n - 1) * 0.2 cores: 1.54 for the largest count published, 8."""

IMAGE: Final = f"{IMAGE_LOAD}:0.1.0"


def job_name(model: str) -> str:
    """Name of a model's load Job."""
    return f"load-{resource_name(model)}"


def job(model: str, demand_cores: Decimal = PEAK_DEMAND_CORES) -> dict[str, Any]:
    """Manifest of the Job that puts a demand on a model; admitted under Pod Security "restricted".

    It asks for little and selects the management nodes, so that it never causes a purchase.
    """
    labels = {
        "app.kubernetes.io/name": "load",
        "app.kubernetes.io/instance": job_name(model),
        LOAD_KEY: model,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job_name(model), "namespace": NAMESPACE_MODELS, "labels": labels},
        "spec": {
            "backoffLimit": 6,
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod_spec(model, demand_cores),
            },
        },
    }


def _pod_spec(model: str, demand_cores: Decimal) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "nodeSelector": {ROLE_KEY: ROLE_MANAGEMENT},
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "load",
                "image": IMAGE,
                "args": ["--model", model, "--demand-cores", str(demand_cores)],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            }
        ],
    }
