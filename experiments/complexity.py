"""Which changes a variant follows by itself, judged by what its stack declares and its provisioner answers; pure.

    a pool's size is fixed, or an autoscaler's up to a limit   whoever declared it follows more workers, or not
    a pool names its machine                                   whoever declared it follows other sizes and offerings
    no pool is declared                                        the provisioner's planner is asked of each change

Nothing of it is taken from the published judgements, which stand beside.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from experiments.evidence import CHANGES, MAX_WORKERS, OFFERINGS, WORKER_SIZE, Asked, Evidence, Read
from experiments.published import VARIANTS, Adapts
from experiments.record import Sample

_SAMPLES: Final = "samples.jsonl"
_TELLING: Final[Mapping[str, tuple[str, ...]]] = {
    MAX_WORKERS: (
        "policy.max_nodes",
        "policy.max_cpu_millicores",
        "policy.max_memory_bytes",
        "policy.max_price_per_hour",
    ),
    WORKER_SIZE: ("policy.families", "policy.architectures"),
    OFFERINGS: ("policy.families", "policy.architectures", "policy.capacity_types"),
}
"""Settings of the provisioner that could keep it from following a change."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a change is followed by itself, why, and from what that was read."""

    adapts: bool
    why: str
    evidence: tuple[Read | Asked, ...]


def judge(found: Evidence, samples: Sequence[Sample] = ()) -> Mapping[str, Judged]:
    """Each kind of change, of one variant; empty where there is nothing to judge by.

    Samples of the variant are told as evidence, and decide nothing.
    """
    if found.pools:
        machines = tuple(pool.machine for pool in found.pools)
        named = "a declared pool names its machine"
        return {
            MAX_WORKERS: _of_sizes(found, samples),
            WORKER_SIZE: Judged(adapts=False, why=named, evidence=(*machines, *_seen_machines(samples))),
            OFFERINGS: Judged(adapts=False, why=named, evidence=machines),
        }
    return {
        change: _of_provisioner(found, asked, samples)
        for change in CHANGES
        if (asked := [one for one in found.asked if one.change == change])
    }


def as_json(judged: Mapping[str, Mapping[str, Judged]], published: Mapping[str, Adapts]) -> dict[str, Any]:
    """The promised document; a variant that was not measured is absent from `variants` and `evidence`."""
    return {
        "variants": {
            variant: {change: one.adapts for change, one in row.items()} for variant, row in judged.items()
        },
        "evidence": {
            variant: {change: [asdict(each) for each in one.evidence] for change, one in row.items()}
            for variant, row in judged.items()
        },
        "why": {variant: {change: one.why for change, one in row.items()} for variant, row in judged.items()},
        "published": {variant: published[variant].model_dump() for variant in VARIANTS},
    }


def _of_sizes(found: Evidence, samples: Sequence[Sample]) -> Judged:
    """By how many nodes there may be, where the most workers of now need one each."""
    fixed = [pool.fixed for pool in found.pools if pool.fixed is not None]
    limits = [pool.most for pool in found.pools if pool.most is not None]
    most, needed = _sum(limits), _sum(found.workers)
    if fixed or not limits:
        adapts, why = False, "a pool's size is what somebody declared"
    else:
        adapts = bool(needed) and most > needed
        why = f"an autoscaler may have {most} nodes, and the most workers of now need {needed}"
    return Judged(adapts, why, (*fixed, *limits, *found.workers, *_seen_nodes(samples)))


def _sum(found: Iterable[Read]) -> int:
    return sum(one.value for one in found if isinstance(one.value, int))


def _of_provisioner(found: Evidence, asked: Sequence[Asked], samples: Sequence[Sample]) -> Judged:
    change, adapts = asked[0].change, all(one.served for one in asked if one.decides)
    answer = "has a node for every worker then" if adapts else "has no node for some workers then"
    limits = "".join(f"; not with {one.question}" for one in asked if not (one.decides or one.served))
    none = Read("state of the stack", "node pools, of which none is for inference", found.other_pools)
    settings = (one for one in found.settings if one.property in _TELLING[change])
    seen = {MAX_WORKERS: _seen_nodes, WORKER_SIZE: _seen_machines}.get(change)
    return Judged(
        adapts,
        f"no pool is declared, and the provisioner's planner {answer}{limits}",
        (none, *settings, *asked, *(seen(samples) if seen else ())),
    )


def _seen_nodes(samples: Sequence[Sample]) -> tuple[Read, ...]:
    """How many nodes there were in steady states, by how many workers."""
    steady = [each for each in samples if each.steady]
    counts = sorted({(sum(each.replicas.values()), each.nodes) for each in steady})
    seen = tuple(f"{nodes} for {workers} workers" for workers, nodes in counts)
    return (Read(_SAMPLES, "nodes in steady state", seen),) if seen else ()


def _seen_machines(samples: Sequence[Sample]) -> tuple[Read, ...]:
    seen = tuple(sorted({machine for each in samples for machine in each.machines}))
    return (Read(_SAMPLES, "machines, those for management too", seen),) if seen else ()
