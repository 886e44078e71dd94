"""Requests proposed from measured use, and what the pods would cost with them.

A workload's pods get the highest use of any of them in any sample, and a margin. Both prices are the
planner's own, for the same pods on new nodes: as they ask now, and as proposed. Pods that could not be
placed in either are left out of both.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.decide import decide
from provisioner.core.market import Catalog
from provisioner.core.model import Pod
from provisioner.core.policy import Policy
from provisioner.core.resources import Resources
from provisioner.core.served import is_served
from provisioner.core.snapshot import Snapshot
from provisioner.core.surge import TEMPLATE_HASH
from provisioner.core.usage import Usage

MIB: Final = 2**20
LEAST_CPU_MILLICORES: Final = 10
LEAST_MEMORY_BYTES: Final = 16 * MIB
"""Less is never proposed: a pod that sleeps while it is measured will wake."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One workload's requests, of each of its pods."""

    workload: str
    pods: tuple[Pod, ...]
    used: Resources
    """The most that any of them used."""
    proposed: Resources

    @property
    def asked(self) -> Resources:
        """The most that any of them asks for."""
        return Resources(
            max(pod.requests.cpu_millicores for pod in self.pods),
            max(pod.requests.memory_bytes for pod in self.pods),
        )


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Everything proposed, and what it would change."""

    proposals: tuple[Proposal, ...]
    unmeasured: tuple[str, ...]
    """Workloads that no sample knows: they keep what they ask for."""
    left_out: tuple[str, ...]
    """Pods that no node can be bought for, by key."""
    price_now: Decimal
    price_then: Decimal
    samples: int
    span: timedelta
    """From the first window to the last."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What prices follow from, beside the pods."""

    catalog: Catalog
    policy: Policy
    now: datetime
    budget: Callable[[], Callable[[], bool]]
    """Makes the budget of one decision."""
    daemon_sets: tuple[DaemonSet, ...] | None = None
    """That new nodes would have; None: nobody has looked."""


def recommend(
    pods: Iterable[Pod], samples: Sequence[Sequence[Usage]], margin_percent: int, terms: Terms
) -> Recommendation:
    """Proposals for every workload that was measured; a sample is one reading of all pods."""
    ours = [pod for pod in pods if _counts(pod, terms.policy)]
    workloads: dict[str, list[Pod]] = defaultdict(list)
    for pod in sorted(ours, key=lambda pod: pod.key):
        workloads[workload_of(pod)].append(pod)
    used = _highest(workloads, [each for sample in samples for each in sample])
    proposals = tuple(
        Proposal(name, tuple(members), used[name], _with_margin(used[name], margin_percent))
        for name, members in sorted(workloads.items())
        if name in used
    )
    resized = {
        pod.key: replace(pod, requests=_resized(pod.requests, each.proposed))
        for each in proposals
        for pod in each.pods
    }
    now, then, left_out = _prices(ours, [resized.get(pod.key, pod) for pod in ours], terms)
    times = [each.at for sample in samples for each in sample if each.at is not None]
    return Recommendation(
        proposals,
        tuple(sorted(set(workloads) - set(used))),
        left_out,
        now,
        then,
        len(samples),
        max(times) - min(times) if times else timedelta(0),
    )


def lines(made: Recommendation, margin_percent: int) -> Iterator[str]:
    """The recommendation in words, with what it is worth."""
    yield (
        f"{made.samples} samples over {made.span}: the highest use of any pod in any of them, and {margin_percent} % "
        "more. That is no history: before requests are lowered, take samples at the highest load there is"
    )
    for each in made.proposals:
        yield (
            f"  {each.workload}, {len(each.pods)} pods: asks for {_text(each.asked)}, used {_text(each.used)} at most; "
            f"proposed {_text(each.proposed)}"
        )
    for workload in made.unmeasured:
        yield f"  {workload}: not measured, keeps what it asks for"
    saved = made.price_now - made.price_then
    change = f"${saved:f} less" if saved >= 0 else f"${-saved:f} more"
    yield (
        f"all of them on new nodes: ${made.price_now:f} an hour as they ask now, ${made.price_then:f} as proposed: "
        f"{change}"
    )
    if made.left_out:
        yield f"  left out of both prices, since no node can be bought for them: {', '.join(made.left_out)}"
    yield (
        "An HPA that counts CPU in per cent of requests scales out sooner when they are lowered, and use never shows "
        "more than a limit lets through"
    )


