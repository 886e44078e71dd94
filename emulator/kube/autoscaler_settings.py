"""Reads the configuration of OKE's ClusterAutoscaler add-on, as Oracle documents its keys."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.kube.spec import AutoscalerSettings, PoolLimits

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_IGNORED: Final = frozenset(
    {
        "annotations",
        "authType",
        "balanceSimilarNodeGroups",
        "balancingIgnoreLabel",
        "cluster-autoscaler.ContainerResources",
        "expander",
        "ignoreDaemonsetsUtilization",
        "newPodScaleUpDelay",
        "nodeSelectors",
        "numOfReplicas",
        "podAnnotations",
        "scaleDownDelayAfterDelete",
        "scaleDownDelayAfterFailure",
        "scaleDownNonEmptyCandidatesCount",
        "scaleDownUnreadyTime",
        "tolerations",
        "unremovableNodeRecheckTimeout",
        "v",
    }
)
"""Keys the add-on knows that an emulated cluster has no use for."""


class AutoscalerSettingsInvalid(ValueError):
    """The add-on's configuration has faults; `faults` lists all of them."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def parse(configuration: Mapping[str, str]) -> AutoscalerSettings:
    """Settings from the add-on's keys and values.

    Raises:
        AutoscalerSettingsInvalid: with every fault: key, value and what was expected.
    """
    values: dict[str, Any] = {}
    ignored: dict[str, str] = {}
    faults: list[str] = []
    for key, text in configuration.items():
        if key in _IGNORED:
            ignored[key] = text
        elif key not in _KEYS:
            faults.append(f"{key}: not a key of the ClusterAutoscaler add-on")
        else:
            field, read = _KEYS[key]
            try:
                values[field] = read(text)
            except ValueError as fault:
                faults.append(f"{key}: {text!r} {fault}")
    if "nodes" not in configuration:
        faults.append("nodes: missing; expected min:max:<node pool OCID>, separated by commas")
    if faults:
        raise AutoscalerSettingsInvalid(tuple(faults))
    return AutoscalerSettings(ignored=ignored, **values)


def _duration(text: str) -> float:
    if not text or _PART.sub("", text):
        raise ValueError("is not a duration such as 10m, 8s or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("is not true or false")
    return text.lower() == "true"


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("is not a whole number")
    return int(text)


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("is not a number from 0 to 1")
    return value


def _nodes(text: str) -> tuple[PoolLimits, ...]:
    return tuple(_limits(part.strip()) for part in text.split(",") if part.strip())


def _limits(text: str) -> PoolLimits:
    least, most, pool_id = (*text.split(":", 2), "", "")[:3]
    if not (least.isdigit() and most.isdigit() and pool_id) or int(least) > int(most):
        raise ValueError(f"has {text!r}; expected min:max:<node pool OCID>")
    return PoolLimits(pool_id, int(least), int(most))


_KEYS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "nodes": ("nodes", _nodes),
    "scanInterval": ("scan_interval_s", _duration),
    "scaleDownEnabled": ("scale_down_enabled", _truth),
    "scaleDownDelayAfterAdd": ("scale_down_delay_after_add_s", _duration),
    "scaleDownUnneededTime": ("scale_down_unneeded_s", _duration),
    "scaleDownUtilizationThreshold": ("scale_down_utilization_threshold", _fraction),
    "maxNodeProvisionTime": ("max_node_provision_s", _duration),
    "maxEmptyBulkDelete": ("max_empty_bulk_delete", _count),
    "maxNodesTotal": ("max_nodes_total", _count),
    "skipNodesWithSystemPods": ("skip_nodes_with_system_pods", _truth),
    "skipNodesWithLocalStorage": ("skip_nodes_with_local_storage", _truth),
}
