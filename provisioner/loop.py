"""Observe, decide, apply, again and again.

Nothing is kept here that a restart could lose: pools and machines are the cloud's, pods, nodes and
the marks on them are Kubernetes'. What the memory below holds is an advantage, not a truth: what was
out of stock lately, since when a machine is awaited or a pool empty, and what was said already.
"""

import hashlib
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import tenacity

from catalog.names import DRAINING_KEY, GIVEN_UP_KEY, REMOVABLE_SINCE_KEY, RESERVED_KEY
from provisioner.cluster import Cluster
from provisioner.core import batch, explain, hot_nodes, opening, preview
from provisioner.core.decide import decide
from provisioner.core.intents import intents_of
from provisioner.core.market import Catalog, Stockout
from provisioner.core.model import Node, Pod
from provisioner.core.plan import (
    CORDON,
    DETACH,
    DRAIN,
    EVICT,
    GIVE_UP,
    MARK,
    RELEASE,
    RESERVE,
    TERMINATE,
    UNCORDON,
    NodeStep,
    Plan,
    PlannedNode,
)
from provisioner.core.policy import Policy
from provisioner.core.pools import Pool, PoolSpec
from provisioner.core.resources import Resources
from provisioner.core.shortfall import words_of
from provisioner.core.snapshot import Intent, Snapshot
from provisioner.core.usage import Usage
from provisioner.drivers.contract import Denied, Driver, DriverError, Gone, NoCapacity, Retry
from provisioner.kube import KubeDenied, KubeError, KubeGone, KubeUnavailable
from provisioner.record import Counted, Decision, RecordFault, budget_for

_LONGEST_PAUSE_S: Final = 10.0
"""Between rounds that fail: drivers have been patient already, and machines that can be had are waited for."""
_SHUT_S: Final = 2.0
"""The pause while nodes are ready and not open to all."""


@dataclass(slots=True)
class Memory:
    """What a restart may forget."""

    stockouts: list[Stockout] = field(default_factory=list)
    first_seen: dict[str, datetime] = field(default_factory=dict)
    """Machines, by id."""
    empty_since: dict[str, datetime] = field(default_factory=dict)
    """Pools, by id."""
    said: dict[str, str] = field(default_factory=dict)
    """The last message about each subject."""
    shortfalls: Mapping[str, Resources] = field(default_factory=dict)
    """What nodes of a shape turned out to leave less than was to be expected."""
    intents: tuple[Intent, ...] = ()
    """For whom machines were bought."""
    let_in: dict[str, datetime] = field(default_factory=dict)
    """Since when the pods of a shut node may come to it."""
    opens_soon: bool = False
    """Whether nodes are ready, and not open to all."""
    previewed: dict[str, datetime] = field(default_factory=dict)
    """When each pod that waits for a preview was estimated last."""


