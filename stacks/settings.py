"""The settings of a stack: parsed once into frozen values, all faults said together.

`parse` takes what `Pulumi.yaml` and a stack's file say as a plain mapping, so nothing here knows
the engine. CPU is in millicores, memory in bytes, money in US dollars an hour.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from catalog.allocatable import ACCOUNTINGS, DOCUMENTED
from catalog.names import resource_name
from catalog.offering import ARCHITECTURES, CAPACITY_TYPES, ON_DEMAND
from catalog.timing import TIMINGS, Timing
from provisioner.core.policy import BIN_SELECT, MODES
from stacks.faults import Fault, StackError
from stacks.models import Model, read_models
from stacks.reader import Reader

MAX_SIZED: Final = "max-sized"
DYNAMIC: Final = "dynamic"
RIGHT_SIZED: Final = "right-sized"
VARIANTS: Final = (MAX_SIZED, DYNAMIC, RIGHT_SIZED)
RESTRICTED: Final = "restricted"
ACCESSES: Final = (RESTRICTED, "private")

SERVICES_CIDR: Final = ipaddress.IPv4Network("10.96.0.0/16")
"""Addresses of Services; a VCN must not overlap them."""
LARGEST_SUBNET_PREFIX: Final = 18
"""The layout of the subnets (pods at an offset of 8192 addresses) needs a /18 or larger."""


@dataclass(frozen=True, slots=True)
class Api:
    """From where the API server is reached."""

    access: str
    allowed_cidrs: tuple[str, ...]
    proxy_url: str


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPU pools of the max-sized and the dynamic variant."""

    shape: str
    max_nodes: int | None
    """Upper limit of the autoscaled pool; nothing: twice the sum of max workers."""
    availability_domains: tuple[str, ...]
    """Full names; none: the first of the region."""
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class Management:
    """The static pool for everything but models."""

    shape: str
    ocpus: int
    memory_gib: int
    count: int
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class SubnetIds:
    """Existing subnets; an empty one is made."""

    api: str
    workers: str
    pods: str
    load_balancers: str


@dataclass(frozen=True, slots=True)
class Network:
    """The VCN; whatever has no id here is made."""

    vcn_id: str
    cidr_block: ipaddress.IPv4Network
    internet_gateway_id: str
    nat_gateway_id: str
    service_gateway_id: str
    subnets: SubnetIds


@dataclass(frozen=True, slots=True)
class Provisioner:
    """The provisioner of the right-sized variant."""

    endpoint: str
    """Address of the container engine's API; empty: the cloud's own."""
    image: str
    mode: str
    families: tuple[str, ...]
    """Shape families it may buy; none: every one of the catalog."""
    architectures: tuple[str, ...]
    capacity_types: tuple[str, ...]
    unneeded_seconds: int | None
    """How long a node must be removable before it is removed; nothing: by `timing`."""
    max_pools: int
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class Serving:
    """Images of the model servers; a model may name its own."""

    image: str
    gpu_image: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a stack can be told."""

    variant: str
    accounting: str
    timing: Timing
    region: str
    compartment: str
    kubernetes_version: str
    """Empty: the newest that the cloud offers."""
    models: tuple[Model, ...]
    api: Api
    expose_cidrs: tuple[str, ...]
    """Addresses that may call the models from outside; none: internal load balancers."""
    gpu: Gpu
    management: Management
    network: Network
    provisioner: Provisioner
    serving: Serving
    budget_per_hour: Decimal | None

    @property
    def right_sized(self) -> bool:
        """Whether a provisioner buys the inference nodes."""
        return self.variant == RIGHT_SIZED

    @property
    def max_workers(self) -> int:
        """The sum of all models' max workers in the form of this variant."""
        return sum(model.form(self.right_sized).max_workers for model in self.models)

    @property
    def gpu_max_nodes(self) -> int:
        """Upper limit of the autoscaled GPU pool."""
        return 2 * self.max_workers if self.gpu.max_nodes is None else self.gpu.max_nodes


