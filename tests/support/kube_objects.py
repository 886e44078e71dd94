"""Builders of the small values that emulated controllers decide on."""

from collections.abc import Mapping
from typing import Any

from catalog.allocatable import Capacity
from catalog.names import MODEL_KEY
from emulator.kube.objects import Node, Placement, Pod, Requirement, Resources, Toleration
from emulator.kube.spec import NodeSpec, ScalablePool, Taint

GIB = 2**30
NOWHERE = Placement(node_selector={}, node_terms=(), tolerations=(), apart_from=())


def resources(cpu: int = 100, memory_gib: int = 1, gpus: int = 0, pods: int = 1) -> Resources:
    return Resources(cpu, memory_gib * GIB, gpus, pods)


def placement(
    *,
    selector: Mapping[str, str] | None = None,
    terms: tuple[tuple[Requirement, ...], ...] = (),
    tolerations: tuple[Toleration, ...] = (),
    apart_from: tuple[tuple[Requirement, ...], ...] = (),
) -> Placement:
    return Placement(selector or {}, terms, tolerations, apart_from)


def pod(name: str = "pod", **overrides: Any) -> Pod:
    values: dict[str, Any] = {
        "namespace": "inference",
        "name": name,
        "uid": f"uid-{name}",
        "labels": {},
        "annotations": {},
        "owner_kind": "ReplicaSet",
        "deletion_requested": False,
        "deletion_grace_s": 0.0,
        "phase": "Running",
        "ready": True,
        "unschedulable": False,
        "node_name": "node",
        "service_account": "default",
        "images": ("any",),
        "args": (),
        "requests": resources(),
        "placement": NOWHERE,
        "local_storage": False,
    }
    return Pod(**{**values, **overrides})


def waiting(name: str = "waiting", **overrides: Any) -> Pod:
    return pod(
        name, **{"phase": "Pending", "ready": False, "unschedulable": True, "node_name": "", **overrides}
    )


def model_pod(name: str, model: str = "vgg16", **overrides: Any) -> Pod:
    return pod(name, **{"labels": {MODEL_KEY: model}, **overrides})


def load_pod(name: str, model: str, cores: str, **overrides: Any) -> Pod:
    args = ("--model", model, "--demand-cores", cores)
    return pod(name, **{"images": ("rightsize/load:0.1.0",), "args": args, "owner_kind": "Job", **overrides})


def kube_node(name: str = "node", **overrides: Any) -> Node:
    values: dict[str, Any] = {
        "name": name,
        "labels": {},
        "annotations": {},
        "taints": (),
        "unschedulable": False,
        "ready": True,
        "allocatable": resources(1000, 8, pods=31),
        "created_at": 0.0,
    }
    return Node(**{**values, **overrides})


def pool(
    names: tuple[str, ...] = (),
    *,
    pool_id: str = "pool",
    size: int | None = None,
    cpu: int = 1000,
    gpus: int = 0,
    labels: Mapping[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
) -> ScalablePool:
    capacity = Capacity(cpu, 8 * GIB, gpus, 31)
    template = NodeSpec(
        name="template",
        provider_id="",
        internal_ip="10.0.0.1",
        labels=labels or {},
        annotations={},
        taints=taints,
        capacity=capacity,
        allocatable=capacity,
        arch="arm64",
    )
    return ScalablePool(pool_id, len(names) if size is None else size, names, template)
