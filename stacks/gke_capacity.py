"""Whether a Google project has room for a stack, and in which zones: pure judgement of a survey."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.accelerators import ACCELERATORS
from catalog.offering import ON_DEMAND, Offering
from stacks.faults import Fault
from stacks.gke_survey import Quota, Survey
from stacks.preflight import Checked
from stacks.settings import Settings

MANAGEMENT: Final = "management.shape"
GPU: Final = "gpu.shape"
BOUGHT: Final = "provisioner.families"
_COMMON_CPUS: Final = ("n1", "e2")
"""Series that count in the region's CPUS; newer ones have quotas that regions do not list."""
_CPUS_EVERYWHERE: Final = "CPUS_ALL_REGIONS"
_GPUS_EVERYWHERE: Final = "GPUS_ALL_REGIONS"
_QUOTAS: Final = "https://console.cloud.google.com/iam-admin/quotas"


@dataclass(frozen=True, slots=True)
class Need:
    """So many machines of one kind."""

    path: str
    """Setting that asks for them."""
    offering: Offering
    nodes: int

    @property
    def accelerator(self) -> str:
        """Google's name of its GPUs; empty: it has none."""
        return ACCELERATORS.get(self.offering.gpu_model, "") if self.offering.gpus else ""

    def zones(self, survey: Survey) -> tuple[str, ...]:
        """Where it is sold."""
        return tuple(
            name
            for name, zone in sorted(survey.zones.items())
            if self.offering.machine_type in zone.machine_types
            and (not self.accelerator or self.accelerator in zone.accelerators)
        )


def declared(settings: Settings, checked: Checked) -> list[Need]:
    """Machines of the stack's own pools."""
    needs = [Need(MANAGEMENT, checked.management.size.offering, settings.management.count)]
    if checked.gpu:
        needs.append(Need(GPU, checked.gpu.size.offering, settings.max_workers))
    return needs


def bought(checked: Checked) -> list[Need]:
    """Machines that the provisioner will buy for the peak, one need for each kind."""
    counts: dict[Offering, int] = defaultdict(int)
    for size in checked.bought:
        counts[size.offering] += 1
    return [Need(BOUGHT, offering, count) for offering, count in counts.items()]


def choose_zones(
    settings: Settings, wished: Sequence[str], needs: Sequence[Need], extra: Sequence[Need], survey: Survey
) -> tuple[tuple[str, ...], list[Fault]]:
    """Zones of the stack, and what keeps it from having any.

    Args:
        settings: of the stack.
        wished: zones of the settings; none: one is chosen, the cluster's where there is one.
        needs: machines that must be sold in at least one of the zones.
        extra: machines that had better be sold there too.
        survey: what is sold where.
    """
    missing = _not_sold(settings, wished or tuple(sorted(survey.zones)), needs, survey)
    if missing or wished:
        return tuple(wished), missing
    if survey.built in survey.zones:
        return (survey.built,), _not_sold(settings, [survey.built], needs, survey)
    for wanted in ([*needs, *extra], needs):
        common = [zone for zone in sorted(survey.zones) if all(zone in need.zones(survey) for need in wanted)]
        if common:
            return (common[0],), []
    return (), [_no_common_zone(settings, needs, survey)]


def short_quotas(settings: Settings, needs: Iterable[Need], survey: Survey) -> list[Fault]:
    """Quotas that the stack at its peak would go beyond.

    What a stack that is there uses already cannot be told apart from what others use: then it is
    held against the limit only.
    """
    demands: dict[tuple[str, str], list[tuple[Need, int]]] = defaultdict(list)
    for need in needs:
        if need.offering.capacity_type == ON_DEMAND:
            for scope, metric, each in _metrics(need.offering, survey):
                demands[scope, metric].append((need, each * need.nodes))
    places = {"region": (survey.regional, settings.region), "project": (survey.everywhere, "all regions")}
    return [
        fault
        for (scope, metric), parts in demands.items()
        for fault in _short(metric, places[scope], parts, built=bool(survey.built))
    ]


def _not_sold(settings: Settings, zones: Sequence[str], needs: Sequence[Need], survey: Survey) -> list[Fault]:
    faults = []
    for need in needs:
        sold = need.zones(survey)
        if not set(sold) & set(zones):
            instead = f"zones {', '.join(sold)} sell it" if sold else "choose another shape or region"
            faults.append(
                Fault(
                    need.path,
                    need.offering.shape,
                    f"is not sold in {', '.join(zones)} of {settings.region}",
                    instead,
                )
            )
    return faults


def _no_common_zone(settings: Settings, needs: Sequence[Need], survey: Survey) -> Fault:
    where = "; ".join(f"{need.offering.shape} only in {', '.join(need.zones(survey))}" for need in needs)
    firsts = sorted({need.zones(survey)[0] for need in needs})
    return Fault(
        "zones",
        None,
        f"cannot be one zone: none of {settings.region} sells all of the stack's machines ({where})",
        f"set zones to [{', '.join(firsts)}] for a regional cluster, or choose another shape",
    )


def _metrics(offering: Offering, survey: Survey) -> list[tuple[str, str, int]]:
    """Quotas that one machine counts in: scope, metric, how much."""
    series, vcpus = offering.machine_type.partition("-")[0], offering.vcpus_of()
    own = f"{series.upper()}_CPUS"
    found = [("project", _CPUS_EVERYWHERE, vcpus)]
    if own in survey.regional:
        found.append(("region", own, vcpus))
    elif series in _COMMON_CPUS:
        found.append(("region", "CPUS", vcpus))
    if offering.gpus:
        found += [
            ("region", f"NVIDIA_{offering.gpu_model.upper()}_GPUS", offering.gpus),
            ("project", _GPUS_EVERYWHERE, offering.gpus),
        ]
    return found


def _short(
    metric: str, place: tuple[Mapping[str, Quota], str], parts: list[tuple[Need, int]], *, built: bool
) -> list[Fault]:
    quotas, where = place
    quota = quotas.get(metric)
    asked = sum(amount for _, amount in parts)
    if quota is None or asked <= (left := quota.limit - (0 if built else quota.usage)):
        return []
    need, amount = max(parts, key=lambda part: part[1])
    fits = int((left - (asked - amount)) // (amount // need.nodes))
    instead = f"or make do with {fits} of these machines" if fits > 0 else _INSTEAD[need.path]
    return [
        Fault(
            need.path,
            need.offering.shape,
            f"makes the stack need {asked} of the quota {metric} of {where}, of which {left:g} of {quota.limit:g} are left",
            f"have it raised to {quota.limit + asked - left:g} at {_QUOTAS}, {instead}",
        )
    ]


_INSTEAD: Final = {
    MANAGEMENT: "or choose another management.shape",
    GPU: "or take the variant right-sized, which needs no GPU",
    BOUGHT: "or allow other families",
}
