"""The settings of a stack: parsed once into frozen values, all faults said together.

`parse` takes what `Pulumi.yaml` and a stack's file say as a plain mapping, so nothing here knows
the engine. CPU is in millicores, memory in bytes, money in US dollars an hour.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from catalog.allocatable import ACCOUNTINGS, DOCUMENTED
from catalog.names import resource_name
from catalog.offering import ARCHITECTURES, CAPACITY_TYPES, ON_DEMAND
from catalog.timing import TIMINGS, Timing
from components.guard import Guard
from components.hours import Hours
from provisioner.core.policy import DESIRED, GROWTHS, MODES, MOST_NODE_OVERHEAD, NEVER, OPTIMAL, RELEASES
from stacks.dialect import DIALECTS, Dialect, Site, dialect_of
from stacks.faults import Fault, StackError
from stacks.guard import read_guard
from stacks.hours import read_hours
from stacks.models import Model, read_models
from stacks.purchases import read_purchases
from stacks.reader import Reader
from stacks.upkeep import Upkeep, read_upkeep

MAX_SIZED: Final = "max-sized"
DYNAMIC: Final = "dynamic"
RIGHT_SIZED: Final = "right-sized"
VARIANTS: Final = (MAX_SIZED, DYNAMIC, RIGHT_SIZED)
RESTRICTED: Final = "restricted"
_REGISTRY: Final = r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*"
ACCESSES: Final = (RESTRICTED, "private")


@dataclass(frozen=True, slots=True)
class Api:
    """From where the API server is reached."""

    access: str
    allowed_cidrs: tuple[str, ...]
    proxy_url: str
    dns_endpoint: bool
    """Whether it also has a name, reached by anybody whom the cloud's IAM lets in."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster itself."""

    deletion_protection: bool
    """Whether a destroy fails at it."""
    release_channel: str
    """Empty where the cloud has none."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """The GPU pools of the max-sized and the dynamic variant."""

    shape: str
    max_nodes: int | None
    """Upper limit of the autoscaled pool; nothing: twice the sum of max workers."""
    availability_domains: tuple[str, ...]
    """Full names, where the cloud has them; none: the first of the region."""
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class Management:
    """The static pool for everything but models."""

    shape: str
    ocpus: int
    """Of a flexible shape; 0 where sizes are part of the shape's name."""
    memory_gib: int
    count: int
    boot_volume_gib: int


@dataclass(frozen=True, slots=True)
class Provisioner:
    """The provisioner of the right-sized variant."""

    endpoint: str
    """Address of the container engine's API; empty: the cloud's own."""
    image: str
    mode: str
    repack: bool
    """Whether the mode optimal moves pods to nodes that cost less together."""
    growth: str
    """How far room is made for a workload that an autoscaler is raising."""
    families: tuple[str, ...]
    """Shape families it may buy; none: every one of the catalog."""
    architectures: tuple[str, ...]
    capacity_types: tuple[str, ...]
    unneeded_seconds: int | None
    """How long a node must be removable before it is removed; nothing: by `timing`."""
    max_pools: int
    node_overhead_price_per_hour: Decimal
    """What each node is taken to cost beside its price, when the cheapest set is looked for."""
    hot_nodes: bool
    """Whether nodes are relieved whose pods use more than they asked for."""
    preview_release: str
    """How pods get free that a gate holds for a preview of their price."""
    preview_max_price_per_hour: Decimal | None
    """Above which price they wait for approval; nothing: no limit."""
    record_last: int
    """How many of its decisions it keeps for a replay; 0: none."""
    boot_volume_gib: int
    purchases: Mapping[str, Any]
    """Limits, preferences and thresholds, as the provisioner's policy names them."""
    upkeep: Upkeep
    """How it keeps its nodes."""

    @property
    def moves_pods(self) -> bool:
        """Whether it ever moves a pod: other modes never do."""
        return self.repack and self.mode == OPTIMAL


