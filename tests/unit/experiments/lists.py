"""Builders of raw Kubernetes items, as the API server prints them."""

from typing import Any

from catalog.names import MODEL_KEY, NAMESPACE_MODELS, resource_name
from experiments.reading import Lists


def pod(
    name: str, *, model: str = "", phase: str = "Running", ready: bool = True, **meta: Any
) -> dict[str, Any]:
    labels = {**({MODEL_KEY: model} if model else {}), **meta.pop("labels", {})}
    return {
        "metadata": {"name": name, "namespace": NAMESPACE_MODELS, "labels": labels, **meta},
        "spec": {},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def node(name: str, *, ready: bool = True, spec: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, **meta},
        "spec": spec or {},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}]},
    }


def autoscaler(model: str, *, replicas: int = 1, window_s: int = 10, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": resource_name(model), "namespace": NAMESPACE_MODELS},
        "spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": window_s}}},
        "status": {
            "desiredReplicas": replicas,
            "currentReplicas": replicas,
            "currentMetrics": [
                {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 0}}}
            ],
            "conditions": [{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}],
            **status,
        },
    }


def metrics(*pods: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name, "namespace": NAMESPACE_MODELS}} for name in pods]


def lists(**overrides: Any) -> Lists:
    plain: dict[str, Any] = {
        "nodes": [node("a")],
        "pods": [pod("squeezenet1-1-x", model="squeezenet1_1")],
        "autoscalers": [autoscaler("squeezenet1_1")],
        "metrics": metrics("squeezenet1-1-x"),
    }
    return Lists(**{**plain, **overrides})
