"""Quotas: how many of what the project may have in a region, and in all regions together.

The emulated account was given more of everything than a new one has, whose GPUS_ALL_REGIONS is 0.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from catalog.accelerators import ACCELERATORS
from catalog.offering import Offering
from emulator.gcp.account import PROJECT, region_of
from emulator.gcp.machines import Machine
from emulator.gcp.state import Shortage

_FAMILIES: Final[Mapping[str, str]] = {
    "t2a": "T2A_CPUS",
    "n2d": "N2D_CPUS",
    "e2": "E2_CPUS",
    "n1": "CPUS",
}
"""Metric of a family's cores; the newer families share one that regions do not show."""
_PER_FAMILY: Final = "CPUS_PER_VM_FAMILY"
_GPUS: Final[Mapping[str, str]] = {
    "nvidia-tesla-t4": "NVIDIA_T4_GPUS",
    "nvidia-l4": "NVIDIA_L4_GPUS",
}
_CPUS_EVERYWHERE: Final = "CPUS_ALL_REGIONS"
_GPUS_EVERYWHERE: Final = "GPUS_ALL_REGIONS"


def _regional_limits() -> dict[str, int]:
    cores = dict.fromkeys(sorted({*_FAMILIES.values(), "PREEMPTIBLE_CPUS"}), 2400)
    cards = {f"{kind}{metric}": 64 for metric in _GPUS.values() for kind in ("", "PREEMPTIBLE_")}
    return {**cores, **cards, "INSTANCES": 2000}


@dataclass(slots=True)
class Quotas:
    """The limits; they may be changed."""

    regional: dict[str, int] = field(default_factory=_regional_limits)
    """Of each region, by metric."""
    everywhere: dict[str, int] = field(default_factory=lambda: {_CPUS_EVERYWHERE: 5000, _GPUS_EVERYWHERE: 64})

    def limited(self, offering: Offering, limit: int) -> "Quotas":
        """With that many cores, or GPUs if it has some, of an offering's family in each region."""
        family = offering.machine_type.partition("-")[0]
        metric = _GPUS[ACCELERATORS[offering.gpu_model]] if offering.gpus else _cores(family)
        return replace(self, regional={**self.regional, metric: limit})

    def of_region(self, region: str, running: Iterable[Machine]) -> list[dict[str, Any]]:
        """As the API shows a region's."""
        used = Counter[str]()
        for machine in running:
            if region_of(machine.zone) == region:
                used.update(_regional(machine))
        return _shown(self.regional, used)

    def of_project(self, running: Iterable[Machine]) -> list[dict[str, Any]]:
        """As the API shows the project's."""
        used = Counter[str]()
        for machine in running:
            used.update(_everywhere(machine))
        return _shown(self.everywhere, used)

    def shortage(self, wanted: Machine, running: Iterable[Machine]) -> Shortage | None:
        """What keeps the project from one more machine."""
        machines = tuple(running)
        region = region_of(wanted.zone)
        here = [machine for machine in machines if region_of(machine.zone) == region]
        place = f"in region {region}"
        return _first(
            (
                *_exceeded(self.regional, _regional, wanted, here, place),
                *_exceeded(self.everywhere, _everywhere, wanted, machines, f"globally in {PROJECT}"),
            )
        )


def _exceeded(
    limits: Mapping[str, int], amounts: Any, wanted: Machine, running: Iterable[Machine], place: str
) -> Iterator[Shortage]:
    used = Counter[str]()
    for machine in running:
        used.update(amounts(machine))
    for metric, amount in amounts(wanted).items():
        if metric in limits and used[metric] + amount > limits[metric]:
            name, _, family = metric.partition("/")
            message = f"Quota '{name}' exceeded. Limit: {limits[metric]}.0 {place}."
            if family:
                message += f" dimensions = vm_family: {family}"
            yield Shortage("QUOTA_EXCEEDED", message, "GCE_QUOTA_EXCEEDED")


def _first(shortages: Iterable[Shortage]) -> Shortage | None:
    return next(iter(shortages), None)


def _regional(machine: Machine) -> Mapping[str, int]:
    """What a machine takes of a region's quotas; a preemptible one has metrics of its own."""
    amounts: dict[str, int] = {"INSTANCES": 1}
    family = machine.machine_type.partition("-")[0]
    if machine.spot:
        amounts["PREEMPTIBLE_CPUS"] = machine.vcpus
    else:
        amounts[_cores(family)] = machine.vcpus
    if machine.gpus:
        prefix = "PREEMPTIBLE_" if machine.spot else ""
        amounts[f"{prefix}{_GPUS[machine.accelerator]}"] = machine.gpus
    return amounts


def _cores(family: str) -> str:
    """Metric of a family's cores."""
    return _FAMILIES.get(family) or f"{_PER_FAMILY}/{family.upper()}"


def _everywhere(machine: Machine) -> Mapping[str, int]:
    gpus = {_GPUS_EVERYWHERE: machine.gpus} if machine.gpus else {}
    return {_CPUS_EVERYWHERE: machine.vcpus, **gpus}


def _shown(limits: Mapping[str, int], used: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"metric": metric, "limit": float(limit), "usage": float(used.get(metric, 0))}
        for metric, limit in limits.items()
        if not metric.startswith(_PER_FAMILY)
    ]
