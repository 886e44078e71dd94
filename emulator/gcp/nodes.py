"""How a node of GKE looks to Kubernetes: labels, annotations, taints, resources."""

from collections.abc import Iterable, Iterator
from typing import Final

from google.cloud import container_v1

from catalog.accelerators import ACCELERATOR_KEY
from emulator.gcp.account import PROJECT, region_of
from emulator.gcp.machines import Machine
from emulator.gcp.state import Cluster, Instance, NodePool
from emulator.kube.spec import NodeSpec, NodeSystem, Taint

MAX_PODS: Final = 110
GPU_TAINT: Final = Taint("nvidia.com/gpu", "present", "NoSchedule")
ARM_TAINT: Final = Taint("kubernetes.io/arch", "arm64", "NoSchedule")
_COS: Final = NodeSystem("Container-Optimized OS from Google", "6.12.55+", "containerd://2.1.5")
_EFFECTS: Final = {1: "NoSchedule", 2: "PreferNoSchedule", 3: "NoExecute"}
_EFFECT_NUMBERS: Final = {name: number for number, name in _EFFECTS.items()}
_TEMPLATE: Final = "template"


def node_spec(cluster: Cluster, pool: NodePool, instance: Instance) -> NodeSpec:
    """The node that an instance, launched now, becomes."""
    machine = instance.machine
    limit = int(pool.message.max_pods_constraint.max_pods_per_node) or MAX_PODS
    capacity, allocatable = machine.amounts(cluster.pace.accounting, limit)
    return NodeSpec(
        name=instance.name,
        provider_id=provider_id(machine.zone, instance.name),
        internal_ip=instance.private_ip,
        labels={
            **_own_labels(pool, instance, capacity.pods),
            **dict(pool.message.config.labels),
        },
        annotations={
            "container.googleapis.com/instance_id": instance.number,
            "alpha.kubernetes.io/provided-node-ip": instance.private_ip,
        },
        taints=taints(pool.message.config, machine, gpu_taint=pool.gpu_taint),
        capacity=capacity,
        allocatable=allocatable,
        arch=machine.arch,
        kubelet_version=f"v{pool.message.version}",
        system=_COS,
    )


def template(cluster: Cluster, pool: NodePool, machine: Machine) -> NodeSpec:
    """How a node of the pool would look."""
    return node_spec(cluster, pool, Instance(_TEMPLATE, "0", machine, 0.0))


def provider_id(zone: str, name: str) -> str:
    """By what Kubernetes knows an instance."""
    return f"gce://{PROJECT}/{zone}/{name}"


def taints(config: container_v1.NodeConfig, machine: Machine, *, gpu_taint: bool) -> tuple[Taint, ...]:
    """Taints that the pool was given, and those that the cloud adds."""
    given = [Taint(taint.key, taint.value, _EFFECTS[int(taint.effect)]) for taint in config.taints]
    keys = {taint.key for taint in given}
    return (
        *given,
        *(taint for taint in _added(config, machine, gpu_taint=gpu_taint) if taint.key not in keys),
    )


def taint_messages(all_taints: Iterable[Taint]) -> list[container_v1.NodeTaint]:
    """Taints as a pool's configuration has them."""
    return [
        container_v1.NodeTaint(
            key=taint.key,
            value=taint.value,
            effect=container_v1.NodeTaint.Effect(_EFFECT_NUMBERS[taint.effect]),
        )
        for taint in all_taints
    ]


def _added(config: container_v1.NodeConfig, machine: Machine, *, gpu_taint: bool) -> Iterator[Taint]:
    behaviour = container_v1.TaintConfig.ArchitectureTaintBehavior
    if machine.arch == "arm64" and config.taint_config.architecture_taint_behavior != behaviour.NONE:
        yield ARM_TAINT
    if machine.gpus and gpu_taint:
        yield GPU_TAINT


def _own_labels(pool: NodePool, instance: Instance, pods: int) -> dict[str, str]:
    machine = instance.machine
    region = region_of(machine.zone)
    google = "cloud.google.com"
    labels = {
        "kubernetes.io/arch": machine.arch,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": instance.name,
        "beta.kubernetes.io/arch": machine.arch,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/instance-type": machine.machine_type,
        "node.kubernetes.io/instance-type": machine.machine_type,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": machine.zone,
        "topology.gke.io/zone": machine.zone,
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": machine.zone,
        f"{google}/gke-nodepool": pool.name,
        f"{google}/gke-boot-disk": pool.message.config.disk_type,
        f"{google}/gke-container-runtime": "containerd",
        f"{google}/gke-cpu-scaling-level": str(machine.vcpus),
        f"{google}/gke-memory-gb-scaling-level": str(int(machine.memory_gib)),
        f"{google}/gke-logging-variant": "DEFAULT",
        f"{google}/gke-max-pods-per-node": str(pods),
        f"{google}/gke-os-distribution": "cos",
        f"{google}/gke-provisioning": "spot" if machine.spot else "standard",
        f"{google}/gke-stack-type": "IPV4",
        f"{google}/machine-family": machine.machine_type.partition("-")[0],
        f"{google}/private-node": "true",
        "iam.gke.io/gke-metadata-server-enabled": "true",
    }
    if machine.spot:
        labels[f"{google}/gke-spot"] = "true"
    if machine.gpus:
        labels[ACCELERATOR_KEY] = machine.accelerator
        labels[f"{google}/gke-accelerator-count"] = str(machine.gpus)
    return labels
