"""The machines a stack names, looked up in the catalog: size, price, and what they leave to pods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.allocatable import DAEMONSETS, Capacity, allocatable, oke_max_pods
from catalog.offering import Offering
from components.kubelet import Machine
from components.quantity import cpu_text, memory_text
from stacks.faults import Fault, closest
from stacks.models import Model
from stacks.settings import Settings

CLOUD = "oke"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a declared pool."""

    shape: str
    machine: Machine
    flexible_ocpus: int | None
    price_per_hour: Decimal

    def room(self, accounting: str) -> Capacity:
        """What pods may use: allocatable without the share of the cloud's DaemonSets."""
        left = allocatable(
            CLOUD,
            accounting,
            arch=self.machine.arch,
            vcpus=self.machine.vcpus,
            memory_gib=self.machine.memory_gib,
            gpus=self.machine.gpus,
            max_pods=self.machine.max_pods,
        )
        taken = [d for d in DAEMONSETS[CLOUD] if self.machine.gpus or not d.gpu_only]
        if accounting == "nominal":
            taken = []
        return Capacity(
            cpu_millicores=left.cpu_millicores - sum(daemon.cpu_millicores for daemon in taken),
            memory_bytes=left.memory_bytes - sum(daemon.memory_bytes for daemon in taken),
            gpus=left.gpus,
            pods=left.pods - len(taken),
        )


def management_node(settings: Settings, catalog: Sequence[Offering], faults: list[Fault]) -> Node | None:
    """The node of the management pool; what is wrong with it becomes a fault."""
    wanted = settings.management
    offering = _find("management.shape", wanted.shape, catalog, faults)
    if offering is None:
        return None
    size = (wanted.ocpus, wanted.memory_gib) if offering.kind == "flexible" else None
    return _node("management", offering, size, faults)


def gpu_node(settings: Settings, catalog: Sequence[Offering], faults: list[Fault]) -> Node | None:
    """The node of the GPU pools, checked to take every model's worker."""
    offering = _find("gpu.shape", settings.gpu.shape, catalog, faults)
    if offering is None:
        return None
    if not offering.gpus or offering.kind == "flexible":
        shapes = sorted({row.shape for row in catalog if row.gpus})
        faults.append(Fault("gpu.shape", offering.shape, "has no GPU", f"with one: {', '.join(shapes)}"))
        return None
    node = _node("gpu", offering, None, faults)
    if node is not None:
        for model in settings.models:
            faults += _misfits(model, node, settings.accounting)
    return node


def unknown_families(settings: Settings, catalog: Iterable[Offering]) -> list[Fault]:
    """Families the provisioner is told to buy from, which the catalog does not have."""
    known = sorted({row.family for row in catalog})
    return [
        Fault(
            f"provisioner.families[{index}]",
            family,
            "is not a family of the catalog",
            closest(family, known) or f"known: {', '.join(known)}",
        )
        for index, family in enumerate(settings.provisioner.families)
        if family not in known
    ]


def _find(path: str, shape: str, catalog: Sequence[Offering], faults: list[Fault]) -> Offering | None:
    on_demand = [row for row in catalog if row.capacity_type == "on-demand" and row.available]
    for row in on_demand:
        if row.shape == shape:
            return row
    shapes = sorted({row.shape for row in on_demand})
    faults.append(
        Fault(
            path,
            shape,
            "is not in catalog/oke.csv",
            closest(shape, shapes) or f"known: {', '.join(shapes)}; or add it with its price",
        )
    )
    return None


def _node(path: str, offering: Offering, size: tuple[int, int] | None, faults: list[Fault]) -> Node | None:
    try:
        price = offering.price_of(*size) if size else offering.price_of()
        ocpus, memory = size or (offering.vcpus // (offering.vcpus_per_ocpu or 2), offering.memory_gib)
        vcpus = offering.vcpus_of(ocpus) if size else offering.vcpus
    except ValueError as error:
        faults.append(Fault(f"{path}.shape", offering.shape, f"cannot be used: {error}"))
        return None
    machine = Machine(
        arch=offering.arch,
        vcpus=vcpus,
        memory_gib=memory,
        gpus=offering.gpus,
        max_pods=oke_max_pods(ocpus),
    )
    return Node(offering.shape, machine, ocpus if size else None, price)


def _misfits(model: Model, node: Node, accounting: str) -> list[Fault]:
    worker = model.form(right_sized=False)
    room = node.room(accounting)
    rows = (
        ("cpu", worker.cpu_millicores, room.cpu_millicores, cpu_text),
        ("memory", worker.memory_bytes, room.memory_bytes, memory_text),
        ("gpus", worker.gpus, room.gpus, str),
    )
    return [
        Fault(
            f"models.{model.name}.gpu.{key}",
            text(asked),
            f"must be at most {text(left)}, which a {node.shape} leaves to pods",
            "choose a larger gpu.shape or a smaller worker",
        )
        for key, asked, left, text in rows
        if asked > left
    ]
