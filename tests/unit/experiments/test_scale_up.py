"""The time from a load to enough ready workers, split by what Kubernetes kept."""

from pathlib import Path
from typing import Any

import pytest

from catalog.names import MODEL_KEY
from experiments import scale_up
from experiments.fault import Fault
from experiments.load import LOAD_KEY
from experiments.scale_up import SCALE_UPS, ScaleUp

MODEL = "vgg16"
SPLIT = ScaleUp(
    total_s=50.0,
    workers=1,
    autoscaler_s=8.0,
    order_s=1.0,
    boot_s=12.0,
    scheduling_s=2.0,
    pull_s=20.0,
    server_s=7.0,
)


def at(second: float) -> str:
    return f"2026-11-25T01:52:{second:06.3f}Z" if second % 1 else f"2026-11-25T01:52:{int(second):02d}Z"


def since(kind: str, second: float | None) -> dict[str, Any]:
    held = {} if second is None else {"lastTransitionTime": at(second)}
    return {"type": kind, "status": "False" if second is None else "True", **held}


def running(second: float) -> list[dict[str, Any]]:
    return [{"state": {"running": {"startedAt": at(second)}}}]


def worker(name: str = "vgg16-5d-a", node: str = "new", ready: float | None = 50, **marks: float) -> Any:
    when = {"created": 8, "scheduled": 23, "started": 43, **marks}
    return {
        "metadata": {"name": name, "labels": {MODEL_KEY: MODEL}, "creationTimestamp": at(when["created"])},
        "spec": {"nodeName": node},
        "status": {
            "conditions": [since("PodScheduled", when["scheduled"]), since("Ready", ready)],
            "containerStatuses": running(when["started"]),
        },
    }


def load(second: float = 0) -> Any:
    labels = {LOAD_KEY: MODEL}
    return {"metadata": {"name": "load", "labels": labels}, "status": {"containerStatuses": running(second)}}


def node(name: str = "new", *, created: float = 20, ready: float = 21) -> Any:
    metadata = {"name": name, "creationTimestamp": at(created)}
    return {"metadata": metadata, "status": {"conditions": [since("Ready", ready)]}}


def order(pod: str = "vgg16-5d-a", second: float = 9, reason: str = "NodeOrdered") -> Any:
    return {"reason": reason, "involvedObject": {"name": pod}, "firstTimestamp": at(second)}


def split(pods: list[Any], nodes: list[Any], events: list[Any]) -> ScaleUp | None:
    return scale_up.scale_up(MODEL, [load(), *pods], nodes, events)


def parts(found: ScaleUp) -> float:
    known = (found.autoscaler_s, found.boot_s, found.scheduling_s, found.pull_s, found.server_s)
    return sum(known) + (found.order_s or 0)


def test_every_part_is_the_time_between_two_marks_and_they_add_up() -> None:
    found = split([worker()], [node()], [order()])

    assert found == SPLIT
    assert parts(found) == found.total_s


def test_the_worker_that_was_ready_last_counts_and_all_that_came_are_told() -> None:
    early = worker("vgg16-5d-b", ready=30, started=25)
    old = worker("vgg16-5d-c", ready=5, created=0, scheduled=0, started=0)
    before = {**old, "metadata": {**old["metadata"], "creationTimestamp": "2026-11-25T01:51:59Z"}}

    found = split([early, worker(), before], [node()], [order()])

    assert found is not None
    assert (found.workers, found.total_s, found.server_s) == (2, 50, 7)


@pytest.mark.parametrize(
    "event",
    [
        order("vgg16-5d-b"),
        order(reason="TriggeredScaleUp"),
        order(second=8.25),
    ],
    ids=["of another worker", "of the Cluster Autoscaler", "in fractions"],
)
def test_an_order_is_known_by_its_event(event: Any) -> None:
    found = split([worker()], [node()], [event])

    assert found is not None
    assert found.order_s is not None
    assert parts(found) == found.total_s == 50


@pytest.mark.parametrize(
    "event",
    [
        order("squeezenet1-1-7f-a"),
        order(second=40),
        order(reason="Scheduled"),
        order(second=2),
    ],
    ids=["of another model", "after the node came", "of another kind", "before the worker"],
)
def test_an_order_that_is_not_known_is_not_made_up(event: Any) -> None:
    found = split([worker()], [node()], [event])

    assert found is not None
    assert found.order_s is None
    assert found.boot_s == 13
    assert parts(found) == found.total_s == 50


def test_a_node_that_was_there_took_no_time() -> None:
    found = split([worker(scheduled=8)], [node(created=0, ready=1)], [order()])

    assert found is not None
    assert (found.order_s, found.boot_s, found.scheduling_s, found.pull_s) == (None, 0, 0, 35)


def test_times_that_are_cut_to_seconds_never_make_a_part_negative() -> None:
    found = split([worker(scheduled=20)], [node(created=20, ready=21)], [order()])

    assert found is not None
    assert (found.scheduling_s, parts(found)) == (0, 50)


@pytest.mark.parametrize(
    ("pods", "nodes"),
    [
        ([], [node()]),
        ([worker(ready=None)], [node()]),
        ([worker(), worker("vgg16-5d-b", ready=None)], [node()]),
        ([worker()], []),
    ],
    ids=["no worker came", "not ready", "one not ready", "its node is gone"],
)
def test_what_is_not_complete_is_not_told(pods: list[Any], nodes: list[Any]) -> None:
    assert split(pods, nodes, []) is None


def test_without_a_load_there_is_nothing_to_measure_from() -> None:
    assert scale_up.scale_up(MODEL, [worker()], [node()], []) is None


def test_what_is_kept_comes_back_by_point_variant_and_model(tmp_path: Path) -> None:
    SCALE_UPS.store(tmp_path, "peak", "dynamic", {MODEL: SPLIT})
    SCALE_UPS.store(tmp_path, "peak", "right-sized", {MODEL: SPLIT})

    assert SCALE_UPS.load(tmp_path) == {"peak": {"dynamic": {MODEL: SPLIT}, "right-sized": {MODEL: SPLIT}}}


def test_a_file_that_is_none_is_a_fault(tmp_path: Path) -> None:
    assert SCALE_UPS.load(tmp_path) == {}
    (tmp_path / SCALE_UPS.name).write_text("{}")

    with pytest.raises(Fault, match="not what a run writes"):
        SCALE_UPS.load(tmp_path)