@dataclass(frozen=True, slots=True)
class Images:
    """Where the project's images are."""

    registry: str
    """What `make images` was given; empty: images are named in full, or are known where they run."""
    pull_secret: str = field(repr=False)
    """Credentials of the registry as Docker keeps them; empty: nodes may pull as they are."""
    repository: bool
    """Whether the stack makes a repository in its cloud's registry."""
    streaming: bool
    """Whether containers start before all of their image is there, where the cloud can do that."""

    def default(self, image: str) -> str:
        """An image of the project where the settings name none."""
        return f"{self.registry}/{image}" if self.registry else image


@dataclass(frozen=True, slots=True)
class Serving:
    """Images of the model servers; a model may name its own."""

    image: str
    gpu_image: str
    guard: Guard
    hours: Hours | None
    """When models run; nothing: always."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a stack can be told."""

    cloud: str
    variant: str
    accounting: str
    timing: Timing
    region: str
    site: Site
    """Where it is built, and what only that cloud can be told."""
    kubernetes_version: str
    """Empty: the newest that the cloud offers, or the one that it recommends."""
    cluster: Cluster
    models: tuple[Model, ...]
    api: Api
    expose_cidrs: tuple[str, ...]
    """Addresses that may call the models from outside; none: internal load balancers."""
    gpu: Gpu
    management: Management
    provisioner: Provisioner
    images: Images
    serving: Serving
    budget_per_hour: Decimal | None

    @property
    def dialect(self) -> Dialect:
        """How it was told, and what its cloud sells."""
        return DIALECTS[self.cloud]

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
    _check_names(settings.models, reader)
    if faults:
        raise StackError(faults)
    return settings


def _settings(reader: Reader) -> Settings:
    dialect = dialect_of(reader)
    variant = reader.choice("variant", VARIANTS, None)
    region = reader.required(
        "region",
        pattern=dialect.region_pattern,
        expectation=f"must be a region such as {dialect.region_example}",
        way_out=f"pulumi config set region {dialect.region_example}",
    )
    site = dialect.read_site(reader, region)
    images = _images(reader.section("images"), dialect)
    return Settings(
        cloud=dialect.cloud,
        variant=variant,
        accounting=reader.choice("accounting", ACCOUNTINGS, DOCUMENTED),
        timing=TIMINGS[reader.choice("timing", tuple(TIMINGS), "cloud")],
        region=region,
        site=site,
        kubernetes_version=reader.text(
            "kubernetesVersion",
            pattern=dialect.version_pattern,
            expectation=f"must have the form {dialect.version_example}, or be empty",
        ),
        cluster=_cluster(reader.section("cluster"), dialect),
        models=read_models(reader, "right_sized" if variant == RIGHT_SIZED else "gpu"),
        api=_api(reader.section("api"), dialect),
        expose_cidrs=_expose(reader.section("expose")),
        gpu=_gpu(reader.section("gpu"), dialect),
        management=_management(reader.section("management"), dialect),
        provisioner=_provisioner(reader.section("provisioner"), images),
        images=images,
        serving=_serving(reader.section("serving"), images),
        budget_per_hour=_budget(reader.section("budget")),
    )


def _cluster(reader: Reader, dialect: Dialect) -> Cluster:
    channels = dialect.channels
    cluster = Cluster(
        deletion_protection=reader.flag("deletionProtection"),
        release_channel=reader.choice("releaseChannel", channels, channels[0]) if channels else "",
    )
    reader.close()
    return cluster


