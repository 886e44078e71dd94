"""How a node of ours introduces itself: kubelet arguments, and the script that applies them.

OKE's managed node pools have no field for taints or reservations. A cloud-init script re-runs OKE's
own with more kubelet arguments; the Cluster Autoscaler reads the same arguments from the pool's
metadata to know what a node would look like.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.allocatable import DOCUMENTED, MIB, Capacity, allocatable, capacity

SYSTEM_CPU_MILLICORES: Final = 100
SYSTEM_MEMORY_MIB: Final = 100
EVICTION_MIB: Final = 100
"""The kubelet's own default threshold; it need not be said."""
DEFAULT_VOLUME_GIB: Final = 50

_SCRIPT: Final = """#!/bin/bash
curl --fail -H "Authorization: Bearer Oracle" -L0 http://169.254.169.254/opc/v2/instance/metadata/oke_init_script | base64 --decode >/var/run/oke-init.sh
bash /var/run/oke-init.sh --kubelet-extra-args "{arguments}"
"""
_GROW: Final = "/usr/libexec/oci-growfs -y\n"


@dataclass(frozen=True, slots=True)
class Machine:
    """The size of a node, as the formulas of `catalog.allocatable` take it."""

    arch: str
    vcpus: int
    memory_gib: Decimal
    gpus: int
    max_pods: int


def extra_args(machine: Machine, accounting: str, taints: tuple[str, ...] = ()) -> str:
    """Kubelet arguments which make the allocatable of `documented` accounting hold.

    Taints have the form `key=value:Effect`. No quotes: nested ones drop a taint silently.
    """
    words = _reservation(machine) if accounting == DOCUMENTED else ()
    if taints:
        words = (*words, f"--register-with-taints={','.join(taints)}")
    return " ".join(words)


def node_metadata(arguments: str, boot_volume_gib: int) -> Mapping[str, str]:
    """The metadata of a pool whose nodes take these kubelet arguments."""
    script = _SCRIPT.format(arguments=arguments) + (_GROW if boot_volume_gib > DEFAULT_VOLUME_GIB else "")
    return {
        "user_data": base64.b64encode(script.encode()).decode(),
        "kubelet-extra-args": arguments,
    }


def _reservation(machine: Machine) -> tuple[str, ...]:
    whole = _amounts(capacity, machine)
    left = _amounts(allocatable, machine)
    cpu = whole.cpu_millicores - left.cpu_millicores - SYSTEM_CPU_MILLICORES
    memory = (whole.memory_bytes - left.memory_bytes) // MIB - SYSTEM_MEMORY_MIB - EVICTION_MIB
    return (
        f"--kube-reserved=cpu={cpu}m,memory={memory}Mi",
        f"--system-reserved=cpu={SYSTEM_CPU_MILLICORES}m,memory={SYSTEM_MEMORY_MIB}Mi",
    )


def _amounts(formula: Callable[..., Capacity], machine: Machine) -> Capacity:
    return formula(
        "oke",
        DOCUMENTED,
        arch=machine.arch,
        vcpus=machine.vcpus,
        memory_gib=machine.memory_gib,
        gpus=machine.gpus,
        max_pods=machine.max_pods,
    )