def parse(values: Mapping[str, object]) -> Settings:
    """Make settings of a mapping from key to value.

    Raises:
        StackError: with every fault of the mapping, unknown keys included.
    """
    faults: list[Fault] = []
    reader = Reader(values, "", faults)
    settings = _settings(reader)
    reader.close()
    _cross_check(settings, reader)
    if faults:
        raise StackError(faults)
    return settings


def _settings(reader: Reader) -> Settings:
    variant = reader.choice("variant", VARIANTS, None)
    return Settings(
        variant=variant,
        accounting=reader.choice("accounting", ACCOUNTINGS, DOCUMENTED),
        timing=TIMINGS[reader.choice("timing", tuple(TIMINGS), "cloud")],
        region=reader.required(
            "region",
            pattern=r"[a-z]+(-[a-z]+)+-\d+",
            expectation="must be a region such as us-ashburn-1",
            way_out="pulumi config set region us-ashburn-1",
        ),
        compartment=_compartment(reader),
        kubernetes_version=reader.text(
            "kubernetesVersion",
            pattern=r"v\d+\.\d+\.\d+",
            expectation="must have the form v1.36.3, or be empty",
        ),
        models=read_models(reader, "right_sized" if variant == RIGHT_SIZED else "gpu"),
        api=_api(reader.section("api")),
        expose_cidrs=_expose(reader.section("expose")),
        gpu=_gpu(reader.section("gpu")),
        management=_management(reader.section("management")),
        network=_network(reader.section("network")),
        provisioner=_provisioner(reader.section("provisioner")),
        serving=_serving(reader.section("serving")),
        budget_per_hour=_budget(reader.section("budget")),
    )


def _compartment(reader: Reader) -> str:
    project = reader.text("project")
    if project:
        reader.fault(
            "project",
            project,
            "is of Google Cloud, which is not built yet",
            "leave it empty and set compartment",
        )
    return reader.required(
        "compartment",
        pattern=r"ocid1\.(compartment|tenancy)\.\S+",
        expectation="must be the OCID of the compartment to build in",
        way_out="pulumi config set compartment ocid1.compartment.oc1..…",
    )


def _api(reader: Reader) -> Api:
    api = Api(
        access=reader.choice("access", ACCESSES, RESTRICTED),
        allowed_cidrs=reader.cidrs("allowedCidrs"),
        proxy_url=reader.text(
            "proxyUrl", pattern=r"(https?|socks5)://\S+", expectation="must be an http, https or socks5 URL"
        ),
    )
    if api.access == RESTRICTED and not api.allowed_cidrs:
        reader.fault(
            "allowedCidrs",
            "[]",
            "must list the addresses that may reach the API server",
            "name your own, such as 203.0.113.7/32, or set api.access to private",
        )
    reader.close()
    return api


def _expose(reader: Reader) -> tuple[str, ...]:
    cidrs = reader.cidrs("allowedCidrs")
    reader.close()
    return cidrs


def _gpu(reader: Reader) -> Gpu:
    gpu = Gpu(
        shape=reader.text("shape", "VM.GPU2.1"),
        max_nodes=reader.optional_integer("maxNodes", least=1),
        availability_domains=reader.texts("availabilityDomains"),
        boot_volume_gib=_boot_volume(reader, 100),
    )
    reader.close()
    return gpu


def _management(reader: Reader) -> Management:
    management = Management(
        shape=reader.text("shape", "VM.Standard.A1.Flex"),
        ocpus=reader.integer("ocpus", 2, least=1),
        memory_gib=reader.integer("memoryGib", 32, least=1),
        count=reader.integer("count", 2, least=1),
        boot_volume_gib=_boot_volume(reader, 50),
    )
    reader.close()
    return management


