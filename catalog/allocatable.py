"""What a node leaves to pods: the clouds' reservations and DaemonSets, as formulas.

The emulated cloud registers its nodes by these functions and the planner plans by them, so the
two agree by construction. Two accountings: `documented` is each cloud's own reservations,
`nominal` is none at all (allocatable = capacity, no DaemonSets), which no real cloud has.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Protocol

DOCUMENTED: Final = "documented"
NOMINAL: Final = "nominal"
ACCOUNTINGS: Final = (DOCUMENTED, NOMINAL)

MAX_PODS: Final = 110
"""Kubernetes' own limit of pods on a node, where a cloud sets none."""

MIB: Final = 2**20
GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Capacity:
    """Amounts of one node."""

    cpu_millicores: int
    memory_bytes: int
    gpus: int
    pods: int


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """A DaemonSet that the cloud itself runs, with the requests of one of its pods."""

    name: str
    cpu_millicores: int
    memory_bytes: int
    gpu_only: bool = False


class Rule(Protocol):
    """One cloud's way from a machine to what pods may use of it."""

    @property
    def daemon_sets(self) -> tuple[DaemonSet, ...]:
        """DaemonSets that the cloud runs on its nodes."""

    def hidden_bytes(self, memory_gib: Decimal, arch: str) -> int:
        """Memory the machine has and the kubelet does not see."""

    def reserved_bytes(self, memory_gib: Decimal) -> int:
        """Memory kept for kubelet, system and eviction."""

    def reserved_millicores(self, vcpus: int, machine_type: str) -> int:
        """CPU kept for kubelet and system, fractions rounded up."""

    def max_pods(self, ocpus: int) -> int:
        """The most pods of a node of so many cores."""

    def least_memory_gib(self, family: str) -> int:
        """The least memory with which a machine of that family becomes a useful node."""


class Oke:
    """Oracle's managed nodes with VCN-native pod networking.

    Sources: Oracle's cluster management best practices (kube-reserved CPU table, system-reserved
    100m and 100 MiB, eviction 100 MiB); kube-reserved memory and the part of memory that the
    kubelet does not see are fitted to measured nodes. Pools of this project set the reservations
    themselves, so they hold.
    """

    daemon_sets = (
        DaemonSet("csi-oci-node", 30, 70 * MIB),
        DaemonSet("proxymux-client", 50, 64 * MIB),
        DaemonSet("kube-proxy", 0, 0),
        DaemonSet("vcn-native-ip-cni", 0, 0),
    )
    _kube_reserved_millicores: Mapping[int, int] = MappingProxyType({1: 60, 2: 70, 3: 80, 4: 85, 5: 90})

    def hidden_bytes(self, memory_gib: Decimal, arch: str) -> int:  # noqa: ARG002 (alike on both)
        """380 MiB and 20 MiB for each GiB."""
        return math.ceil((380 + 20 * memory_gib) * MIB)

    def reserved_bytes(self, memory_gib: Decimal) -> int:
        """kube-reserved 1 GiB up to 8 GiB, else floor(2.5 + (GiB - 16) / 16) GiB; 200 MiB beside it."""
        kube_gib = 1 if memory_gib <= 8 else math.floor((40 + memory_gib - 16) / 16)  # noqa: PLR2004 (the formula)
        return kube_gib * GIB + 200 * MIB

    def reserved_millicores(self, vcpus: int, machine_type: str) -> int:  # noqa: ARG002 (alike on all)
        """kube-reserved 60, 70, 80, 85, 90m for 1 to 5 cores and 2.5m for each more; system 100m."""
        known = self._kube_reserved_millicores
        kube = known.get(vcpus, math.ceil(90 + Decimal("2.5") * (vcpus - 5)))
        return kube + 100

    def max_pods(self, ocpus: int) -> int:
        """31 addresses for each network interface but the first; 2 to 24 interfaces, one an OCPU."""
        interfaces = min(24, max(2, ocpus))
        return min(MAX_PODS, 31 * (interfaces - 1))

    def least_memory_gib(self, family: str) -> int:
        """4 GiB for A1: below, reservations leave nothing that is documented."""
        return 4 if family == "VM.Standard.A1" else 1


