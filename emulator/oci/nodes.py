"""How a node of the container engine looks to Kubernetes: labels, annotations, taints, resources."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emulator.kube.spec import NODE_POOL_ANNOTATION, NodeSpec, Taint
from emulator.oci import account
from emulator.oci.shapes import Machine
from emulator.oci.state import Cluster, NodePool
from emulator.oci.wire import Placement

KUBELET_ARGS_KEY: Final = "kubelet-extra-args"
_TAINTS_FLAG: Final = "--register-with-taints"
_TAINT: Final = re.compile(
    r"^(?P<key>[^=:]+)(?:=(?P<value>[^:]*))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)$"
)
_FLANNEL_MAX_PODS: Final = 110
_PREEMPTIBLE: Final = "oci.oraclecloud.com/oke-is-preemptible"


class TaintFault(Exception):
    """A taint in the kubelet's arguments that the kubelet would not start with."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names and the place of one instance."""

    instance_id: str
    display_name: str
    private_ip: str
    fault_domain: str


def node_spec(cluster: Cluster, pool: NodePool, placement: Placement, names: Names) -> NodeSpec:
    """The node that an instance of the pool, launched now, becomes."""
    machine = pool.machine
    accounting = cluster.pace.accounting
    pods = _max_pods(cluster, pool)
    return NodeSpec(
        name=names.private_ip,
        provider_id=names.instance_id,
        internal_ip=names.private_ip,
        labels={**_own_labels(cluster, pool, placement, names), **_initial_labels(pool)},
        annotations={
            NODE_POOL_ANNOTATION: pool.id,
            "oci.oraclecloud.com/compartment-id": pool.details.compartment_id,
            "alpha.kubernetes.io/provided-node-ip": names.private_ip,
        },
        taints=(*registered_taints(pool.details.node_metadata or {}), *_automatic_taints(machine)),
        capacity=machine.capacity(accounting, pods),
        allocatable=machine.allocatable(accounting, pods),
        arch=machine.arch,
        kubelet_version=pool.kubernetes_version,
    )


def registered_taints(metadata: dict[str, str]) -> tuple[Taint, ...]:
    """Taints in the pool's kubelet arguments, `--register-with-taints=key=value:Effect,…`.

    Raises:
        TaintFault: for one that a kubelet would refuse.
    """
    taints = []
    for text in _flag_values(shlex.split(metadata.get(KUBELET_ARGS_KEY, ""))):
        for part in filter(None, text.split(",")):
            match = _TAINT.match(part.strip())
            if match is None:
                raise TaintFault(
                    f"nodeMetadata.{KUBELET_ARGS_KEY}: '{part}' is no taint; expected key=value:Effect"
                )
            taints.append(Taint(match["key"], match["value"] or "", match["effect"]))
    return tuple(taints)


def _flag_values(arguments: Sequence[str]) -> list[str]:
    values = []
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{_TAINTS_FLAG}="):
            values.append(argument.removeprefix(f"{_TAINTS_FLAG}="))
        elif argument == _TAINTS_FLAG and place + 1 < len(arguments):
            values.append(arguments[place + 1])
    return values


def _automatic_taints(machine: Machine) -> tuple[Taint, ...]:
    gpu = (Taint("nvidia.com/gpu", "present", "NoSchedule"),) if machine.gpus else ()
    preemptible = (Taint(_PREEMPTIBLE, "present", "NoSchedule"),) if machine.preemptible else ()
    return (*gpu, *preemptible)


def _own_labels(cluster: Cluster, pool: NodePool, placement: Placement, names: Names) -> dict[str, str]:
    machine = pool.machine
    zone = account.zone_of(placement.availability_domain)
    labels = {
        "kubernetes.io/arch": machine.arch,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": names.private_ip,
        "beta.kubernetes.io/arch": machine.arch,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/instance-type": machine.shape,
        "node.kubernetes.io/instance-type": machine.shape,
        "topology.kubernetes.io/region": account.REGION_LABEL,
        "topology.kubernetes.io/zone": zone,
        "failure-domain.beta.kubernetes.io/region": account.REGION_LABEL,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "oci.oraclecloud.com/fault-domain": names.fault_domain,
        "oke.oraclecloud.com/node.info.private_subnet": "true",
        "oke.oraclecloud.com/node.info.private_worker": "true",
        "displayName": names.display_name,
        "hostname": names.display_name,
        "internal_addr": names.private_ip,
        "name": pool.details.name,
    }
    if cluster.vcn_native:
        labels["oci.oraclecloud.com/vcn-native-ip-cni"] = "true"
    if machine.preemptible:
        labels[_PREEMPTIBLE] = "true"
    return labels


def _initial_labels(pool: NodePool) -> dict[str, str]:
    return {label.key: label.value for label in pool.details.initial_node_labels or ()}


def _max_pods(cluster: Cluster, pool: NodePool) -> int:
    options = pool.details.node_config_details.node_pool_pod_network_option_details
    asked = options.max_pods_per_node if options is not None else None
    if not cluster.vcn_native:
        return asked or _FLANNEL_MAX_PODS
    return pool.machine.max_pods(cluster.pace.accounting, asked)