def _network(reader: Reader) -> Network:
    subnets = reader.section("subnets")
    network = Network(
        vcn_id=_ocid(reader, "vcnId", "vcn"),
        cidr_block=reader.cidr("cidrBlock", "10.0.0.0/16"),
        internet_gateway_id=_ocid(reader, "internetGatewayId", "internetgateway"),
        nat_gateway_id=_ocid(reader, "natGatewayId", "natgateway"),
        service_gateway_id=_ocid(reader, "serviceGatewayId", "servicegateway"),
        subnets=SubnetIds(
            api=_ocid(subnets, "api", "subnet"),
            workers=_ocid(subnets, "workers", "subnet"),
            pods=_ocid(subnets, "pods", "subnet"),
            load_balancers=_ocid(subnets, "loadBalancers", "subnet"),
        ),
    )
    subnets.close()
    reader.close()
    _check_addresses(network.cidr_block, reader)
    return network


def _check_addresses(block: ipaddress.IPv4Network, reader: Reader) -> None:
    if block.prefixlen > LARGEST_SUBNET_PREFIX:
        reader.fault(
            "cidrBlock", str(block), f"must be a /{LARGEST_SUBNET_PREFIX} or larger", "such as 10.0.0.0/16"
        )
    if block.overlaps(SERVICES_CIDR):
        reader.fault("cidrBlock", str(block), f"must not overlap {SERVICES_CIDR}, the addresses of Services")


def _provisioner(reader: Reader) -> Provisioner:
    provisioner = Provisioner(
        endpoint=reader.text("endpoint", pattern=r"https?://\S+", expectation="must be a URL, or empty"),
        image=reader.text("image", "rightsize/provisioner:0.1.0"),
        mode=reader.choice("mode", MODES, BIN_SELECT),
        families=reader.texts("families"),
        architectures=reader.texts("architectures", ("arm64",), options=ARCHITECTURES),
        capacity_types=reader.texts("capacityTypes", (ON_DEMAND,), options=CAPACITY_TYPES),
        unneeded_seconds=reader.optional_integer("unneededSeconds"),
        max_pools=reader.integer("maxPools", 20, least=1),
        boot_volume_gib=_boot_volume(reader, 50),
    )
    reader.close()
    for key, value in (
        ("architectures", provisioner.architectures),
        ("capacityTypes", provisioner.capacity_types),
    ):
        if not value:
            reader.fault(key, "[]", "must name at least one", "leave the key out for the default")
    return provisioner


def _serving(reader: Reader) -> Serving:
    serving = Serving(
        image=reader.text("image", "rightsize/serving:0.1.0"),
        gpu_image=reader.text("gpuImage", "rightsize/serving:0.1.0-gpu"),
    )
    reader.close()
    return serving


def _budget(reader: Reader) -> Decimal | None:
    price = reader.optional_price("pricePerHour")
    reader.close()
    return price


def _boot_volume(reader: Reader, default: int) -> int:
    return reader.integer("bootVolumeGib", default, least=50, most=32768)


def _ocid(reader: Reader, key: str, kind: str) -> str:
    return reader.text(
        key, pattern=rf"ocid1\.{kind}\.\S+", expectation=f"must be the OCID of a {kind}, or be empty"
    )


def _cross_check(settings: Settings, reader: Reader) -> None:
    _check_names(settings.models, reader)
    network = settings.network
    parts = {
        "network.internetGatewayId": network.internet_gateway_id,
        "network.natGatewayId": network.nat_gateway_id,
        "network.serviceGatewayId": network.service_gateway_id,
        "network.subnets.api": network.subnets.api,
        "network.subnets.workers": network.subnets.workers,
        "network.subnets.pods": network.subnets.pods,
        "network.subnets.loadBalancers": network.subnets.load_balancers,
    }
    for path, value in parts.items():
        if value and not network.vcn_id:
            reader.fault(path, value, "must lie in a VCN that is there already", "set network.vcnId too")


def _check_names(models: tuple[Model, ...], reader: Reader) -> None:
    taken: dict[str, str] = {}
    for model in models:
        other = taken.setdefault(resource_name(model.name), model.name)
        if other != model.name:
            reader.fault(
                f"models.{model.name}",
                model.name,
                f"must differ from '{other}' by more than case, dots and underscores",
                "rename one of them",
            )
