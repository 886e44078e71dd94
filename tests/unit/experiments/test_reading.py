"""Raw Kubernetes lists become the observation that steadiness is judged on."""

from decimal import Decimal

import pytest

from catalog.names import REMOVABLE_SINCE_KEY
from catalog.timing import CLOUD, DEMO, Timing
from experiments.load import LOAD_KEY, job
from experiments.observation import Observation
from experiments.reading import Billed, Lists, accounting_of, observe, timing_of
from experiments.steady import under_way
from tests.unit.experiments.lists import autoscaler, lists, metrics, node, pod


def look(what: Lists, instances: int | None = None) -> Observation:
    return observe(what, Billed(instances, Decimal("0.1")), at_s=5.0)


def test_a_quiet_cluster_has_nothing_under_way() -> None:
    seen = look(lists(), instances=1)
    assert under_way(seen, frozenset()) == ()
    assert seen.replicas == {"squeezenet1_1": 1}
    assert (seen.at_s, seen.price_per_hour) == (5.0, Decimal("0.1"))


def test_a_utilisation_of_zero_is_a_utilisation() -> None:
    assert look(lists()).models[0].utilisation == 0


def test_an_autoscaler_without_status_waits_for_metrics() -> None:
    fresh = autoscaler("vgg16")
    fresh["status"] = {"desiredReplicas": 0, "currentMetrics": None}
    seen = look(lists(autoscalers=[fresh]))
    assert seen.models[0].utilisation is None


def test_a_failing_condition_blocks_the_autoscaler() -> None:
    failing = [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}]
    seen = look(lists(autoscalers=[autoscaler("vgg16", conditions=failing)]))
    assert seen.models[0].blocked == "FailedGetResourceMetric"


def test_pods_are_their_models_own() -> None:
    pods = [
        pod("vgg16-a", model="vgg16"),
        pod("vgg16-b", model="vgg16", ready=False),
        pod("squeezenet1-1-a", model="squeezenet1_1"),
        pod("other"),
    ]
    seen = look(lists(pods=pods, autoscalers=[autoscaler("vgg16"), autoscaler("squeezenet1_1")]))
    assert [served.ready_pods for served in seen.models] == [{"vgg16-a"}, {"squeezenet1-1-a"}]


def test_a_pod_on_its_way_out_is_ending_and_neither_ready_nor_pending() -> None:
    leaving = pod("x", model="squeezenet1_1", phase="Pending", deletionTimestamp="2026-01-01T00:00:00Z")
    seen = look(lists(pods=[leaving]))
    assert (seen.ending, seen.pending, seen.models[0].ready_pods) == (("inference/x",), (), frozenset())


def test_metrics_are_matched_by_pod() -> None:
    seen = look(lists(metrics=metrics("another")))
    assert under_way(seen, frozenset()) == ("metrics of 1 of 1 pods of squeezenet1_1",)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (node("a", spec={"unschedulable": True}), "which is cordoned"),
        (
            node("a", spec={"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}),
            "which the autoscaler removes",
        ),
        (
            node(
                "a",
                spec={
                    "taints": [{"key": "DeletionCandidateOfClusterAutoscaler", "effect": "PreferNoSchedule"}]
                },
            ),
            "which the autoscaler may remove",
        ),
        (
            node("a", annotations={REMOVABLE_SINCE_KEY: "2026-01-01T00:00:00Z"}),
            "which the provisioner could remove since 2026-01-01T00:00:00Z",
        ),
        (node("a", deletionTimestamp="2026-01-01T00:00:00Z"), "which is being deleted"),
        (node("a", spec={"taints": [{"key": "rightsize.io/role", "effect": "NoSchedule"}]}), ""),
        (node("a"), ""),
    ],
)
def test_a_node_says_why_it_will_not_stay(what: dict[str, object], words: str) -> None:
    assert look(lists(nodes=[what])).nodes[0].leaving == words


def test_a_silent_node_is_not_ready() -> None:
    assert not look(lists(nodes=[node("a", ready=False)])).nodes[0].ready


@pytest.mark.parametrize(
    ("phase", "loads"), [("Running", {"vgg16"}), ("Pending", set()), ("Succeeded", set()), ("Failed", set())]
)
def test_a_load_is_there_while_its_pod_runs(phase: str, loads: set[str]) -> None:
    labels = job("vgg16")["spec"]["template"]["metadata"]["labels"]
    assert labels[LOAD_KEY] == "vgg16"
    assert look(lists(pods=[pod("load-vgg16-x", phase=phase, labels=labels)])).loads == loads


def test_a_load_on_its_way_out_still_is_a_load() -> None:
    ending = pod("load-x", labels={LOAD_KEY: "vgg16"}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert look(lists(pods=[ending])).loads == {"vgg16"}


@pytest.mark.parametrize(
    ("windows", "timing"),
    [((10, 10), DEMO), ((300, 300), CLOUD), ((10, 300), CLOUD), ((77,), CLOUD), ((), CLOUD)],
)
def test_the_pace_is_told_by_the_autoscalers(windows: tuple[int, ...], timing: Timing) -> None:
    assert timing_of([autoscaler("vgg16", window_s=window) for window in windows]) is timing


@pytest.mark.parametrize(
    ("allocatable", "accounting"),
    [({"cpu": "2", "memory": "8Gi"}, "nominal"), ({"cpu": "1930m", "memory": "8Gi"}, "documented")],
)
def test_the_accounting_is_told_by_the_nodes(allocatable: dict[str, str], accounting: str) -> None:
    what = {"status": {"capacity": {"cpu": "2", "memory": "8Gi"}, "allocatable": allocatable}}
    assert accounting_of([what]) == accounting
