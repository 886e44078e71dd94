"""What can be bought: a catalog under one cloud's rules, and sizes as machines with a price."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from catalog import allocatable, volumes
from catalog.accelerators import ACCELERATOR_KEY, ACCELERATORS
from catalog.allocatable import GIB
from catalog.offering import SPOT, Offering
from provisioner.core.daemon_sets import NO_MORE, DaemonSet, Own, own_of
from provisioner.core.model import ARCH, CAPACITY_TYPE, INSTANCE_TYPE, OS, REGION, ZONE, Taint
from provisioner.core.pools import Place, PoolSpec
from provisioner.core.resources import NOTHING, Resources

EPHEMERAL_STORAGE: Final = "ephemeral-storage"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a cloud puts on its nodes by itself."""

    gpu_taints: tuple[Taint, ...] = ()
    spot_taints: tuple[Taint, ...] = ()
    spot_labels: tuple[tuple[str, str], ...] = ()
    vcpus_per_ocpu: Mapping[str, int] = field(default_factory=dict)
    """Of fixed shapes, by architecture; 1 where not said."""
    region_labels: Mapping[str, str] = field(default_factory=dict)
    """What a node's region label says, where that is not the region's name."""
    labels_of: Callable[[Offering], Mapping[str, str]] = lambda _: {}
    """Labels of a machine type, beside those that every cloud puts."""


def _google(offering: Offering) -> Mapping[str, str]:
    labels = {"cloud.google.com/machine-family": offering.machine_type.partition("-")[0]}
    if offering.gpus:
        labels[ACCELERATOR_KEY] = ACCELERATORS.get(offering.gpu_model, offering.gpu_model)
    return labels