def workload_of(pod: Pod) -> str:
    """`namespace/name` of what made the pod: of the Deployment where a ReplicaSet has its template's hash."""
    if pod.owner is None:
        return pod.key
    suffix = f"-{pod.labels.get(TEMPLATE_HASH, '')}"
    name = pod.owner.name
    if pod.owner.kind == "ReplicaSet" and len(suffix) > 1:
        name = name.removesuffix(suffix)
    return f"{pod.namespace}/{name}"


def _counts(pod: Pod, policy: Policy) -> bool:
    return not (pod.is_finished or pod.is_daemon or pod.is_deleting or pod.is_gated) and is_served(
        pod, policy
    )


def _highest(workloads: dict[str, list[Pod]], uses: Iterable[Usage]) -> dict[str, Resources]:
    """The highest use by workload; pods that are gone count for the one whose controller made them."""
    by_pod = {pod.key: name for name, members in workloads.items() for pod in members}
    by_owner = {
        f"{pod.namespace}/{pod.owner.name}-": name
        for name, members in workloads.items()
        for pod in members
        if pod.owner is not None
    }
    highest: dict[str, Resources] = {}
    for use in uses:
        name = by_pod.get(use.key) or by_owner.get(_maker(use.key))
        if name is not None:
            amounts = Resources(use.cpu_millicores, use.memory_bytes)
            highest[name] = highest.get(name, Resources()).largest(amounts)
    return highest


def _maker(key: str) -> str:
    """What stands before the last dash, as controllers name their pods."""
    head, dash, _ = key.rpartition("-")
    return head + dash


def _with_margin(used: Resources, percent: int) -> Resources:
    cpu = -(-used.cpu_millicores * (100 + percent) // 100)
    mib = -(-used.memory_bytes * (100 + percent) // (100 * MIB))
    return Resources(max(LEAST_CPU_MILLICORES, cpu), max(LEAST_MEMORY_BYTES, mib * MIB))


def _resized(asked: Resources, proposed: Resources) -> Resources:
    return replace(asked, cpu_millicores=proposed.cpu_millicores, memory_bytes=proposed.memory_bytes)


def _prices(
    now: Sequence[Pod], then: Sequence[Pod], terms: Terms
) -> tuple[Decimal, Decimal, tuple[str, ...]]:
    """Both prices, and the pods that neither counts."""
    refused: frozenset[str] = frozenset()
    while True:
        one, other = _planned(now, refused, terms), _planned(then, refused, terms)
        more = one[1] | other[1]
        if not more:
            return one[0], other[0], tuple(sorted(refused))
        refused |= more


def _planned(pods: Sequence[Pod], refused: Collection[str], terms: Terms) -> tuple[Decimal, frozenset[str]]:
    anew = tuple(pod.off_its_node() for pod in pods if pod.key not in refused)
    policy = _without_limits(terms.policy)
    plan = decide(
        Snapshot(anew, daemon_sets=terms.daemon_sets), terms.catalog, policy, terms.now, terms.budget()
    )
    return plan.price_per_hour, frozenset(each.pod.key for each in plan.unplaced)


def _without_limits(policy: Policy) -> Policy:
    """Of what may be bought: prices of all pods are compared, whatever of them may run."""
    return replace(
        policy,
        repack=False,
        max_nodes=None,
        max_cpu_millicores=None,
        max_memory_bytes=None,
        max_price_per_hour=None,
    )


def _text(amounts: Resources) -> str:
    return f"{amounts.cpu_millicores}m and {-(-amounts.memory_bytes // MIB)} MiB"
