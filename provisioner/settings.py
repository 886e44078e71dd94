"""The provisioner's settings: YAML text in the environment, written there by the stack.

Every key is checked at the start and all faults are reported together, because a controller that
stops at its first mistake is restarted once for every mistake. What differs between clouds is in
the section `site`, whose model is the cloud's own.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Generic, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from catalog.allocatable import ACCOUNTINGS
from catalog.names import ROLE_INFERENCE, ROLE_KEY, SETTINGS_ENV
from catalog.offering import ARCHITECTURES, CAPACITY_TYPES
from provisioner.core import quantity
from provisioner.core.cron import fault_of
from provisioner.core.model import Taint
from provisioner.core.node_budget import NodeBudget
from provisioner.core.policy import (
    DESIRED,
    GROWTHS,
    MODES,
    MOST_NODE_OVERHEAD,
    NEVER,
    OPTIMAL,
    REASONS,
    RELEASES,
    Headroom,
    Policy,
)
from provisioner.core.resources import Resources
from provisioner.sites import GkeSection, OkeSection, Section

S = TypeVar("S")
M = TypeVar("M", bound=Section)


class SettingsError(ValueError):
    """Settings that cannot be used; `faults` has one line for each reason."""

    def __init__(self, faults: list[str], source: str = SETTINGS_ENV) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in faults))


class HeadroomSettings(Section):
    """Room that is kept free: for `pods` of a size, or `percent` of what served pods request."""

    pods: int = Field(default=0, ge=0)
    cpu: str | int | float = 0
    memory: str | int = 0
    percent: Decimal = Field(default=Decimal(0), ge=0, le=1000, allow_inf_nan=False)

    @field_validator("cpu", "memory")
    @classmethod
    def _an_amount(cls, value: str | float) -> str | float:
        if quantity.exact(value) < 0:
            message = "expected an amount that is not negative"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> "HeadroomSettings":
        size = self.headroom().size
        if self.pods and self.percent:
            message = "pods and percent exclude each other: keep one"
        elif self.pods and not (size.cpu_millicores or size.memory_bytes):
            message = "pods need a size: give cpu, memory or both"
        elif (size.cpu_millicores or size.memory_bytes) and not self.pods:
            message = "cpu and memory are the size of pods: say how many"
        else:
            return self
        raise ValueError(message)

    def headroom(self) -> Headroom:
        """The same as a value of the core."""
        size = Resources(quantity.millis(self.cpu), quantity.whole(self.memory), pods=1)
        return Headroom(self.pods, size, self.percent)


_NODES: Final = re.compile(r"\d{1,9}|(\d{1,2}|100)%", re.ASCII)


class NodeBudgetSettings(Section):
    """How many bought nodes may be leaving at once; see `provisioner.core.node_budget`."""

    nodes: int | str = Field(description="a number, or per cent of bought nodes as in 10%")
    reasons: tuple[str, ...] = ()
    schedule: str = Field(default="", description="cron expression of five fields, UTC; empty: always")
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)

    @field_validator("nodes")
    @classmethod
    def _number_or_share(cls, value: int | str) -> int | str:
        if _NODES.fullmatch(str(value)) is None:
            message = "expected a number of nodes, or per cent of them as in 10%"
            raise ValueError(message)
        return value

    @field_validator("reasons")
    @classmethod
    def _known_reasons(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_one_of(value, REASONS) for value in values)

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        if value and (fault := fault_of(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> "NodeBudgetSettings":
        if bool(self.schedule) != bool(self.duration_s):
            message = "schedule and duration_s go together: give both, or neither"
            raise ValueError(message)
        return self

    def budget(self) -> NodeBudget:
        """The same as a value of the core."""
        text = str(self.nodes)
        number = None if text.endswith("%") else int(text)
        share = Decimal(text.removesuffix("%")) if number is None else Decimal(100)
        return NodeBudget(number, share, self.reasons, self.schedule, self.duration_s)


_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mode": MODES,
        "growth": GROWTHS,
        "preview_release": RELEASES,
        "architectures": ARCHITECTURES,
        "capacity_types": CAPACITY_TYPES,
    }
)
"""What a setting of the policy can say."""


class PolicySettings(Section):
    """What the provisioner may do; see `provisioner.core.policy.Policy`."""

    mode: str = OPTIMAL
    decision_deadline_s: float = Field(default=1, ge=0, allow_inf_nan=False)
    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = Field(default=("arm64",), min_length=1)
    preferred_architecture: str = ""
    capacity_types: tuple[str, ...] = Field(default=("on-demand",), min_length=1)
    max_spot_share: float = Field(default=1, ge=0, le=1, allow_inf_nan=False)
    pod_selector: dict[str, str] = Field(default_factory=dict)
    node_labels: dict[str, str] = Field(default_factory=lambda: {ROLE_KEY: ROLE_INFERENCE})
    node_taints: tuple[str, ...] = (f"{ROLE_KEY}={ROLE_INFERENCE}:NoSchedule",)
    node_unneeded_s: float = Field(default=300, ge=0)
    repack: bool = True
    repack_life_s: float = Field(default=3600, ge=0, allow_inf_nan=False)
    repack_cost_per_pod: Decimal = Field(default=Decimal("0.001"), ge=0, allow_inf_nan=False)
    batch_idle_s: float = Field(default=2, ge=0, allow_inf_nan=False)
    batch_longest_s: float = Field(default=10, ge=0, allow_inf_nan=False)
    growth: str = DESIRED
    headroom: HeadroomSettings | None = None
    expire_after_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    node_budgets: tuple[NodeBudgetSettings, ...] = ()
    replace_drifted: bool = False
    drain_timeout_s: float = Field(default=900, gt=0, allow_inf_nan=False)
    registration_s: float = Field(default=900, gt=0)
    empty_pool_s: float = Field(default=600, ge=0)
    no_capacity_s: float = Field(default=300, ge=0)
    node_overhead_price_per_hour: Decimal = Field(
        default=Decimal(0), ge=0, le=MOST_NODE_OVERHEAD, allow_inf_nan=False
    )
    max_pools: int = Field(default=20, ge=1)
    bin_select_pod_cpu_threshold: int = Field(default=3000, ge=1)
    bin_select_pod_memory_threshold: int = Field(default=2 * 10**9, ge=1)
    bin_packing_node_cpu: int = Field(default=3250, ge=1)
    bin_packing_node_memory: int = Field(default=7 * 2**30, ge=1)
    bin_packing_node_min_pod_count: int = Field(default=42, ge=1)
    max_nodes: int | None = Field(default=None, ge=0)
    max_cpu_millicores: int | None = Field(default=None, ge=0)
    max_memory_bytes: int | None = Field(default=None, ge=0)
    max_price_per_hour: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False)
    hot_nodes: bool = False
    hot_red_cpu_percent: float = Field(default=90, gt=0, allow_inf_nan=False)
    hot_red_memory_percent: float = Field(default=90, gt=0, allow_inf_nan=False)
    hot_green_cpu_percent: float = Field(default=70, gt=0, allow_inf_nan=False)
    hot_green_memory_percent: float = Field(default=70, gt=0, allow_inf_nan=False)
    hot_wait_s: float = Field(default=120, ge=0, allow_inf_nan=False)
    preview_release: str = NEVER
    preview_max_price_per_hour: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False)

    @field_validator("headroom", mode="before")
    @classmethod
    def _none_is_off(cls, value: Any) -> Any:
        return None if value in (0, "0", "off") else value

    @field_validator("hot_green_cpu_percent", "hot_green_memory_percent")
    @classmethod
    def _below_red(cls, value: float, info: Any) -> float:
        red = info.field_name.replace("green", "red")
        # A red mark that is faulty itself is not among the data.
        if value >= info.data.get(red, math.inf):
            raise ValueError(f"has to be below {red}, {info.data[red]:g}")
        return value

    @field_validator("mode", "growth", "preview_release")
    @classmethod
    def _known(cls, value: str, info: Any) -> str:
        return _one_of(value, _ALLOWED[info.field_name])

    @field_validator("architectures", "capacity_types")
    @classmethod
    def _each_known(cls, values: tuple[str, ...], info: Any) -> tuple[str, ...]:
        return tuple(_one_of(value, _ALLOWED[info.field_name]) for value in values)

    @field_validator("preferred_architecture")
    @classmethod
    def _allowed_too(cls, value: str, info: Any) -> str:
        return _one_of(value, ("", *info.data.get("architectures", ARCHITECTURES)))

    @field_validator("node_taints")
    @classmethod
    def _readable(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            Taint.parse(value)
        return values

    def policy(self) -> Policy:
        """The same as a value of the core."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        room = self.headroom.headroom() if self.headroom else None
        budgets = tuple(each.budget() for each in self.node_budgets)
        taints = tuple(map(Taint.parse, self.node_taints))
        return Policy(**{**fields, "node_taints": taints, "headroom": room, "node_budgets": budgets})


