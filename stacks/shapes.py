"""The machines a stack names, looked up in the catalog: size, price, and what they leave to pods."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.kubelet import Machine
from catalog.offering import ON_DEMAND, Offering
from components.quantity import cpu_text, memory_text
from provisioner.core.market import Catalog, Size
from stacks.faults import Fault, closest
from stacks.models import Model
from stacks.settings import Settings

_SHOWN: Final = 8
"""Of a list of shapes in a message."""


@dataclass(frozen=True, slots=True)
class Market:
    """What a stack can name: what is sold where it is built, beside all that is sold anywhere."""

    catalog: Catalog
    everything: tuple[Offering, ...]
    place: str

    @property
    def file(self) -> str:
        """The catalog's file, for people."""
        return f"catalog/{self.catalog.cloud}.csv"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a declared pool."""

    machine: Machine
    flexible_ocpus: int | None
    size: Size
    """The same as the planner sees it: price, and what pods may use."""

    @property
    def shape(self) -> str:
        """Name of the shape."""
        return self.size.offering.shape

    @property
    def price_per_hour(self) -> Decimal:
        """US dollars an hour."""
        return self.size.price_per_hour


def management_node(settings: Settings, market: Market, faults: list[Fault]) -> Node | None:
    """The node of the management pool; what is wrong with it becomes a fault."""
    wanted = settings.management
    offering = _find("management.shape", wanted.shape, market, faults)
    if offering is None:
        return None
    if not offering.is_flexible:
        return _node("management.shape", offering, None, market, faults)
    misfits = _beyond_limits(offering, wanted.ocpus, wanted.memory_gib)
    faults += misfits
    size = (wanted.ocpus, wanted.memory_gib)
    return None if misfits else _node("management.shape", offering, size, market, faults)


def gpu_node(settings: Settings, market: Market, faults: list[Fault]) -> Node | None:
    """The node of the GPU pools, checked to take every model's worker."""
    offering = _find("gpu.shape", settings.gpu.shape, market, faults)
    if offering is None:
        return None
    if not offering.gpus or offering.is_flexible:
        shapes = sorted({row.shape for row in market.catalog.offerings if row.gpus})
        faults.append(Fault("gpu.shape", offering.shape, "has no GPU", f"with one: {', '.join(shapes)}"))
        return None
    node = _node("gpu.shape", offering, None, market, faults)
    if node is not None:
        for model in settings.models:
            faults += _misfits(model, node)
    return node


def unknown_families(settings: Settings, market: Market) -> list[Fault]:
    """Families the provisioner is told to buy from, which the catalog does not have."""
    known = sorted({row.family for row in market.catalog.offerings})
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


def _find(path: str, shape: str, market: Market, faults: list[Fault]) -> Offering | None:
    on_demand = [row for row in market.catalog.offerings if _on_sale(row)]
    for row in on_demand:
        if row.shape == shape:
            return row
    elsewhere = [row for row in market.everything if _on_sale(row) and row.shape == shape]
    if elsewhere:
        faults.append(_sold_elsewhere(path, market, elsewhere, on_demand))
        return None
    shapes = sorted({row.shape for row in on_demand})
    faults.append(
        Fault(
            path,
            shape,
            f"is not in {market.file}",
            closest(shape, shapes) or f"known: {', '.join(shapes)}; or add it with its price",
        )
    )
    return None


def _on_sale(row: Offering) -> bool:
    return row.capacity_type == ON_DEMAND and row.available


def _sold_elsewhere(path: str, market: Market, elsewhere: list[Offering], here: list[Offering]) -> Fault:
    """The fault of a shape that the catalog has for other places only: where, and what it has here."""
    like = elsewhere[0]
    places = sorted({zone for row in elsewhere for zone in row.zones})
    alike = sorted({row.shape for row in here if (row.arch, bool(row.gpus)) == (like.arch, bool(like.gpus))})
    instead = f", take another shape ({', '.join(alike[:_SHOWN])}" if alike else ""
    instead += ", …)" if len(alike) > _SHOWN else ")" if alike else ""
    return Fault(
        path,
        like.shape,
        f"is not in {market.file} for {market.place}",
        f"build where it is ({', '.join(places)}){instead}, or add it with its price if it is sold there",
    )


def _beyond_limits(offering: Offering, ocpus: int, memory_gib: int) -> list[Fault]:
    """Faults of a flexible size that the cloud does not sell."""
    if ocpus not in offering.ocpu_range():
        most = offering.ocpus_max
        return [
            Fault(
                "management.ocpus", ocpus, f"must be from {offering.ocpus_min} to {most} for {offering.shape}"
            )
        ]
    sold = offering.gib_range(ocpus)
    if memory_gib in sold:
        return []
    limits = f"must be from {sold[0]} to {sold[-1]} for {ocpus} OCPUs of {offering.shape}"
    return [Fault("management.memoryGib", memory_gib, limits)]


def _node(
    path: str, offering: Offering, ocpus_gib: tuple[int, int] | None, market: Market, faults: list[Fault]
) -> Node | None:
    """The node of an offering, whole or of a size in OCPUs and GiB."""
    try:
        size = market.catalog.size(offering, *(ocpus_gib or ()))
    except ValueError as error:
        faults.append(
            Fault(path, offering.shape, f"has no price or size: {error}", f"complete {market.file}")
        )
        return None
    machine = Machine(
        arch=offering.arch,
        vcpus=size.cpu_millicores // 1000,
        memory_gib=size.memory_gib,
        gpus=offering.gpus,
        max_pods=size.max_pods,
    )
    return Node(machine, size.ocpus or None, size)


def _misfits(model: Model, node: Node) -> list[Fault]:
    worker = model.form(right_sized=False)
    room = node.size.usable
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
