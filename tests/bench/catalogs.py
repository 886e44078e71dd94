"""Machines for the packing bench: OKE's price list, GKE's of one region, and a linear one."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Final

from catalog.allocatable import GIB, NOMINAL
from catalog.loader import bundled
from catalog.offering import ON_DEMAND, Offering, within
from provisioner.core.market import Catalog

REGION: Final = "us-central1"
NAMES: Final = ("oke", "gke", "linear")


@cache
def market(name: str, accounting: str) -> Catalog:
    """What is sold on demand; `linear` reserves nothing in any accounting."""
    if name == "linear":
        return Catalog(tuple(_linear()), "", NOMINAL)
    offered = bundled(name)
    if name == "gke":
        zones = sorted({zone for each in offered if each.region == REGION for zone in each.zones})
        offered = within(offered, REGION, zones)
    on_demand = tuple(each for each in offered if each.capacity_type == ON_DEMAND and each.available)
    return Catalog(on_demand, name, accounting)


def _linear() -> Iterator[Offering]:
    """KWOK's catalog: 0.025 a CPU and 0.001 for 10**9 bytes, so any full node is as cheap as any other."""
    for arch in ("amd64", "arm64"):
        for cpus in (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256):
            for letter, ratio in (("c", 2), ("s", 4), ("m", 8)):
                gib = cpus * ratio
                price = Decimal("0.025") * cpus + Decimal("0.001") * gib * GIB / Decimal(10**9)
                yield _fixed(f"{letter}-{cpus}x-{arch}-linux", arch, cpus, gib, price)


def _fixed(shape: str, arch: str, vcpus: int, gib: int, price: Decimal) -> Offering:
    return Offering(
        shape=shape,
        arch=arch,
        kind="fixed",
        vcpus=vcpus,
        memory_gib=Decimal(gib),
        gpus=0,
        gpu_model="",
        price_per_hour=price,
        vcpus_per_ocpu=None,
        ocpus_min=None,
        ocpus_max=None,
        gib_per_ocpu_min=None,
        gib_per_ocpu_max=None,
        gib_max=None,
        price_per_ocpu_hour=None,
        price_per_gib_hour=None,
        capacity_type=ON_DEMAND,
        zones=("zone-1",),
        available=True,
        region="region-1",
        family="kwok",
        max_pods=min(1024, vcpus * 16),
        machine_type=shape,
        source="kwok/tools/gen_instance_types.go of sigs.k8s.io/karpenter",
        date=None,
    )