class Settings(Section, Generic[S]):
    """Everything the controller has to be told; the rest it observes."""

    cloud: str
    accounting: str = "documented"
    stack: str = ""
    cluster_id: str = Field(min_length=1)
    region: str = Field(min_length=1)
    endpoint: str = Field(default="", description="the cloud's own API when empty")
    kubernetes_version: str = Field(pattern=r"^v?\d+\.\d+\.\d+(-gke\.\d+)?$")
    site: S
    loop_period_s: float = Field(default=10, gt=0)
    log_format: Literal["json", "console"] = "json"
    record_folder: str = Field(default="", description="no decision is recorded when empty")
    record_last: int = Field(default=20, ge=1)
    record_mib: int = Field(default=50, ge=1, description="what the records may take together")
    policy: PolicySettings = Field(default_factory=PolicySettings)

    @field_validator("cloud")
    @classmethod
    def _known_cloud(cls, value: str) -> str:
        return _one_of(value, tuple(_MODELS))

    @field_validator("accounting")
    @classmethod
    def _known_accounting(cls, value: str) -> str:
        return _one_of(value, ACCOUNTINGS)


_MODELS: Final[Mapping[str, type[Settings[Any]]]] = MappingProxyType(
    {"oke": Settings[OkeSection], "gke": Settings[GkeSection]}
)
"""The settings by the cloud's name."""


