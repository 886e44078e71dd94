"""Builders of resources as the engine's state has them."""

from typing import Any

INFERENCE = {"rightsize.io/role": "inference"}
MANAGEMENT = {"rightsize.io/role": "management"}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}


def row(kind: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "urn": f"urn:pulumi:s::rightsize::parent${kind}::{name}",
        "id": f"id-{name}",
        "inputs": inputs,
    }


def oke_pool(
    name: str, size: int = 6, shape: str = "VM.GPU2.1", labels: dict[str, str] = INFERENCE
) -> dict[str, Any]:
    return row(
        "oci:ContainerEngine/nodePool:NodePool",
        name,
        nodeShape=shape,
        nodeConfigDetails={"size": size},
        initialNodeLabels=[{"key": key, "value": value} for key, value in labels.items()],
    )


def oke_autoscaler(most: int, *pools: str) -> dict[str, Any]:
    nodes = ", ".join(f"0:{most}:id-{pool}" for pool in pools)
    settings = [{"key": "scanInterval", "value": "2s"}, {"key": "nodes", "value": nodes}]
    return row("oci:ContainerEngine/addon:Addon", "ClusterAutoscaler", configurations=settings)


def gke_pool(name: str, labels: dict[str, str] = INFERENCE, **inputs: Any) -> dict[str, Any]:
    config = {
        "machineType": "n1-standard-2",
        "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}],
        "labels": labels,
    }
    return row("gcp:container/nodePool:NodePool", name, nodeConfig=config, **inputs)


def autoscaler(model: str, most: int) -> dict[str, Any]:
    kind = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
    return row(kind, model, spec={"maxReplicas": most})
