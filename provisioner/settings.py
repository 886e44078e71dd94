"""The provisioner's settings: YAML text in the environment, written there by the stack.

Every key is checked at the start and all faults are reported together, because a controller that
stops at its first mistake is restarted once for every mistake.
"""

from decimal import Decimal
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.allocatable import ACCOUNTINGS, CLOUDS
from catalog.names import ROLE_INFERENCE, ROLE_KEY, SETTINGS_ENV
from catalog.offering import ARCHITECTURES, CAPACITY_TYPES
from provisioner.core.model import Taint
from provisioner.core.policy import BIN_SELECT, MODES, Policy


class SettingsError(ValueError):
    """Settings that cannot be used; `faults` has one line for each reason."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{SETTINGS_ENV}: {fault}" for fault in faults))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSettings(_Section):
    """Where bought nodes and their pods live."""

    worker_subnet_id: str = Field(min_length=1)
    worker_nsg_ids: tuple[str, ...] = ()
    pod_subnet_ids: tuple[str, ...] = Field(
        default=(), description="empty: the cluster does not use VCN-native pods"
    )
    pod_nsg_ids: tuple[str, ...] = ()


class PolicySettings(_Section):
    """What the provisioner may do; see `provisioner.core.policy.Policy`."""

    mode: str = BIN_SELECT
    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = Field(default=("arm64",), min_length=1)
    capacity_types: tuple[str, ...] = Field(default=("on-demand",), min_length=1)
    pod_selector: dict[str, str] = Field(default_factory=dict)
    node_labels: dict[str, str] = Field(default_factory=lambda: {ROLE_KEY: ROLE_INFERENCE})
    node_taints: tuple[str, ...] = (f"{ROLE_KEY}={ROLE_INFERENCE}:NoSchedule",)
    node_unneeded_s: float = Field(default=300, ge=0)
    registration_s: float = Field(default=900, gt=0)
    empty_pool_s: float = Field(default=600, ge=0)
    no_capacity_s: float = Field(default=300, ge=0)
    max_pools: int = Field(default=20, ge=1)
    max_nodes: int | None = Field(default=None, ge=0)
    max_price_per_hour: Decimal | None = Field(default=None, ge=0)

    @field_validator("mode")
    @classmethod
    def _known_mode(cls, value: str) -> str:
        return _one_of(value, MODES)

    @field_validator("architectures", "capacity_types")
    @classmethod
    def _known(cls, values: tuple[str, ...], info: Any) -> tuple[str, ...]:
        allowed = ARCHITECTURES if info.field_name == "architectures" else CAPACITY_TYPES
        return tuple(_one_of(value, allowed) for value in values)

    @field_validator("node_taints")
    @classmethod
    def _readable(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            Taint.parse(value)
        return values

    def policy(self) -> Policy:
        """The same as a value of the core."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Policy(**{**fields, "node_taints": tuple(map(Taint.parse, self.node_taints))})


class Settings(_Section):
    """Everything the controller has to be told; the rest it observes."""

    cloud: str
    accounting: str = "documented"
    stack: str = ""
    cluster_id: str = Field(min_length=1)
    compartment_id: str = Field(min_length=1)
    region: str = Field(min_length=1)
    endpoint: str = Field(default="", description="the cloud's own API when empty")
    kubernetes_version: str = Field(pattern=r"^v\d+\.\d+\.\d+$")
    node_images: dict[Literal["arm64", "amd64", "amd64-gpu"], str] = Field(min_length=1)
    network: NetworkSettings
    availability_domains: tuple[str, ...] = Field(min_length=1)
    boot_volume_gib: int = Field(default=50, ge=50)
    loop_period_s: float = Field(default=10, gt=0)
    log_format: Literal["json", "console"] = "json"
    policy: PolicySettings = Field(default_factory=PolicySettings)

    @field_validator("cloud")
    @classmethod
    def _known_cloud(cls, value: str) -> str:
        return _one_of(value, CLOUDS)

    @field_validator("accounting")
    @classmethod
    def _known_accounting(cls, value: str) -> str:
        return _one_of(value, ACCOUNTINGS)


def parse(text: str) -> Settings:
    """Settings from YAML text; raises SettingsError with every fault."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError([f"not readable as YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(raw, dict):
        raise SettingsError([f"expected keys and values, got {raw!r}"])
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError([_line(fault) for fault in error.errors()]) from error


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