def parse(text: str) -> Settings[Any]:
    """Settings from YAML text; raises SettingsError with every fault."""
    raw = _mapping(text, SETTINGS_ENV)
    # A cloud that is not known is one of the faults; its section can then not be read.
    return _checked(_MODELS.get(str(raw.get("cloud")), Settings[Any]), raw, SETTINGS_ENV)


def parse_policy(text: str, source: str) -> PolicySettings | Settings[Any]:
    """What stands under `policy` alone, or the whole settings around it; `source` names the text in faults."""
    raw = _mapping(text, source)
    if "policy" not in raw and "cloud" not in raw:
        return _checked(PolicySettings, raw, source)
    return _checked(_MODELS.get(str(raw.get("cloud")), Settings[Any]), raw, source)


def _mapping(text: str, source: str) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError([f"not readable as YAML: {' '.join(str(error).split())}"], source) from error
    if not isinstance(raw, dict):
        raise SettingsError([f"expected keys and values, got {raw!r}"], source)
    return raw


def _checked(model: type[M], raw: dict[str, Any], source: str) -> M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise SettingsError([_line(fault) for fault in error.errors()], source) from error


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        message = f"expected {' or '.join(allowed)}"
        raise ValueError(message)
    return value


_PLAIN: Final = {
    "extra_forbidden": "is not a setting; remove it or correct its name",
    "missing": "is missing and has no default",
}


def _line(fault: Any) -> str:
    path = ".".join(map(str, fault["loc"])) or "(settings)"
    said = _PLAIN.get(fault["type"])
    if said:
        return f"{path}: {said}"
    reason = fault["msg"].removeprefix("Value error, ")
    return f"{path}: {fault['input']!r}; {reason}"
