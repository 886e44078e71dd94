"""One cluster, walked over the operating points: set the load, wait for steady state, record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from experiments.fault import Fault, Interrupted, Unreachable
from experiments.load import job, job_name
from experiments.machine import machines
from experiments.observation import Observation
from experiments.progress import Board, Status
from experiments.published import Point
from experiments.reading import Billed, Lists, observe, timing_of
from experiments.record import Recorder, Sample
from experiments.steady import Verdict, judge, longest_wait_s

T = TypeVar("T")

PERIODS_IN_A_WAIT: Final = 15
LEAST_PERIOD_S: Final = 2.0
MOST_PERIOD_S: Final = 10.0
"""Between two looks: often enough that a wait has many, seldom enough to cost little."""

WAITS_UNTIL_GIVEN_UP: Final = 10
UNREACHABLE_S: Final = 90.0
_REASONS_SHOWN: Final = 2
BACK: Final = "Back from the last point"


class Cluster(Protocol):
    """What a measurement asks of a cluster; each call may raise `Unreachable` or `Fault`."""

    def lists(self) -> Lists:
        """All an observation needs."""

    def create_job(self, manifest: dict[str, Any]) -> None:
        """Create a Job, or keep the one that is there."""

    def delete_job(self, name: str) -> None:
        """Delete a Job, if it is there."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement works with: where it writes and shows, its clocks, how it waits."""

    recorder: Recorder
    board: Board
    points: Mapping[str, Point]
    order: tuple[str, ...]
    clock: Callable[[], float]
    """Monotonic seconds."""
    now: Callable[[], str]
    """UTC in ISO 8601."""
    pause: Callable[[float], bool]
    """Waits so many seconds; True, at once, when the run is asked to stop."""
    load: Callable[[str], dict[str, Any]] = job
    """Manifest of a model's load."""
    measure: Callable[[str, frozenset[str]], None] = lambda _point, _loads: None
    """Called at every point once it is steady, with the models under load."""
    settled: Callable[[str, Lists, Decimal], None] = lambda _point, _lists, _price: None
    """Called before that with what was seen when it was found steady, and its price in US dollars per hour."""
    scaled: Callable[[str, str, Lists], None] = lambda _point, _model, _lists: None
    """Called before that for each model whose load is new, with what was seen when it first had enough workers."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a cluster while something is awaited."""

    lists: Lists
    seen: Observation
    wait_s: float
    """The longest that the cluster itself waits before it acts."""
    waited_s: float

    @property
    def patience_s(self) -> float:
        """How long it is waited for."""
        return WAITS_UNTIL_GIVEN_UP * self.wait_s

    @property
    def late(self) -> bool:
        """Whether it has been long enough."""
        return self.waited_s > self.patience_s


