"""The Kubernetes objects of one model server, as plain manifests.

A TorchServe Deployment that says nothing of replicas (they are the HPA's), its HPA, Service,
PodDisruptionBudget and configuration. Everything passes the Pod Security Standard "restricted".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.names import DOMAIN, MODEL_KEY, PROBE_HEADER, ROLE_INFERENCE, ROLE_KEY, resource_name
from catalog.timing import Timing
from components import guard
from components.guard import Guard
from components.image import pull_secrets
from components.quantity import cpu_text, memory_text

Manifest = dict[str, Any]

NAME_KEY: Final = "app.kubernetes.io/name"
PORT: Final = 8080
CONFIG_FOLDER: Final = "/etc/torchserve"
SCRATCH_FOLDER: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
CPU_TARGET_PERCENT: Final = 50
USER: Final = 1000
GPU_RESOURCE: Final = "nvidia.com/gpu"
SHORTEST_DEADLINE_S: Final = 300
BOOTS_PER_DEADLINE: Final = 20


_KEPT_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "536870912"}
"""Keeps the memory of one answer for the next: giving it back and asking anew takes a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Server:
    """One model server and the size of its worker pods."""

    model: str
    image: str
    archive: str
    environment: Mapping[str, str]
    cpu_millicores: int
    memory_bytes: int
    gpus: int
    max_workers: int
    pull_secret: str = field(default="", kw_only=True)
    """Name of the Secret that opens the image's registry; empty: it is open."""
    guard: Guard = field(default=Guard(), kw_only=True)

    @property
    def name(self) -> str:
        """Name of its Kubernetes objects."""
        return resource_name(self.model)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its objects, and what selects its pods."""
        return {NAME_KEY: self.name, MODEL_KEY: self.model}


@dataclass(frozen=True, slots=True)
class Placement:
    """Which nodes the pods may run on, and how a new template replaces them."""

    node_selector: Mapping[str, str]
    pod_labels: Mapping[str, str]
    alone: bool
    """At most one pod of the model on a node."""
    surge: bool
    """Whether a replacement comes before what it replaces goes: there are nodes to be had for it."""
    tolerated: tuple[str, ...] = ()
    """Keys of taints that the pods stand, beside those of inference nodes."""


def config_properties(server: Server) -> str:
    """TorchServe's configuration: one model, one worker, tuned for low latency.

    The management API stays inside the pod.
    """
    lines = (
        f"inference_address={server.guard.scheme}://0.0.0.0:{PORT}",
        "management_address=http://127.0.0.1:8081",
        "metrics_address=http://127.0.0.1:8082",
        "disable_token_authorization=true",
        "model_store=/home/model-server/model-store",
        f"load_models={server.model}={server.archive}",
        "default_workers_per_model=1",
        "number_of_netty_threads=1",
        "netty_client_threads=1",
        "max_request_size=10485760",
        # Twice the published load's requests in flight may wait for one worker until others come.
        "job_queue_size=300",
        f"number_of_gpu={server.gpus}",
        *_tls(server.guard),
        # The front end only passes requests on: a small heap, and no second compiler beside the model.
        f"vmargs=-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.io.tmpdir={SCRATCH_FOLDER}",
    )
    return "\n".join(lines) + "\n"


def _tls(wanted: Guard) -> list[str]:
    if not wanted.certificate:
        return []
    return [
        f"private_key_file={guard.FOLDER}/{guard.KEY}",
        f"certificate_file={guard.FOLDER}/{guard.CERTIFICATE}",
    ]


def deployment_spec(server: Server, placement: Placement, timing: Timing) -> Manifest:
    """The Deployment's spec, without replicas."""
    steps = {"maxSurge": 1, "maxUnavailable": 0} if placement.surge else {"maxSurge": 0, "maxUnavailable": 1}
    checksum = hashlib.sha256(config_properties(server).encode()).hexdigest()
    return {
        "selector": {"matchLabels": server.labels},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": steps},
        # A pod may have to wait for its node: for several boots before it counts as failed.
        "progressDeadlineSeconds": max(SHORTEST_DEADLINE_S, BOOTS_PER_DEADLINE * timing.boot_delay_s),
        "template": {
            "metadata": {
                "labels": {**server.labels, **placement.pod_labels},
                "annotations": {f"{DOMAIN}/config-checksum": checksum, **_guard_checksum(server.guard)},
            },
            "spec": _pod_spec(server, placement),
        },
    }


def _guard_checksum(wanted: Guard) -> dict[str, str]:
    return {f"{DOMAIN}/guard-checksum": wanted.checksum} if wanted.files else {}