_PREEMPTIBLE: Final = "oci.oraclecloud.com/oke-is-preemptible"
TRAITS: Final[Mapping[str, Traits]] = MappingProxyType(
    {
        "": Traits(),
        "oke": Traits(
            gpu_taints=(Taint("nvidia.com/gpu", "present", "NoSchedule"),),
            spot_taints=(Taint(_PREEMPTIBLE, "present", "NoSchedule"),),
            spot_labels=((_PREEMPTIBLE, "true"),),
            vcpus_per_ocpu={"amd64": 2},
            region_labels={
                "us-ashburn-1": "iad",
                "us-phoenix-1": "phx",
                "eu-frankfurt-1": "fra",
                "uk-london-1": "lhr",
            },
        ),
        # Pools of this project have no taint for their architecture, so none is here.
        "gke": Traits(
            gpu_taints=(Taint("nvidia.com/gpu", "present", "NoSchedule"),),
            spot_labels=(("cloud.google.com/gke-spot", "true"),),
            labels_of=_google,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Stockout:
    """A shape that had no capacity in a zone, and until when that is believed."""

    shape: str
    zone: str
    capacity_type: str
    until: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """An offering in one size: a machine that can be bought."""

    offering: Offering
    ocpus: int
    """0 for a fixed shape."""
    memory_gib: Decimal
    cpu_millicores: int
    price_per_hour: Decimal
    usable: Resources
    """What pods may use: after reservations and DaemonSets."""
    max_pods: int
    zone: str = ""

    @property
    def memory_bytes(self) -> int:
        """As bought."""
        return int(self.memory_gib * GIB)

    def pool_at(self, place: Place) -> PoolSpec:
        """The pool of such nodes in that place."""
        sold = self.offering
        return PoolSpec(
            sold.shape,
            self.ocpus,
            self.memory_gib,
            place.zone,
            sold.capacity_type,
            place.labels,
            place.taints,
        )

    def __str__(self) -> str:
        """As it stands in a log."""
        size = f" {self.ocpus} OCPU {self.memory_gib:f} GiB" if self.ocpus else ""
        spot = "" if self.offering.capacity_type != SPOT else " (spot)"
        return f"{self.offering.shape}{size}{spot}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Offerings and the rules by which they become nodes."""

    offerings: tuple[Offering, ...]
    cloud: str = ""
    """Whose reservations, DaemonSets, taints and labels apply; empty: nobody's."""
    accounting: str = allocatable.NOMINAL
    ephemeral_storage_bytes: int = 35 * GIB
    """What a boot volume leaves to pods."""
    shortfalls: Mapping[str, Resources] = field(default_factory=dict)
    """What nodes have turned out to leave less than the formulas say, by shape."""
    daemon_sets: tuple[DaemonSet, ...] = ()
    """Of the cluster, the cloud's own among them."""

    @property
    def traits(self) -> Traits:
        """What the cloud puts on its nodes by itself."""
        return TRAITS[self.cloud]

    def find(self, shape: str, capacity_type: str) -> Offering | None:
        """The offering of a shape; None where the catalog has it no more."""
        for offering in self.offerings:
            if (offering.shape, offering.capacity_type) == (shape, capacity_type):
                return offering
        return None

    def size(self, offering: Offering, ocpus: int = 0, memory_gib: int = 0) -> Size:
        """One size of an offering by the formulas alone; a fixed one has only its own."""
        return _size(self.cloud, self.accounting, self.ephemeral_storage_bytes, offering, (ocpus, memory_gib))

    def size_at(self, offering: Offering, place: Place, ocpus: int = 0, memory_gib: int = 0) -> Size:
        """The size as its nodes are in that place."""
        size, lost = self.size(offering, ocpus, memory_gib), self.lost(offering, place)
        return replace(size, usable=size.usable - lost, zone=place.zone)

    def size_of(self, spec: PoolSpec) -> Size | None:
        """The size of a pool's nodes; None where the catalog has the shape no more."""
        offering = self.find(spec.shape, spec.capacity_type)
        if offering is None:
            return None
        return self.size_at(offering, spec.place, spec.ocpus, int(spec.memory_gib) if spec.ocpus else 0)

    def lost(self, offering: Offering, place: Place) -> Resources:
        """What nodes leave less to pods than the formulas say: to DaemonSets of the cluster, and as was seen."""
        beyond, lacking = self.own(offering, place).beyond, self.shortfalls.get(offering.shape)
        return beyond if lacking is None else beyond + lacking

    def own(self, offering: Offering, place: Place) -> Own:
        """What DaemonSets of the cluster take of nodes in that place."""
        if not self.daemon_sets:
            return NO_MORE
        return _own(self.daemon_sets, self.cloud, self.accounting, offering, place)

    def labels_at(self, offering: Offering, place: Place) -> dict[str, str]:
        """All labels of a node of the offering in that place, but of its name."""
        return {**self.labels(offering, place.zone), **dict(place.labels)}

    def labels(self, offering: Offering, zone: str) -> dict[str, str]:
        """Labels that a node of the offering will have by itself."""
        labels = {
            ARCH: offering.arch,
            OS: "linux",
            INSTANCE_TYPE: offering.machine_type,
            CAPACITY_TYPE: offering.capacity_type,
            "beta.kubernetes.io/arch": offering.arch,
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/instance-type": offering.machine_type,
        }
        if zone:
            labels |= {ZONE: zone, "failure-domain.beta.kubernetes.io/zone": zone}
        if offering.region:
            region = self.traits.region_labels.get(offering.region, offering.region)
            labels |= {REGION: region, "failure-domain.beta.kubernetes.io/region": region}
        if offering.capacity_type == SPOT:
            labels |= dict(self.traits.spot_labels)
        return {**labels, **self.traits.labels_of(offering)}

    def taints(self, offering: Offering) -> tuple[Taint, ...]:
        """Taints that a node of the offering will have by itself."""
        gpu = self.traits.gpu_taints if offering.gpus else ()
        spot = self.traits.spot_taints if offering.capacity_type == SPOT else ()
        return gpu + spot


@lru_cache(maxsize=2**15)
def _size(cloud: str, accounting: str, ephemeral: int, offering: Offering, asked: tuple[int, int]) -> Size:
    """A size by its OCPUs and GiB, both 0 for a fixed one."""
    ocpus, memory_gib = asked
    vcpus = offering.vcpus_of(ocpus or None)
    gib = offering.memory_gib if offering.memory_gib is not None else Decimal(memory_gib)
    cores = ocpus or vcpus // TRAITS[cloud].vcpus_per_ocpu.get(offering.arch, 1)
    most = allocatable.max_pods(cloud, accounting, ocpus=cores, limit=offering.max_pods)
    whole = allocatable.allocatable(
        cloud,
        accounting,
        arch=offering.arch,
        vcpus=vcpus,
        memory_gib=gib,
        gpus=offering.gpus,
        max_pods=most,
        machine_type=offering.machine_type,
    )
    left = allocatable.usable(cloud, accounting, whole)
    extended = {EPHEMERAL_STORAGE: ephemeral, **volumes.limits(offering.machine_type, vcpus)}
    usable = Resources(left.cpu_millicores, left.memory_bytes, left.gpus, left.pods, extended)
    price = offering.price_of(ocpus or None, memory_gib or None)
    return Size(offering, ocpus, gib, vcpus * 1000, price, usable, most)


@lru_cache(maxsize=2**14)
def _own(
    daemon_sets: tuple[DaemonSet, ...], cloud: str, accounting: str, offering: Offering, place: Place
) -> Own:
    catalog = Catalog((), cloud, accounting)
    labels, taints = catalog.labels_at(offering, place), catalog.taints(offering) + place.taints
    whole = largest_size(catalog, offering).usable
    running = (
        each
        for each in daemon_sets
        if each.runs_on(labels, taints)
        # Without the GPU or device that it asks for it never runs there, and takes nothing.
        and replace(each.pod.requests, cpu_millicores=0, memory_bytes=0).fits(whole)
    )
    return own_of(running, allocatable.daemon_sets(cloud, accounting, gpus=offering.gpus))


def cheapest_size(catalog: Catalog, offering: Offering, lost: Resources, asked: Resources) -> Size | None:
    """The cheapest size of an offering that has room for what is asked beside what is lost; None if no size has."""
    if lost == NOTHING:
        return _cheapest(catalog, offering, asked)
    size = _cheapest(catalog, offering, asked + lost)
    return size and replace(size, usable=size.usable - lost)


def _cheapest(catalog: Catalog, offering: Offering, asked: Resources) -> Size | None:
    """The cheapest size that has so much by the formulas.

    The first OCPU count that fits is the cheapest. More OCPUs only raise the least memory that may
    be bought with them, so the memory needed cannot shrink, and neither price is negative.
    """
    if not offering.is_flexible:
        size = catalog.size(offering)
        return size if asked.fits(size.usable) else None
    least = allocatable.least_memory_gib(catalog.cloud, catalog.accounting, offering.family)
    enough_cpu = max(1, -(-asked.cpu_millicores // (1000 * (offering.vcpus_per_ocpu or 1))))
    for ocpus in offering.ocpu_range():
        if ocpus < enough_cpu:
            continue
        sizes = offering.gib_range(ocpus)
        gib = _enough_memory(catalog, offering, ocpus, range(max(sizes.start, least), sizes.stop), asked)
        if gib is not None:
            return catalog.size(offering, ocpus, gib)
    return None


def largest_size(catalog: Catalog, offering: Offering) -> Size:
    """The largest size of an offering, by the formulas alone."""
    if not offering.is_flexible:
        return catalog.size(offering)
    sold = (ocpus for ocpus in reversed(offering.ocpu_range()) if offering.gib_range(ocpus))
    ocpus = next(sold, 1)
    return catalog.size(offering, ocpus, max(offering.gib_range(ocpus), default=1))


def _enough_memory(
    catalog: Catalog, offering: Offering, ocpus: int, sizes: range, asked: Resources
) -> int | None:
    """The least GiB in the range whose size fits; None if none does.

    Reservations take steps, so a GiB more may leave less: sizes are tried upwards from the least
    that could do, and the first that fits is taken.
    """
    start = max(sizes.start, -(-asked.memory_bytes // GIB))
    for gib in range(start, sizes.stop):
        lacking = asked.lacking(catalog.size(offering, ocpus, gib).usable)
        if not lacking:
            return gib
        if lacking != ("memory",):
            return None
    return None