class Gke:
    """Google's managed nodes on Container-Optimized OS, with Dataplane V2.

    Sources: Google's page on planning node sizes (kube-reserved CPU and memory, eviction); the Cluster
    Autoscaler's `gce_reserved.go` (the part of memory that the kernel keeps); DaemonSets as they were
    seen on a node of GKE 1.36.3.
    """

    daemon_sets = (
        DaemonSet("fluentbit-gke", 105, 230 * MIB),
        DaemonSet("gke-metrics-agent", 21, 145 * MIB),
        DaemonSet("anetd", 205, 0),
        DaemonSet("gke-metadata-server", 100, 100 * MIB),
        DaemonSet("netd", 8, 65 * MIB),
        DaemonSet("pdcsi-node", 10, 20 * MIB),
        DaemonSet("nvidia-gpu-device-plugin", 55, 0, gpu_only=True),
        DaemonSet("dcgm-exporter", 100, 0, gpu_only=True),
    )
    _shared_core: frozenset[str] = frozenset({"e2-micro", "e2-small", "e2-medium"})
    _memory_tiers = ((4, "0.25"), (4, "0.2"), (8, "0.1"), (112, "0.06"))
    """GiB of each tier and the part of it that is kept; 2 % of all above."""
    _cpu_tiers = ((1, 60), (1, 10), (2, 5))
    """Cores of each tier and the millicores kept of each; 2.5 of each above."""

    def hidden_bytes(self, memory_gib: Decimal, arch: str) -> int:
        """The kernel's own: 1/64, 16 MiB, 64 MiB above 3 GiB, 8 MiB up to 8 GiB, 0.175 % up to 248 MiB.

        Of what is left an Arm node sees the 0.9971th part.
        """
        total = memory_gib * 1024
        kept = total / 64 + 16 + min(total * Decimal("0.00175"), Decimal(248))
        kept += 64 if memory_gib > 3 else 0  # noqa: PLR2004 (the formula)
        kept += 8 if memory_gib <= 8 else 0  # noqa: PLR2004 (the formula)
        seen = (total - kept) * (Decimal("0.9971") if arch == "arm64" else 1)
        return math.ceil((total - seen) * MIB)

    def reserved_bytes(self, memory_gib: Decimal) -> int:
        """kube-reserved by tiers, each in whole MiB (255 MiB up to 1 GiB); 100 MiB for eviction beside it."""
        if memory_gib <= 1:
            return (255 + 100) * MIB
        kept, left = 0, memory_gib
        for gib, part in self._memory_tiers:
            kept += int(min(left, Decimal(gib)) * 1024 * Decimal(part))
            left = max(Decimal(0), left - gib)
        return (kept + int(left * 1024 * Decimal("0.02")) + 100) * MIB

    def reserved_millicores(self, vcpus: int, machine_type: str) -> int:
        """60m of the first core, 10m of the second, 5m of two more, 2.5m of each above; e2's shared 1060m."""
        if machine_type in self._shared_core:
            return 1060
        kept, left = 0, vcpus
        for cores, each in self._cpu_tiers:
            kept += min(left, cores) * each
            left = max(0, left - cores)
        return kept + math.ceil(left * Decimal("2.5"))

    def max_pods(self, ocpus: int) -> int:  # noqa: ARG002 (alike on all)
        """Kubernetes' own limit, on nodes of every size."""
        return MAX_PODS

    def least_memory_gib(self, family: str) -> int:  # noqa: ARG002 (alike in all)
        """1 GiB: machines come in sizes that the cloud offers as nodes."""
        return 1


_RULES: Final[Mapping[str, Rule]] = MappingProxyType({"oke": Oke(), "gke": Gke()})
CLOUDS: Final = tuple(_RULES)
DAEMONSETS: Final[Mapping[str, tuple[DaemonSet, ...]]] = MappingProxyType(
    {cloud: rule.daemon_sets for cloud, rule in _RULES.items()}
)
"""The cloud's own DaemonSets under `documented`; there are none under `nominal`."""


def capacity(  # noqa: PLR0913 (a machine's description, by name)
    cloud: str,
    accounting: str,
    *,
    arch: str,
    vcpus: int,
    memory_gib: int | Decimal,
    gpus: int,
    max_pods: int,
) -> Capacity:
    """What `node.status.capacity` says."""
    gib = Decimal(memory_gib)
    total = math.floor(gib * GIB)
    hidden = 0 if accounting == NOMINAL else _RULES[cloud].hidden_bytes(gib, arch)
    return Capacity(vcpus * 1000, max(0, total - hidden), gpus, max_pods)


def allocatable(  # noqa: PLR0913 (a machine's description, by name)
    cloud: str,
    accounting: str,
    *,
    arch: str,
    vcpus: int,
    memory_gib: int | Decimal,
    gpus: int,
    max_pods: int,
    machine_type: str = "",
) -> Capacity:
    """What `node.status.allocatable` says, before any DaemonSet takes its share.

    Without the machine's type, cores are taken for whole ones (GKE has shared ones).
    """
    whole = capacity(
        cloud, accounting, arch=arch, vcpus=vcpus, memory_gib=memory_gib, gpus=gpus, max_pods=max_pods
    )
    if accounting == NOMINAL:
        return whole
    rule = _RULES[cloud]
    return Capacity(
        max(0, whole.cpu_millicores - rule.reserved_millicores(vcpus, machine_type)),
        max(0, whole.memory_bytes - rule.reserved_bytes(Decimal(memory_gib))),
        gpus,
        max_pods,
    )


def daemon_sets(cloud: str, accounting: str, *, gpus: int) -> tuple[DaemonSet, ...]:
    """The cloud's DaemonSets that run on a node with so many GPUs."""
    if accounting == NOMINAL:
        return ()
    return tuple(daemon_set for daemon_set in DAEMONSETS[cloud] if gpus or not daemon_set.gpu_only)


def usable(cloud: str, accounting: str, whole: Capacity) -> Capacity:
    """What an allocatable leaves to pods once the cloud's DaemonSets run on the node."""
    running = daemon_sets(cloud, accounting, gpus=whole.gpus)
    return Capacity(
        max(0, whole.cpu_millicores - sum(each.cpu_millicores for each in running)),
        max(0, whole.memory_bytes - sum(each.memory_bytes for each in running)),
        whole.gpus,
        max(0, whole.pods - len(running)),
    )


def max_pods(cloud: str, accounting: str, *, ocpus: int, limit: int | None = None) -> int:
    """The most pods of a node: Kubernetes' 110, the catalog's limit, and under `documented` the cloud's."""
    by_cloud = MAX_PODS if accounting == NOMINAL else _RULES[cloud].max_pods(ocpus)
    return min(MAX_PODS, by_cloud, limit or MAX_PODS)


def least_memory_gib(cloud: str, accounting: str, family: str) -> int:
    """The least memory (GiB) with which a machine of that family is offered as a node."""
    return 1 if accounting == NOMINAL else _RULES[cloud].least_memory_gib(family)


def oke_max_pods(ocpus: int) -> int:
    """The most pods of an OKE node under VCN-native pod networking."""
    return Oke().max_pods(ocpus)
