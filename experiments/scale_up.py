"""How long it took from a load until there were enough ready workers, and what that time went into.

    load -> pod -> order -> node -> scheduled -> started -> ready

Each mark is a time that Kubernetes kept: when the load's container started, when the worker's pod was made,
when its node was ordered (an event on a pod), when that node was ready, when the pod was bound to it, when
its container started, when it was ready. Of a model's new workers the one counts that was ready last. Pure
but for the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from pydantic import TypeAdapter

from catalog.names import MODEL_KEY
from experiments.load import LOAD_KEY
from experiments.measured import Measured, MeasuredFile
from experiments.reading import Item, labels_of

_ORDERED: Final = frozenset({"NodeOrdered", "TriggeredScaleUp"})
"""Reasons of events: the provisioner's, and the Cluster Autoscaler's."""


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """The parts add up to the whole; Kubernetes keeps most times in whole seconds."""

    total_s: float
    workers: int
    """That came."""
    autoscaler_s: float
    """From the load until the autoscaler had the pod made: metrics, and its own period."""
    order_s: float | None
    """From the pod until its node was ordered; None: no event says when, and `boot_s` has this part, too."""
    boot_s: float
    """From the order until the node was ready; 0 on a node that was there before."""
    scheduling_s: float
    pull_s: float
    """From there until the container started: the image's pull, and waiting for a turn where starts have one."""
    server_s: float
    """Start of the server until it answered."""


SCALE_UPS: Final = MeasuredFile("scale-up.json", TypeAdapter(Measured[ScaleUp]))


def scale_up(
    model: str, pods: Sequence[Item], nodes: Sequence[Item], events: Sequence[Item]
) -> ScaleUp | None:
    """The scale-up of a model that is under load; None when no worker came, or not all are ready."""
    loaded = _loaded(model, pods)
    if loaded is None:
        return None
    new = [pod for pod in pods if labels_of(pod).get(MODEL_KEY) == model and _created(pod) >= loaded]
    ready = [(at, pod) for pod in new if (at := _condition(pod, "Ready")) is not None]
    if not ready or len(ready) < len(new):
        return None
    _, last = max(ready, key=lambda row: (row[0], row[1]["metadata"]["name"]))
    return _split(loaded, last, len(new), {node["metadata"]["name"]: node for node in nodes}, events)


def _split(
    loaded: datetime, pod: Item, workers: int, nodes: Mapping[str, Item], events: Sequence[Item]
) -> ScaleUp | None:
    node = nodes.get(pod.get("spec", {}).get("nodeName", ""))
    booted = _condition(node, "Ready") if node is not None else None
    scheduled, started = _condition(pod, "PodScheduled"), _started(pod)
    ready = _condition(pod, "Ready")
    if booted is None or scheduled is None or started is None or ready is None:
        return None
    created = _created(pod)
    ordered = _ordered(pod, node, events)
    marks = [loaded, created, ordered or created, booted, scheduled, started, ready]
    # Whole seconds: a time may seem to lie just before the one that it follows. An older node adds nothing.
    for place in range(1, len(marks)):
        marks[place] = max(marks[place - 1], marks[place])
    parts = [(after - before).total_seconds() for before, after in pairwise(marks)]
    return ScaleUp(
        total_s=sum(parts),
        workers=workers,
        autoscaler_s=parts[0],
        order_s=None if ordered is None else parts[1],
        boot_s=parts[2],
        scheduling_s=parts[3],
        pull_s=parts[4],
        server_s=parts[5],
    )


def _loaded(model: str, pods: Iterable[Item]) -> datetime | None:
    """Since when the model's load runs."""
    starts = (_started(pod) for pod in pods if labels_of(pod).get(LOAD_KEY) == model)
    return max((at for at in starts if at is not None), default=None)


def _ordered(pod: Item, node: Item | None, events: Iterable[Item]) -> datetime | None:
    """When a node was ordered for the pod: by its own event, or the last for its like before the node came.

    One event stands for several nodes that are ordered together, and lies on one of their pods.
    """
    if node is None or _created(node) <= _created(pod):
        return None
    owner = _owner(pod["metadata"]["name"])
    found = [
        at
        for event in events
        if event.get("reason") in _ORDERED
        and _owner(event["involvedObject"]["name"]) == owner
        and (at := _event_time(event)) is not None
        and _created(pod).timestamp() <= at.timestamp() + 1
        and at <= _created(node)
    ]
    return max(found, default=None)


def _owner(pod: str) -> str:
    """Name of the ReplicaSet, by which its pods are named."""
    return pod.rpartition("-")[0]


def _event_time(event: Item) -> datetime | None:
    text = event.get("firstTimestamp") or event.get("eventTime")
    return _time(text) if text else None


def _started(pod: Item) -> datetime | None:
    for status in pod.get("status", {}).get("containerStatuses") or ():
        running = (status.get("state") or {}).get("running") or {}
        if running.get("startedAt"):
            return _time(running["startedAt"])
    return None


def _condition(item: Item, kind: str) -> datetime | None:
    """Since when a condition holds."""
    for condition in item.get("status", {}).get("conditions") or ():
        if (
            condition["type"] == kind
            and condition["status"] == "True"
            and condition.get("lastTransitionTime")
        ):
            return _time(condition["lastTransitionTime"])
    return None


def _created(item: Item) -> datetime:
    return _time(item["metadata"]["creationTimestamp"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
