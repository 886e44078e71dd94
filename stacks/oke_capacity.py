"""Whether an Oracle tenancy has room for a stack: pure judgement of a survey."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from catalog.oke_limits import GIB, GPUS, LIMITS, OCPUS, Limit
from provisioner.core.market import Size
from stacks.faults import Fault
from stacks.oke_survey import Survey
from stacks.preflight import Checked
from stacks.settings import Settings

MANAGEMENT: Final = "management.shape"
GPU: Final = "gpu.shape"
BOUGHT: Final = "provisioner.families"
_INSTEAD: Final = {
    MANAGEMENT: "choose another management.shape or fewer management.ocpus",
    GPU: "take the variant right-sized, which needs no GPU",
    BOUGHT: "allow other families",
}


@dataclass(frozen=True, slots=True)
class Need:
    """So many machines of one size, in some availability domains together."""

    path: str
    """Setting that asks for them."""
    size: Size
    nodes: int
    domains: tuple[str, ...]

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Limits that its machines count in, as far as they are known."""
        return LIMITS.get(self.size.offering.family, ())

    def amount(self, limit: Limit) -> int:
        """How much of a limit all of them take."""
        each = {
            OCPUS: self.size.ocpus,
            GIB: int(self.size.memory_gib),
            GPUS: self.size.offering.gpus,
        }[limit.unit]
        return self.nodes * each


def needs_of(settings: Settings, checked: Checked, domains: tuple[str, ...]) -> list[Need]:
    """All machines of the stack at its peak, by the availability domains they may be in."""
    needs = [Need(MANAGEMENT, checked.management.size, settings.management.count, domains)]
    if checked.gpu:
        placed = gpu_domains(settings, domains)
        needs.append(Need(GPU, checked.gpu.size, settings.max_workers, placed))
    return needs + [Need(BOUGHT, size, 1, domains) for size in checked.bought]


def gpu_domains(settings: Settings, domains: tuple[str, ...]) -> tuple[str, ...]:
    """Where GPU nodes are: in the named availability domains, else in the first one."""
    return settings.gpu.availability_domains or domains[:1]


def limits_of(needs: Iterable[Need]) -> tuple[str, ...]:
    """Names of every limit that matters."""
    return tuple(dict.fromkeys(limit.name for need in needs for limit in need.limits))


def short_limits(needs: Iterable[Need], domains: Sequence[str], survey: Survey) -> list[Fault]:
    """Limits that the stack at its peak would go beyond.

    What a stack that is there uses already cannot be told apart from what others use: then it is
    held against the whole limit.
    """
    demands: dict[tuple[Limit, tuple[str, ...]], list[Need]] = defaultdict(list)
    for need in needs:
        for limit in need.limits:
            demands[limit, need.domains].append(need)
    return [
        fault
        for (limit, placed), parts in demands.items()
        for fault in _short(limit, placed, parts, _left(limit, domains, survey))
    ]


def _left(limit: Limit, domains: Sequence[str], survey: Survey) -> dict[str, int]:
    """What the stack may take of a limit in each availability domain that tells."""
    rooms = {domain: survey.rooms.get((limit.name, domain)) for domain in domains}
    return {
        domain: room.available + (room.used if survey.built else 0)
        for domain, room in rooms.items()
        if room is not None
    }


def _short(
    limit: Limit, placed: tuple[str, ...], parts: Sequence[Need], left: Mapping[str, int]
) -> list[Fault]:
    if not set(placed) <= set(left):
        return []
    asked, there = sum(need.amount(limit) for need in parts), sum(left[domain] for domain in placed)
    if asked <= there:
        return []
    need = max(parts, key=lambda part: part.amount(limit))
    return [
        Fault(
            need.path,
            need.size.offering.shape,
            f"makes the stack need {asked} {limit.unit}, of which the limit {limit.name} leaves {there} in "
            f"{', '.join(placed)}",
            f"ask Oracle for a higher limit, or {_instead(need, asked, left)}",
        )
    ]


def _instead(need: Need, asked: int, left: Mapping[str, int]) -> str:
    """Other availability domains where they have room, else what the setting could be."""
    enough = [domain for domain, amount in left.items() if amount >= asked and domain not in need.domains]
    if need.path == GPU and enough:
        return f"set gpu.availabilityDomains to [{enough[0]}], which has room"
    return _INSTEAD[need.path]