class Controller:
    """One provisioner of one cluster."""

    def __init__(self, driver: Driver, cluster: Cluster, catalog: Catalog, policy: Policy, log: Any) -> None:
        self._driver = driver
        self._cluster = cluster
        self._catalog = catalog
        self._policy = policy
        self._log = log
        self._memory = Memory()
        self.record: Callable[[Decision, Plan], None] = lambda _decision, _plan: None
        """Keeps a decision for a replay."""

    def run(
        self,
        period_s: float,
        stop: threading.Event,
        clock: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        """Step every period until told to stop; while cloud or cluster fail, ever less often."""
        patient = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Retry, KubeUnavailable, Denied, KubeDenied)),
            wait=tenacity.wait_exponential(multiplier=period_s, max=max(_LONGEST_PAUSE_S, period_s)),
            stop=tenacity.stop_when_event_set(stop),
            sleep=tenacity.sleep_using_event(stop),
            before_sleep=self._complain,
            retry_error_callback=lambda _: None,
        )
        while not stop.is_set():
            plan = patient(lambda: self.step(clock(), monotonic_s))
            stop.wait(min(period_s, self._soonest_s(plan, clock())))

    def _soonest_s(self, plan: Plan | None, now: datetime) -> float:
        """How soon to look again at what does not wait for the period."""
        batch_s = self._policy.batch_idle_s if plan is not None and self._waits(plan, now) else math.inf
        return min(batch_s, _SHUT_S if self._memory.opens_soon else math.inf)

    def step(self, now: datetime, monotonic_s: Callable[[], float]) -> Plan:
        """Observe, decide, apply once; raises what makes observing impossible."""
        snapshot = self._observe(now)
        is_time_left = budget_for(self._policy.decision_deadline_s, monotonic_s)
        budget = Counted(is_time_left)
        plan = decide(snapshot, self._catalog, self._policy, now, budget)
        self._memory.shortfalls = plan.shortfalls
        self._record(plan, Decision(snapshot, self._catalog, self._policy, now, budget.rounds))
        self._report(plan, now)
        waits = self._waits(plan, now)
        self._say("batch", "waiting for pods that may come with these" if waits else "")
        bought = replace(plan, nodes=()) if waits else plan
        self._launch(bought, now)
        self._seat(bought, snapshot, now)
        for step in plan.steps:
            self._try(f"{step.action} {step.node}", partial(self._carry_out, step, snapshot, now))
        for pool, instance in plan.overdue:
            self._log.warning("machine never became a node", pool=pool.name, machine=instance.id)
            self._try(f"terminate {instance.id}", partial(self._driver.terminate, pool, instance.id))
        for pool in plan.disused:
            self._log.info("delete pool", pool=pool.name, why="empty and not needed for long")
            self._try(f"delete {pool.name}", partial(self._driver.delete, pool))
        self._relieve(plan, snapshot, now)
        self._preview(plan, snapshot, now, is_time_left)
        return plan

    def _waits(self, plan: Plan, now: datetime) -> bool:
        """Whether pods may still come that would share the nodes that the plan buys."""
        pods = [pod for planned in plan.nodes for pod in planned.pods]
        return batch.is_open(pods, self._policy, now)

    def _record(self, plan: Plan, decision: Decision) -> None:
        """A decision that cannot be recorded is carried out all the same."""
        try:
            self.record(decision, plan)
        except RecordFault as error:
            self._say("record", f"not recorded: {error}", level="warning")

    def _observe(self, now: datetime) -> Snapshot:
        """Pools before pods: what a pool is bought for in between is then still seen as pending."""
        pools = self._driver.pools()
        self._withdraw_failures(now)
        observed = self._cluster.observe()
        for fault in observed.unreadable:
            self._say(fault, "cannot be read", level="warning")
        memory = self._memory
        memory.stockouts = [each for each in memory.stockouts if now < each.until]
        instances = {instance.id for pool in pools for instance in pool.instances}
        memory.first_seen = {key: memory.first_seen.get(key, now) for key in instances}
        empty = {pool.id for pool in pools if not pool.size and not pool.instances}
        memory.empty_since = {key: memory.empty_since.get(key, now) for key in empty}
        return Snapshot(
            observed.pods,
            observed.nodes,
            tuple(map(self._with_times, pools)),
            tuple(memory.stockouts),
            observed.budgets,
            memory.intents,
            observed.scalers,
            storage=observed.storage,
            shortfalls=memory.shortfalls,
            daemon_sets=observed.daemon_sets,
            **self._measure(),
        )

    def _measure(self) -> dict[str, tuple[Usage, ...]]:
        """Use of pods and nodes where it decides anything; a round without it has no hot nodes."""
        if not self._policy.hot_nodes:
            return {}
        try:
            found = {"usage": self._cluster.usage(), "node_usage": self._cluster.node_usage()}
        except KubeError as error:
            self._say("use", f"cannot be measured: {error}", level="warning")
            return {}
        self._say("use", "")
        return found

    def _with_times(self, pool: Pool) -> Pool:
        memory = self._memory
        instances = tuple(
            replace(instance, first_seen=memory.first_seen.get(instance.id)) for instance in pool.instances
        )
        return replace(pool, instances=instances, empty_since=memory.empty_since.get(pool.id))

    def _withdraw_failures(self, now: datetime) -> None:
        for failure in self._driver.failures():
            spec = failure.pool.spec
            self._log.warning("order failed", pool=failure.pool.name, size=str(spec), why=str(failure.error))
            self._remember_stockout(spec, failure.error, now)
            self._try(f"withdraw {failure.pool.name}", partial(self._driver.withdraw, failure.pool))

    def _launch(self, plan: Plan, now: datetime) -> None:
        groups: dict[PoolSpec, list[PlannedNode]] = defaultdict(list)
        for planned in (*plan.nodes, *(plan.repack.nodes if plan.repack else ())):
            groups[planned.spec].append(planned)
        for spec, wanted in groups.items():
            pods = [pod for planned in wanted for pod in (*planned.pods, *planned.kept_for)]
            try:
                self._driver.launch(spec, len(wanted), _token(pods))
            except Retry as error:
                self._say(f"launch {spec}", f"later: {error}")
            except DriverError as error:
                self._log.warning("not to be had", size=str(spec), why=str(error))
                self._remember_stockout(spec, error, now)
            else:
                for planned in wanted:
                    self._log.info("buy", what=explain.purchase(planned), labels=dict(spec.labels))
                    for pod in planned.pods[:1]:
                        self._tell(pod, "NodeOrdered", explain.purchase(planned), now)

    def _seat(self, plan: Plan, snapshot: Snapshot, now: datetime) -> None:
        """Let pods in to what was bought for them, so that none takes the place of another."""
        memory = self._memory
        memory.intents = intents_of(plan, snapshot)
        nodes = opening.shut_nodes(snapshot)
        shut = {node.name for node in nodes}
        memory.let_in = {name: since for name, since in memory.let_in.items() if name in shut}
        for each in opening.openings(plan, snapshot, self._policy, now, dict(memory.let_in)):
            name = each.node.name
            if isinstance(each, opening.Open):
                self._say(f"opening of {name}", "open to all")
                self._try(f"open {name}", partial(self._cluster.open, each.node))
            else:
                memory.let_in.setdefault(name, now)
                self._say(f"opening of {name}", f"let in: {', '.join(pod.key for pod in each.pods)}")
                self._try(f"let in to {name}", partial(self._let_in, each))
        memory.opens_soon = any(node.is_ready for node in nodes)

    def _let_in(self, each: opening.LetIn) -> None:
        try:
            self._cluster.claim(each.node)
            for pod in each.pods:
                self._cluster.let_in(pod, each.node)
        except KubeDenied as error:
            # Better in any order than not at all.
            self._say("letting in", f"refused, so nodes are opened to all: {error}", level="error")
            self._cluster.open(each.node)

    def _remember_stockout(self, spec: PoolSpec, error: DriverError, now: datetime) -> None:
        until = now + timedelta(seconds=self._policy.no_capacity_s)
        message = "no capacity" if isinstance(error, NoCapacity) else str(error)
        self._memory.stockouts.append(Stockout(spec.shape, spec.zone, spec.capacity_type, until, message))

    def _carry_out(self, step: NodeStep, snapshot: Snapshot, now: datetime) -> None:
        self._say(f"node {step.node}", f"{step.action}: {step.why}")
        if step.action == MARK:
            self._cluster.annotate(step.node, REMOVABLE_SINCE_KEY, _text(now))
        elif step.action == DRAIN:
            self._cluster.annotate(step.node, DRAINING_KEY, _text(now))
            self._cluster.cordon(step.node, closed=True)
        elif step.action in {EVICT, DETACH} and step.pod is not None:
            self._move(step.pod, step.action, snapshot, now)
        elif step.action == GIVE_UP:
            self._cluster.annotate(step.node, GIVEN_UP_KEY, _text(now))
            self._cluster.cordon(step.node, closed=False)
            self._cluster.annotate(step.node, DRAINING_KEY, None)
            self._cluster.annotate(step.node, REMOVABLE_SINCE_KEY, None)
        elif step.action == RESERVE:
            self._cluster.annotate(step.node, RESERVED_KEY, "true")
            self._cluster.cordon(step.node, closed=True)
        elif step.action == RELEASE:
            self._cluster.cordon(step.node, closed=False)
            self._cluster.annotate(step.node, RESERVED_KEY, None)
        elif step.action in {CORDON, UNCORDON}:
            self._cluster.cordon(step.node, closed=step.action == CORDON)
        elif step.action == TERMINATE:
            self._driver.terminate(snapshot.pool_of[step.node], _node(snapshot, step.node).provider_id)
        else:
            if DRAINING_KEY in _node(snapshot, step.node).annotations:
                self._cluster.annotate(step.node, DRAINING_KEY, None)
            self._cluster.annotate(step.node, REMOVABLE_SINCE_KEY, None)

    def _move(self, pod: Pod, action: str, snapshot: Snapshot, now: datetime) -> None:
        """A pod goes, or is replaced first; that a drain gets on is noted on its node."""
        if action == DETACH:
            self._cluster.detach(pod, now)
        else:
            self._cluster.evict(pod)
        if any(node.name == pod.node_name and DRAINING_KEY in node.annotations for node in snapshot.nodes):
            self._cluster.annotate(pod.node_name, DRAINING_KEY, _text(now))

    def _report(self, plan: Plan, now: datetime) -> None:
        """Every decision that is new."""
        self._say("buying", f"held: {plan.held}" if plan.held else "", level="warning")
        was_declined = explain.MOVING in self._memory.said
        self._say(explain.MOVING, plan.declined or (explain.WITHDRAWN if was_declined else ""))
        for shape, lacking in plan.shortfalls.items():
            self._say(f"shape {shape}", words_of(lacking), level="warning")
        self._say("headroom", explain.shortage(plan), level="warning")
        for placement in plan.existing:
            for pod in placement.pods:
                self._say(f"pod {pod.key}", f"{placement.node} has, or will have, room for it")
        for unplaced in plan.unplaced:
            text = explain.refusal(unplaced)
            if self._say(f"pod {unplaced.pod.key}", f"stays pending: {text}", level="warning"):
                self._tell(unplaced.pod, "NotProvisioned", text, now)
        pending = {each.pod.key for each in plan.unplaced}
        pending |= {f"{key} previewed" for key in self._memory.previewed}
        pending |= {pod.key for placement in plan.existing for pod in placement.pods}
        pending |= {pod.key for planned in plan.nodes for pod in planned.pods}
        self._memory.said = {
            subject: text
            for subject, text in self._memory.said.items()
            if not subject.startswith("pod ") or subject.removeprefix("pod ") in pending
        }

    def _say(self, subject: str, message: str, level: str = "info") -> bool:
        """Log a message unless it is the last that was said about the subject; whether it was new."""
        if self._memory.said.get(subject, "") == message:
            return False
        self._memory.said[subject] = message
        if message:
            getattr(self._log, level)(message, subject=subject)
        return bool(message)

    def _tell(self, pod: Pod, reason: str, message: str, now: datetime) -> None:
        try:
            self._cluster.tell(pod, reason, message, now)
        except KubeError as error:
            self._say("events", f"cannot be written: {error}")

    def _relieve(self, plan: Plan, snapshot: Snapshot, now: datetime) -> None:
        """Mark hot nodes, and move a pod off one."""
        for step in hot_nodes.steps(plan, snapshot, self._catalog, self._policy, now):
            self._say(f"hot node {step.node}", f"{step.action}: {step.why}")
            if step.pod is not None:
                self._try(f"evict {step.pod.key}", partial(self._cluster.evict, step.pod))
                self._tell(step.pod, "HotNode", f"moved off {step.node}, which {step.why}", now)
            else:
                since = now if step.action == hot_nodes.HEAT else None
                self._try(f"{step.action} {step.node}", partial(self._cluster.heat, step.node, since))

    def _preview(self, plan: Plan, snapshot: Snapshot, now: datetime, go_on: Callable[[], bool]) -> None:
        """Say what held pods would cost, for as many as there is time, and release those that may run."""
        policy, memory = self._policy, self._memory
        held = {pod.key for pod in snapshot.pods if preview.is_held(pod, policy)}
        memory.previewed = {key: last for key, last in memory.previewed.items() if key in held}
        seen = dict(memory.previewed)
        for estimate in preview.estimates(plan, snapshot, self._catalog, policy, now, seen):
            for pod in estimate.pods:
                memory.previewed[pod.key] = now
                text = preview.text(pod, estimate, policy)
                if self._say(f"pod {pod.key} previewed", text):
                    self._tell(pod, "CostPreview", text, now)
                if preview.is_released(pod, estimate, policy):
                    gates = preview.gates_of(pod)
                    self._try(f"release {pod.key}", partial(self._cluster.release, pod, gates))
            if not go_on():
                break

    def _try(self, what: str, act: Callable[[], None]) -> None:
        """One act that may fail without keeping others from being tried; the next round tries again."""
        try:
            act()
        except (Gone, KubeGone):
            self._log.info("gone already", what=what)
        except (Retry, KubeUnavailable) as error:
            self._say(what, f"later: {error}")
        except (DriverError, KubeDenied) as error:
            self._say(what, f"refused: {error}", level="error")

    def _complain(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait_s = state.next_action.sleep if state.next_action else 0
        self._log.warning("waiting", why=str(error), next_try_s=round(wait_s, 1))


def _text(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def _token(pods: list[Pod]) -> str:
    """The same pods in need give the same token, so a repeated order is known as the same."""
    return hashlib.sha256("\n".join(sorted(pod.uid or pod.key for pod in pods)).encode()).hexdigest()


def _node(snapshot: Snapshot, name: str) -> Node:
    return next(node for node in snapshot.nodes if node.name == name)
