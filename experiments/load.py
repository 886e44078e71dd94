"""The load of a model, as a Kubernetes Job: what makes an operating point.

The emulated cloud reads the demand from the Job's pod and divides it among the model's ready
pods; on a real cluster the same Job runs the generator.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from catalog.names import (
    DOMAIN,
    IMAGE_LOAD,
    NAMESPACE_MODELS,
    PULL_SECRET,
    ROLE_KEY,
    ROLE_MANAGEMENT,
    resource_name,
)

LOAD_KEY: Final = f"{DOMAIN}/load"
"""Label of a load's pods; its value is the model. Not `MODEL_KEY`: they do not serve it."""

PEAK_DEMAND_CORES: Final = Decimal("2.0")
"""CPU demand at peak. At 50 % of 400m an autoscaler surely reaches n workers only above
1.1 * (n - 1) * 0.2 cores: 1.54 for the largest count published, 8."""

RATES_PER_S: Final = {"squeezenet1_1": Decimal(11), "vgg16": Decimal("0.8")}
"""Of real load at peak, by model: what two shared cores serve in time when the workers are four."""
WORKER_CPU: Final = "100m"
"""Request of a worker under real load."""
LEAST_CORES: Final = Decimal("0.2")
"""CPU that a model's real load asks for at least: where cores are fast, its rate is raised to that. At 50 % of
100m an autoscaler surely reaches n workers only above 1.1 * (n - 1) * 0.05 cores: 0.165 for four."""
IMAGE: Final = f"{IMAGE_LOAD}:0.1.0"


def job_name(model: str) -> str:
    """Name of a model's load Job."""
    return f"load-{resource_name(model)}"


def job(model: str, demand_cores: Decimal = PEAK_DEMAND_CORES) -> dict[str, Any]:
    """Manifest of the Job whose demand on a model the emulated cloud reads; it sends nothing."""
    return _job(model, ["--model", model, "--demand-cores", str(demand_cores)])


def sending_job(model: str, url: str, registry: str = "", part: Decimal = Decimal(1)) -> dict[str, Any]:
    """Manifest of the Job that sends a part of a model's peak at its rate, however long the answers take.

    Without a registry this machine answers for every variant, and its cores decide how much CPU the rate asks
    for: it is raised where that would be too little. On a real cluster all variants get the stated rate.
    """
    arguments = ["--model", model, "--url", url, "--rate", str(RATES_PER_S[model] * part)]
    if not registry:
        arguments += ["--least-cores", str(LEAST_CORES * part)]
    return _from(registry, _job(model, arguments, _SENDER))


def closed_job(model: str, url: str, connections: int, registry: str = "") -> dict[str, Any]:
    """Manifest of the Job that keeps so many requests in flight, as the published one did."""
    arguments = ["--model", model, "--url", url, "--connections", str(connections)]
    return _from(registry, _job(model, arguments, _SENDER))


def _from(registry: str, manifest: dict[str, Any]) -> dict[str, Any]:
    """The Job with its image from a registry, which the stack's pull secret may open.

    Kubernetes passes over a secret that is not there.
    """
    if registry:
        spec = manifest["spec"]["template"]["spec"]
        spec["containers"][0]["image"] = f"{registry}/{IMAGE}"
        spec["imagePullSecrets"] = [{"name": PULL_SECRET}]
    return manifest


@dataclass(frozen=True, slots=True)
class _Size:
    memory: str
    grace_s: int
    """For the answers under way when it is stopped."""


_READ: Final = _Size("64Mi", 1)
_SENDER: Final = _Size("512Mi", 10)


def _job(model: str, arguments: list[str], size: _Size = _READ) -> dict[str, Any]:
    """Manifest of a load; admitted under Pod Security "restricted".

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
                "spec": _pod_spec(arguments, size),
            },
        },
    }


def _pod_spec(arguments: list[str], size: _Size) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "nodeSelector": {ROLE_KEY: ROLE_MANAGEMENT},
        "terminationGracePeriodSeconds": size.grace_s,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "load",
                "image": IMAGE,
                "args": arguments,
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"memory": size.memory},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            }
        ],
    }