def autoscaler_spec(server: Server, timing: Timing) -> Manifest:
    """The HPA's spec: on CPU, up in one step, down after the window."""
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": server.name},
        "minReplicas": 1,
        "maxReplicas": server.max_workers,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT},
                },
            }
        ],
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 0,
                "selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": server.max_workers, "periodSeconds": 15}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": timing.hpa_scale_down_window_s,
                "selectPolicy": "Max",
                "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
            },
        },
    }


def disruption_budget_spec(server: Server) -> Manifest:
    """The PodDisruptionBudget's spec: one pod at a time."""
    return {"maxUnavailable": 1, "selector": {"matchLabels": server.labels}}


def service_spec(server: Server, source_ranges: Sequence[str] = ()) -> Manifest:
    """The Service's spec: a load balancer in front of the pods, for some addresses where they are given."""
    spec: Manifest = {
        "type": "LoadBalancer",
        "selector": server.labels,
        "ports": [{"name": server.guard.scheme, "port": PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    return {**spec, "loadBalancerSourceRanges": list(source_ranges)} if source_ranges else spec


def restricted_container() -> Manifest:
    """Security context of a container that can change nothing but its volumes."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def restricted_pod() -> Manifest:
    """Security context of a pod without root."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _pod_spec(server: Server, placement: Placement) -> Manifest:
    spec: Manifest = {
        "automountServiceAccountToken": False,
        **pull_secrets(server.pull_secret),
        "nodeSelector": dict(placement.node_selector),
        "tolerations": _tolerations(server, placement),
        "securityContext": restricted_pod(),
        "containers": [_container(server)],
        "volumes": [
            {"name": "config", "configMap": {"name": server.name}},
            {"name": "scratch", "emptyDir": {}},
            *_guard_volume(server.guard),
        ],
    }
    if placement.alone:
        apart = {"labelSelector": {"matchLabels": server.labels}, "topologyKey": "kubernetes.io/hostname"}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    return spec


def _guard_volume(wanted: Guard) -> list[Manifest]:
    if not wanted.files:
        return []
    return [{"name": "guard", "secret": {"secretName": guard.SECRET, "defaultMode": 0o440}}]


def _container(server: Server) -> Manifest:
    memory = memory_text(server.memory_bytes)
    gpus = {GPU_RESOURCE: str(server.gpus)} if server.gpus else {}
    environment = {
        "LOG_LOCATION": f"{SCRATCH_FOLDER}/logs",
        "METRICS_LOCATION": f"{SCRATCH_FOLDER}/logs",
        "TEMP": SCRATCH_FOLDER,
        "OMP_NUM_THREADS": "1",
        **_KEPT_MEMORY,
        **({guard.TOKEN_FILE_ENV: f"{guard.FOLDER}/{guard.TOKEN}"} if server.guard.token else {}),
        **server.environment,
    }
    return {
        "name": "torchserve",
        "image": server.image,
        "command": ["torchserve"],
        "args": ["--start", "--foreground", "--ts-config", f"{CONFIG_FOLDER}/config.properties"],
        "env": [{"name": name, "value": value} for name, value in sorted(environment.items())],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": cpu_text(server.cpu_millicores), "memory": memory, **gpus},
            "limits": {"memory": memory, **gpus},
        },
        # TorchServe's own /ping says healthy before the model is loaded.
        "startupProbe": _probe(server, f"/predictions/{server.model}", period_s=1, failures=300),
        "readinessProbe": _probe(server, "/ping", period_s=5, failures=2),
        "livenessProbe": _probe(server, "/ping", period_s=20, failures=3),
        # The load balancer forgets a pod a little later than the pod is told to stop.
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "securityContext": restricted_container(),
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": SCRATCH_FOLDER},
            *([{"name": "guard", "mountPath": guard.FOLDER, "readOnly": True}] if server.guard.files else []),
        ],
    }


def _probe(server: Server, path: str, *, period_s: int, failures: int) -> Manifest:
    header = {"name": PROBE_HEADER, "value": "ready"}
    return {
        "httpGet": {
            "path": path,
            "port": "http",
            "httpHeaders": [header],
            **({"scheme": "HTTPS"} if server.guard.certificate else {}),
        },
        "periodSeconds": period_s,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _tolerations(server: Server, placement: Placement) -> list[Manifest]:
    role = {"key": ROLE_KEY, "operator": "Equal", "value": ROLE_INFERENCE, "effect": "NoSchedule"}
    keys = (*([GPU_RESOURCE] if server.gpus else []), *placement.tolerated)
    return [role, *({"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in keys)]