def _api(reader: Reader, dialect: Dialect) -> Api:
    api = Api(
        access=reader.choice("access", ACCESSES, RESTRICTED),
        allowed_cidrs=reader.cidrs("allowedCidrs"),
        proxy_url=reader.text(
            "proxyUrl", pattern=r"(https?|socks5)://\S+", expectation="must be an http, https or socks5 URL"
        ),
        dns_endpoint=dialect.has_dns_endpoint and reader.flag("dnsEndpoint"),
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


def _gpu(reader: Reader, dialect: Dialect) -> Gpu:
    gpu = Gpu(
        shape=reader.text("shape", dialect.gpu_shape),
        max_nodes=reader.optional_integer("maxNodes", least=1),
        availability_domains=reader.texts("availabilityDomains") if dialect.has_domains else (),
        boot_volume_gib=_boot_volume(reader, 100),
    )
    reader.close()
    return gpu


def _management(reader: Reader, dialect: Dialect) -> Management:
    size = dialect.management_size
    management = Management(
        shape=reader.text("shape", dialect.management_shape),
        ocpus=reader.integer("ocpus", size[0], least=1) if size else 0,
        memory_gib=reader.integer("memoryGib", size[1], least=1) if size else 0,
        count=reader.integer("count", 2, least=1),
        boot_volume_gib=_boot_volume(reader, 50),
    )
    reader.close()
    return management


def _provisioner(reader: Reader, images: Images) -> Provisioner:
    provisioner = Provisioner(
        endpoint=reader.text("endpoint", pattern=r"https?://\S+", expectation="must be a URL, or empty"),
        image=reader.text("image", images.default("rightsize/provisioner:0.1.0")),
        mode=reader.choice("mode", MODES, OPTIMAL),
        repack=reader.flag("repack", default=True),
        growth=reader.choice("growth", GROWTHS, DESIRED),
        families=reader.texts("families"),
        architectures=reader.texts("architectures", ("arm64",), options=ARCHITECTURES),
        capacity_types=reader.texts("capacityTypes", (ON_DEMAND,), options=CAPACITY_TYPES),
        unneeded_seconds=reader.optional_integer("unneededSeconds"),
        max_pools=reader.integer("maxPools", 20, least=1),
        node_overhead_price_per_hour=reader.price("nodeOverheadPricePerHour", most=MOST_NODE_OVERHEAD),
        hot_nodes=reader.flag("hotNodes"),
        preview_release=reader.choice("previewRelease", RELEASES, NEVER),
        preview_max_price_per_hour=reader.optional_price("previewMaxPricePerHour"),
        record_last=reader.integer("recordLast", 0, most=1000),
        boot_volume_gib=_boot_volume(reader, 50),
        purchases=read_purchases(reader),
        upkeep=read_upkeep(reader),
    )
    reader.close()
    for key, value in (
        ("architectures", provisioner.architectures),
        ("capacityTypes", provisioner.capacity_types),
    ):
        if not value:
            reader.fault(key, "[]", "must name at least one", "leave the key out for the default")
    return provisioner


def _images(reader: Reader, dialect: Dialect) -> Images:
    images = Images(
        registry=reader.text(
            "registry", pattern=_REGISTRY, expectation="must be a host and a path, without scheme and tag"
        ),
        pull_secret=reader.secret("pullSecret"),
        repository=reader.flag("repository"),
        streaming=dialect.streams_images and reader.flag("streaming"),
    )
    if images.pull_secret and not _is_docker_config(images.pull_secret):
        reader.secret_fault(
            "pullSecret",
            'must be JSON with "auths", as `docker login` writes it to ~/.docker/config.json',
        )
    reader.close()
    return images


def _is_docker_config(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("auths"), dict) and bool(found["auths"])


def _serving(reader: Reader, images: Images) -> Serving:
    serving = Serving(
        image=reader.text("image", images.default("rightsize/serving:0.1.0")),
        gpu_image=reader.text("gpuImage", images.default("rightsize/serving:0.1.0-gpu")),
        guard=read_guard(reader),
        hours=read_hours(reader.section("hours")) if reader.has("hours") else None,
    )
    reader.close()
    return serving


def _budget(reader: Reader) -> Decimal | None:
    price = reader.optional_price("pricePerHour")
    reader.close()
    return price


def _boot_volume(reader: Reader, default: int) -> int:
    return reader.integer("bootVolumeGib", default, least=50, most=32768)


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
