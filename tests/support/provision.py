"""Builders for what the provisioner decides on: pods, nodes, snapshots, catalogs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from catalog.loader import bundled
from catalog.offering import ARCHITECTURES, Offering
from provisioner.core import quantity
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.model import Node, Owner, Pod
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_SELECT, Policy
from provisioner.core.pools import Place
from provisioner.core.resources import Resources
from provisioner.core.snapshot import Snapshot
from provisioner.core.surge import TEMPLATE_HASH

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OKE = Catalog(bundled("oke"), "oke", "documented")
OKE_NOMINAL = Catalog(bundled("oke"), "oke", "nominal")
GKE = Catalog(bundled("gke"), "gke", "documented")
PUBLISHED = Policy(mode=BIN_SELECT, families=("VM.Standard.A1", "VM.GPU2"))
ANY_ARCH = Policy(mode=BIN_SELECT, architectures=ARCHITECTURES)
PLACE = Place("z1", (), ())


def amounts(cpu: str = "100m", memory: str = "100Mi", gpus: int = 0, pods: int = 1) -> Resources:
    return Resources(quantity.millis(cpu), quantity.whole(memory), gpus, pods)


def pod(name: str = "p", cpu: str = "100m", memory: str = "100Mi", gpus: int = 0, **changes: Any) -> Pod:
    values = {
        "namespace": "default",
        "uid": f"uid-{name}",
        "requests": amounts(cpu, memory, gpus),
        **changes,
    }
    return Pod(name=name, **values)


def pods(count: int, cpu: str = "100m", memory: str = "100Mi", **changes: Any) -> tuple[Pod, ...]:
    return tuple(pod(f"p{index}", cpu, memory, **changes) for index in range(count))


def worker(name: str, at: str = "n", cpu: str = "700m", memory: str = "2Gi", **changes: Any) -> Pod:
    """A pod of the ReplicaSet `web`: it runs on a node, or waits for one."""
    state = {"node_name": at, "phase": "Running" if at else "Pending", "is_ready": bool(at)}
    own = {"owner": Owner("ReplicaSet", "web", "web"), "labels": {"app": "web", TEMPLATE_HASH: "7f"}}
    return pod(name, cpu, memory, **{**own, **state, **changes})


def node(name: str = "n", cpu: str = "2", memory: str = "8Gi", **changes: Any) -> Node:
    room = amounts(cpu, memory, pods=110)
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/arch": "arm64", **changes.pop("labels", {})}
    values = {
        "provider_id": f"id-{name}",
        "capacity": room,
        "allocatable": room,
        "created": NOW,
        "uid": f"uid-{name}",
        **changes,
    }
    return Node(name, labels=labels, **values)


def daemon_set(name: str = "d", cpu: str = "100m", memory: str = "100Mi", **changes: Any) -> DaemonSet:
    """One that every node has which is not tainted."""
    return DaemonSet(pod(name, cpu, memory, **changes), f"uid-{name}")


def offering(shape: str = "small", price: str = "1", **changes: Any) -> Offering:
    """A fixed shape; its memory is a Decimal as in every catalog, so that equal offerings are so in all."""
    values: dict[str, Any] = {
        "arch": "arm64",
        "kind": "fixed",
        "vcpus": 1,
        "memory_gib": Decimal(4),
        "gpus": 0,
        "gpu_model": "",
        "price_per_hour": Decimal(price),
        "vcpus_per_ocpu": None,
        "ocpus_min": None,
        "ocpus_max": None,
        "gib_per_ocpu_min": None,
        "gib_per_ocpu_max": None,
        "gib_max": None,
        "price_per_ocpu_hour": None,
        "price_per_gib_hour": None,
        "capacity_type": "on-demand",
        "zones": ("z1",),
        "available": True,
        "region": "r",
        "family": shape,
        "max_pods": None,
        "machine_type": shape,
        "source": "",
        "date": None,
    }
    values |= changes
    if isinstance(values["memory_gib"], int):
        values["memory_gib"] = Decimal(values["memory_gib"])
    return Offering(shape=shape, **values)


def flexible(shape: str = "flex", **changes: Any) -> Offering:
    values: dict[str, Any] = {
        "kind": "flexible",
        "vcpus": None,
        "memory_gib": None,
        "price_per_hour": None,
        "vcpus_per_ocpu": 1,
        "ocpus_min": 1,
        "ocpus_max": 8,
        "gib_per_ocpu_min": Decimal(1),
        "gib_per_ocpu_max": Decimal(8),
        "gib_max": 40,
        "price_per_ocpu_hour": Decimal("0.01"),
        "price_per_gib_hour": Decimal("0.0015"),
    }
    return offering(shape, **{**values, **changes})


def catalog(*offerings: Offering) -> Catalog:
    return Catalog(offerings)


def bin_select(**changes: Any) -> Policy:
    return Policy(mode=BIN_SELECT, **changes)


def planned(
    wanted: Iterable[Pod],
    market: Catalog = OKE,
    policy: Policy = ANY_ARCH,
    **snapshot: Any,
) -> Plan:
    return decide(Snapshot(tuple(wanted), **snapshot), market, policy, NOW, lambda: True)


def bought(plan: Plan) -> dict[str, int]:
    """How many of each size a plan buys."""
    sizes = [str(each.size) for each in plan.nodes]
    return {size: sizes.count(size) for size in sorted(set(sizes))}


def codes(plan: Plan) -> dict[str, list[str]]:
    """The codes by which a plan leaves pods pending."""
    return {each.pod.name: [reason.code for reason in each.reasons] for each in plan.unplaced}
