"""What the provisioner will buy for a stack, asked of the provisioner's own core."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from catalog.names import PROVISION_KEY, ROLE_INFERENCE, ROLE_KEY
from components.quantity import cpu_text, memory_text
from provisioner.core import parse
from provisioner.core.decide import decide
from provisioner.core.market import Catalog, Size
from provisioner.core.model import Pod, Taint
from provisioner.core.plan import Plan
from provisioner.core.policy import Policy
from provisioner.core.snapshot import Snapshot
from stacks.faults import Fault
from stacks.models import Model
from stacks.serving import pods_of
from stacks.settings import Settings

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing here depends on when it is asked."""


@dataclass(frozen=True, slots=True)
class Plans:
    """What is bought for every model at one worker, and at its most."""

    idle: Plan
    peak: Plan

    @property
    def bought(self) -> tuple[Size, ...]:
        """Machines of the peak."""
        return tuple(node.size for node in self.peak.nodes)


def plans(settings: Settings, catalog: Catalog, faults: list[Fault]) -> Plans:
    """Ask the provisioner; a worker that no node can be bought for becomes a fault of its model."""
    idle, peak = (
        _plan(
            settings, catalog, [pod for model in settings.models for pod in _pods(settings, model, idle=idle)]
        )
        for idle in (True, False)
    )
    faults += _refusals(settings, peak)
    return Plans(idle, peak)


def _pods(settings: Settings, model: Model, *, idle: bool) -> Iterable[Pod]:
    count = 1 if idle else model.form(right_sized=True).max_workers
    return map(parse.pod, pods_of(settings, model, count))


def _plan(settings: Settings, catalog: Catalog, pods: Iterable[Pod]) -> Plan:
    return decide(Snapshot(pods=tuple(pods)), catalog, _policy(settings), _ANY_TIME, _no_improvement)


def _no_improvement() -> bool:
    """A preview does not wait for a better plan than the first."""
    return False


def _policy(settings: Settings) -> Policy:
    wanted = settings.provisioner
    return Policy(
        mode=wanted.mode,
        families=wanted.families,
        architectures=wanted.architectures,
        capacity_types=wanted.capacity_types,
        pod_selector={PROVISION_KEY: "true"},
        node_labels={ROLE_KEY: ROLE_INFERENCE},
        node_taints=(Taint(ROLE_KEY, ROLE_INFERENCE, "NoSchedule"),),
        max_pools=wanted.max_pools,
        node_overhead_price_per_hour=wanted.node_overhead_price_per_hour,
        **wanted.purchases,
    )


def _refusals(settings: Settings, plan: Plan) -> list[Fault]:
    """One fault for each model that has a pod without a node."""
    reasons = {unplaced.pod.name: unplaced.reasons for unplaced in plan.unplaced}
    faults = []
    for model in settings.models:
        names = [
            pod["metadata"]["name"]
            for pod in pods_of(settings, model, model.form(right_sized=True).max_workers)
        ]
        refused = [reasons[name] for name in names if name in reasons]
        if refused:
            worker = model.form(right_sized=True)
            faults.append(
                Fault(
                    f"models.{model.name}.right_sized",
                    f"{cpu_text(worker.cpu_millicores)} CPU, {memory_text(worker.memory_bytes)}, {worker.gpus} GPUs",
                    f"gets no node: {'; '.join(reason.text for reason in refused[0])}",
                    "make the worker smaller, or allow more provisioner.families or architectures",
                )
            )
    return faults
