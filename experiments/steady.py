"""When a cluster is in steady state; pure, so that it can be tested on every history.

    steady(history)  <=>  for some k >= 3 the last k observations all count, all look alike,
                          and lie further apart than the longest wait

An observation counts while nothing is under way that could still change nodes or replicas:
otherwise "unchanged" would only mean that nobody had acted yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from catalog.timing import Timing
from experiments.observation import Observation, Served

OBSERVATIONS: Final = 3
METRICS_OF_A_NEW_POD_S: Final = 30
"""A new pod's first metrics take up to this long, and no wait of `Timing` covers it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the latest observations are steady, and if not, what is waited for."""

    steady: bool
    waits_for: tuple[str, ...]
    held_s: float
    """For how long the latest observations have been alike and countable."""


def longest_wait_s(timing: Timing) -> float:
    """What alike observations must span: nothing happens for longer, so nothing is to come."""
    return max(timing.longest_wait_s, METRICS_OF_A_NEW_POD_S)


def judge(history: Sequence[Observation], loads: frozenset[str], wait_s: float) -> Verdict:
    """Judge a history, oldest first, under the models that should be loaded.

    Steady when the latest three or more observations count, are alike and span more than `wait_s`.
    """
    if not history:
        return Verdict(steady=False, waits_for=("the first observation",), held_s=0)
    latest = history[-1]
    disturbances = under_way(latest, loads)
    if disturbances:
        return Verdict(steady=False, waits_for=disturbances, held_s=0)
    alike = 0
    for observation in reversed(history):
        if not look_alike(observation, latest) or under_way(observation, loads):
            break
        alike += 1
    held_s = latest.at_s - history[-alike].at_s
    if alike >= OBSERVATIONS and held_s > wait_s:
        return Verdict(steady=True, waits_for=(), held_s=held_s)
    return Verdict(
        steady=False, waits_for=(f"{wait_s:.0f} s without change, {held_s:.0f} so far",), held_s=held_s
    )


def look_alike(one: Observation, other: Observation) -> bool:
    """Whether replicas, nodes and price are the same in both."""
    return _signature(one) == _signature(other)


def _signature(observation: Observation) -> object:
    return (
        frozenset((served.model, served.desired, served.current) for served in observation.models),
        frozenset(node.name for node in observation.nodes),
        observation.instances,
        observation.price_per_hour,
    )


def under_way(observation: Observation, loads: frozenset[str]) -> tuple[str, ...]:
    """Everything that keeps an observation from counting, in words; empty when it counts."""
    return (
        *_loads_under_way(observation, loads),
        *_named("pending", observation.pending),
        *_named("ending", observation.ending),
        *_nodes_under_way(observation),
        *(fault for served in observation.models for fault in _model_under_way(served)),
        *(() if observation.models else ("the models' autoscalers (there are none)",)),
    )


def _loads_under_way(observation: Observation, loads: frozenset[str]) -> tuple[str, ...]:
    return (
        *(f"the load of {model} to run" for model in sorted(loads - observation.loads)),
        *(f"the load of {model} to end" for model in sorted(observation.loads - loads)),
    )


def _named(state: str, pods: Sequence[str]) -> tuple[str, ...]:
    if not pods:
        return ()
    more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
    return (f"{state} pod {pods[0]}{more}",)


def _nodes_under_way(observation: Observation) -> tuple[str, ...]:
    faults = [f"node {node.name} to be Ready" for node in observation.nodes if not node.ready]
    faults += [f"node {node.name}, {node.leaving}" for node in observation.nodes if node.leaving]
    if observation.instances not in {None, len(observation.nodes)}:
        faults.append(f"{observation.instances} instances and {len(observation.nodes)} nodes to agree")
    return tuple(faults)


def _model_under_way(served: Served) -> tuple[str, ...]:
    faults = []
    if served.blocked:
        faults.append(f"the autoscaler of {served.model} ({served.blocked})")
    elif served.utilisation is None:
        faults.append(f"the autoscaler of {served.model} to see CPU metrics")
    if served.desired != served.current:
        faults.append(f"{served.model} to go from {served.current} to {served.desired} replicas")
    if len(served.ready_pods) != served.current:
        faults.append(f"{served.model}: {len(served.ready_pods)} of {served.current} pods ready")
    unmeasured = served.ready_pods - served.measured_pods
    if unmeasured:
        faults.append(f"metrics of {len(unmeasured)} of {len(served.ready_pods)} pods of {served.model}")
    return tuple(faults)
