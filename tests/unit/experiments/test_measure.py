"""The walk over the operating points, on a cluster that lives in memory and a clock of its own."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.names import MODEL_KEY
from experiments.fault import Fault, Interrupted, Unreachable
from experiments.load import LOAD_KEY, job, job_name
from experiments.measure import MOST_PERIOD_S, UNREACHABLE_S, Bench, Walk
from experiments.progress import Status
from experiments.published import published, walk
from experiments.reading import Billed, Lists
from experiments.record import Recorder, Run, Sample, read
from tests.unit.experiments.lists import autoscaler, metrics, node, pod

POINTS = published().points
MODELS = ("squeezenet1_1", "vgg16")
WORKERS = 4
REACTS_AFTER_S = 15.0
RUN = Run("", "", {}, "oke", True, "modelled", "nominal", "bin-select", (), (), (), "")


@dataclass
class FakeCluster:
    """Scales each model to four replicas some time after its load came, and back after it went."""

    now: float = 0.0
    loads: dict[str, float] = field(default_factory=dict)
    """Load by model, and when it came."""
    unloads: dict[str, float] = field(default_factory=dict)
    unreachable_until: float = 0.0
    stuck_pod: str = ""
    refuses_jobs: bool = False
    suffices: bool = False
    """Whether one worker is enough for the loads that come now."""
    shown: list[Status] = field(default_factory=list)
    listed: list[tuple[float, Lists]] = field(default_factory=list)

    def replicas(self, model: str) -> int:
        if model in self.loads and not self.suffices:
            return WORKERS if self.now - self.loads[model] > REACTS_AFTER_S else 1
        return WORKERS if self.now - self.unloads.get(model, float("-inf")) < REACTS_AFTER_S else 1

    def lists(self) -> Lists:
        if self.now < self.unreachable_until:
            raise Unreachable("connection refused")
        workers = [pod(f"{m}-{i}", model=m) for m in MODELS for i in range(self.replicas(m))]
        extra = [pod(f"load-{model}", labels={LOAD_KEY: model}) for model in self.loads]
        extra += [pod(self.stuck_pod, phase="Pending")] if self.stuck_pod else []
        found = Lists(
            nodes=[node(worker["metadata"]["name"]) for worker in workers],
            pods=[*workers, *extra],
            autoscalers=[autoscaler(model, replicas=self.replicas(model)) for model in MODELS],
            metrics=metrics(*(worker["metadata"]["name"] for worker in workers)),
        )
        self.listed.append((self.now, found))
        return found

    def create_job(self, manifest: dict[str, Any]) -> None:
        if self.refuses_jobs:
            raise Fault("job load-vgg16: refused: forbidden")
        model = manifest["metadata"]["labels"][LOAD_KEY]
        self.loads.setdefault(model, self.now)

    def delete_job(self, name: str) -> None:
        for model in [model for model in self.loads if job_name(model) == name]:
            del self.loads[model]
            self.unloads[model] = self.now

    def show(self, _variant: str, status: Status) -> None:
        self.shown.append(status)

    def pass_time(self, seconds: float) -> bool:
        self.now += seconds
        return False


@dataclass
class Case:
    cluster: FakeCluster
    folder: Path

    @property
    def seen(self) -> list[tuple[float, Lists]]:
        return self.cluster.listed

    def walk(self, *points: str, stops_at: float = float("inf"), **hooks: Any) -> Walk:
        recorder = Recorder(self.folder)
        recorder.begin(RUN)
        bench = Bench(
            recorder=recorder,
            board=self.cluster,
            points=POINTS,
            order=walk(POINTS, points or tuple(POINTS)),
            clock=lambda: self.cluster.now,
            now=lambda: f"{self.cluster.now}",
            pause=lambda seconds: self.cluster.pass_time(seconds) or self.cluster.now >= stops_at,
            **hooks,
        )
        return Walk("right-sized", self.cluster, price, bench)

    def steady(self) -> list[Sample]:
        return [sample for sample in read(self.folder)[1] if sample.steady]


def price(lists: Lists) -> Billed:
    return Billed(instances=len(lists.nodes), price_per_hour=Decimal("0.01") * len(lists.nodes))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(FakeCluster(), tmp_path)


def test_each_point_is_measured_once_steady_under_its_load(case: Case) -> None:
    case.walk().run()
    assert {sample.point: sample.replicas for sample in case.steady()} == {
        point: {model: WORKERS if model in POINTS[point].peak else 1 for model in MODELS} for point in POINTS
    }
    assert {sample.point: sample.price_per_hour for sample in case.steady()} == {
        "idle": Decimal("0.02"),
        "vgg16-idle-squeezenet-peak": Decimal("0.05"),
        "peak": Decimal("0.08"),
        "vgg16-peak-squeezenet-idle": Decimal("0.05"),
    }


def test_what_was_seen_when_it_was_steady_is_told_with_its_price(case: Case) -> None:
    told: list[tuple[str, int, Decimal]] = []
    case.walk(
        "idle", "peak", settled=lambda *found: told.append((found[0], len(found[1].nodes), found[2]))
    ).run()
    assert told == [("idle", 2, Decimal("0.02")), ("peak", 8, Decimal("0.08"))]


def test_what_was_seen_on_the_way_is_recorded_too(case: Case) -> None:
    case.walk("peak").run()
    seen = read(case.folder)[1]
    assert {sample.nodes for sample in seen} == {2, 8}
    assert all(sum(sample.machines.values()) == sample.nodes for sample in seen)
    assert [sample.steady for sample in seen].count(True) == 1
    assert seen[-1].steady


def test_a_load_left_by_somebody_is_removed_first(case: Case) -> None:
    case.cluster.loads["vgg16"] = -100.0
    case.walk("idle").run()
    assert case.steady()[0].replicas == {"vgg16": 1, "squeezenet1_1": 1}


def test_loads_can_be_removed_at_the_end(case: Case) -> None:
    steps = case.walk("peak")
    steps.run()
    steps.remove_loads()
    assert case.cluster.loads == {}


def test_a_scale_up_is_told_as_it_was_when_there_first_were_enough_workers(case: Case) -> None:
    told: list[tuple[str, str, int, float]] = []

    def note(point: str, model: str, lists: Lists) -> None:
        ready = [one for one in lists.pods if one["metadata"]["labels"].get(MODEL_KEY) == model]
        told.append((point, model, len(ready), max(at for at, seen in case.seen if seen is lists)))

    steps = case.walk("idle", "peak", scaled=note)
    steps.run()

    assert [(point, model, ready) for point, model, ready, _ in told] == [
        ("peak", "squeezenet1_1", WORKERS),
        ("peak", "vgg16", WORKERS),
    ]
    assert all(at - case.cluster.loads["vgg16"] < REACTS_AFTER_S + MOST_PERIOD_S for *_, at in told)


def test_on_the_way_back_a_trickle_goes_on_until_few_workers_are_left(case: Case) -> None:
    steps = case.walk("idle", "peak")
    steps.run()
    before = read(case.folder)[1]
    case.cluster.suffices = True

    workers = steps.come_back(lambda model: {**job(model), "trickle": True})

    assert workers == {"squeezenet1_1": 1, "vgg16": 1}
    assert set(case.cluster.loads) == {"squeezenet1_1", "vgg16"}
    assert read(case.folder)[1] == before
    assert case.cluster.shown[-1].doing == "Back from the last point: steady"


def test_workers_that_do_not_go_are_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = case.walk("idle", "peak")
    steps.run()
    monkeypatch.setattr("tests.unit.experiments.test_measure.REACTS_AFTER_S", -1.0)

    with pytest.raises(
        Fault, match=r"not back from peak after 300 s; workers: \{'squeezenet1_1': 4, 'vgg16': 4\}"
    ):
        steps.come_back(job)


def test_what_never_settles_is_given_up_with_what_was_waited_for(case: Case) -> None:
    case.cluster.stuck_pod = "vgg16-9"
    with pytest.raises(Fault) as fault:
        case.walk("idle").run()
    assert str(fault.value) == (
        "right-sized at idle: not steady after 300 s; waited for pending pod inference/vgg16-9"
    )
    assert case.steady() == []


def test_a_short_silence_of_the_api_server_is_sat_out(case: Case) -> None:
    case.cluster.unreachable_until = UNREACHABLE_S - 10
    case.walk("idle").run()
    assert len(case.steady()) == 1


def test_a_long_silence_is_a_fault(case: Case) -> None:
    case.cluster.unreachable_until = float("inf")
    with pytest.raises(Fault, match="the API server has not answered for 90 s"):
        case.walk("idle").run()


def test_a_refused_load_is_a_fault_at_once(case: Case) -> None:
    case.cluster.refuses_jobs = True
    with pytest.raises(Fault, match="refused: forbidden"):
        case.walk("peak").run()
    assert case.cluster.now == 0


def test_a_stop_ends_the_walk_between_two_looks(case: Case) -> None:
    with pytest.raises(Interrupted):
        case.walk(stops_at=10).run()
    assert case.cluster.now == 10


def test_the_board_says_where_a_variant_is_and_what_it_waits_for(case: Case) -> None:
    case.walk("idle").run()
    first, last = case.cluster.shown[0], case.cluster.shown[-1]
    assert (first.doing, first.waits_for) == ("Both models idle", "30 s without change, 0 so far")
    assert (last.doing, last.waits_for) == ("Both models idle: steady", "")
    assert last.figures == "squeezenet1_1 1, vgg16 1, 2 nodes, $0.0200/h"