class Walk:
    """A variant's cluster on its way over the operating points."""

    def __init__(
        self, variant: str, cluster: Cluster, price: Callable[[Lists], Billed], bench: Bench
    ) -> None:
        self._variant = variant
        self._cluster = cluster
        self._price = price
        self._bench = bench
        self._models = sorted({model for point in bench.points.values() for model in point.peak})

    def run(self) -> None:
        """Measure every point, in order.

        Raises:
            Fault: when a point does not become steady, or the cluster refuses.
            Interrupted: when the run is asked to stop.
        """
        before: frozenset[str] = frozenset()
        for point in self._bench.order:
            loads = frozenset(self._bench.points[point].peak)
            self._set_loads(loads)
            looks = self._settle(point, loads)
            self._bench.settled(point, looks[-1].lists, looks[-1].seen.price_per_hour)
            for model in sorted(loads - before):
                self._bench.scaled(point, model, _first_enough(looks, model))
            self._bench.measure(point, loads)
            before = loads

    def come_back(self, trickle: Callable[[str], dict[str, Any]]) -> Mapping[str, int]:
        """Let the load fall to a trickle, so that requests are on their way while workers are taken away.

        Returns the fewest workers that each model came to; nothing of it is recorded. One request may
        already bring a second worker back, so they need not be as few at the same time.

        Raises:
            Fault: when they do not become as few as may be, or the cluster refuses.
            Interrupted: when the run is asked to stop.
        """
        loads = frozenset(self._bench.points[self._bench.order[-1]].peak)
        self._set_loads(frozenset())
        for model in sorted(loads):
            self._start(trickle, model)
        fewest: dict[str, int] = {}
        for look in self._looks():
            now = look.seen.replicas
            for model in loads & now.keys():
                fewest[model] = min(now[model], fewest.get(model, now[model]))
            left = {model: count for model, count in fewest.items() if count > 1}
            waits_for = tuple(f"{model} to scale down" for model in left)
            self._show(BACK, look.seen, Verdict(not left, waits_for, 0))
            if fewest.keys() == loads and not left:
                break
            if look.late:
                raise Fault(
                    f"{self._variant}: not back from {self._bench.order[-1]} after"
                    f" {look.patience_s:.0f} s; workers: {dict(sorted(fewest.items()))}"
                )
        return fewest

    def remove_loads(self) -> None:
        """Leave the cluster without load."""
        self._set_loads(frozenset())

    def _set_loads(self, loads: frozenset[str]) -> None:
        for model in self._models:
            if model in loads:
                self._start(self._bench.load, model)
            else:
                self._insist(partial(self._cluster.delete_job, job_name(model)))

    def _start(self, load: Callable[[str], dict[str, Any]], model: str) -> None:
        self._insist(partial(self._cluster.create_job, self._insist(partial(load, model))))

    def _settle(self, point: str, loads: frozenset[str]) -> Sequence[_Look]:
        looks: list[_Look] = []
        for look in self._looks():
            looks.append(look)
            verdict = judge([one.seen for one in looks], loads, look.wait_s)
            self._show(self._bench.points[point].label, look.seen, verdict)
            self._record(point, look, verdict)
            if verdict.steady:
                break
            if look.late:
                raise Fault(
                    f"{self._variant} at {point}: not steady after {look.patience_s:.0f} s;"
                    f" waited for {'; '.join(verdict.waits_for)}"
                )
        return looks

    def _looks(self) -> Iterator[_Look]:
        """Look again and again, a pause between two looks; whoever asks ends it."""
        began = self._bench.clock()
        while True:
            lists = self._insist(self._cluster.lists)
            seen = observe(lists, self._price(lists), self._bench.clock())
            wait_s = longest_wait_s(timing_of(lists.autoscalers))
            yield _Look(lists, seen, wait_s, self._bench.clock() - began)
            self._pause(_period_s(wait_s))

    def _record(self, point: str, look: _Look, verdict: Verdict) -> None:
        seen = look.seen
        self._bench.recorder.add(
            Sample(
                time=self._bench.now(),
                variant=self._variant,
                point=point,
                nodes=len(seen.nodes),
                replicas=dict(seen.replicas),
                price_per_hour=seen.price_per_hour,
                steady=verdict.steady,
                machines=machines(look.lists.nodes),
            )
        )

    def _show(self, label: str, seen: Observation, verdict: Verdict) -> None:
        self._bench.board.show(
            self._variant,
            Status(
                doing=f"{label}{': steady' if verdict.steady else ''}",
                waits_for=", ".join(verdict.waits_for[:_REASONS_SHOWN]),
                replicas=", ".join(f"{model} {count}" for model, count in sorted(seen.replicas.items())),
                nodes=len(seen.nodes),
                price_per_hour=seen.price_per_hour,
            ),
        )

    def _insist(self, ask: Callable[[], T]) -> T:
        began = self._bench.clock()
        while True:
            try:
                return ask()
            except Unreachable as error:
                if self._bench.clock() - began > UNREACHABLE_S:
                    raise Fault(
                        f"{self._variant}: the API server has not answered for {UNREACHABLE_S:.0f} s ({error})"
                    ) from error
            self._pause(LEAST_PERIOD_S)

    def _pause(self, seconds: float) -> None:
        if self._bench.pause(seconds):
            raise Interrupted


def _period_s(wait_s: float) -> float:
    return min(MOST_PERIOD_S, max(LEAST_PERIOD_S, wait_s / PERIODS_IN_A_WAIT))


def _first_enough(looks: Sequence[_Look], model: str) -> Lists:
    """What was seen when a model first had as many ready workers as in the end: later ones are moved ones."""

    def ready(look: _Look) -> int:
        return sum(len(served.ready_pods) for served in look.seen.models if served.model == model)

    enough = ready(looks[-1])
    return next(look.lists for look in looks if ready(look) >= enough)
