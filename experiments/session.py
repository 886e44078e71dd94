"""One run in the making: what was asked for, its bench, its files."""

import contextlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Event, Lock
from typing import Any, Final

import psutil

from experiments import evidence, explained
from experiments.declared import declared
from experiments.emulated import ROOT
from experiments.explain import explain, with_trials
from experiments.fault import Fault, Interrupted, Unreachable
from experiments.kube import Kube
from experiments.measure import Bench, Walk
from experiments.order import Order
from experiments.progress import Board, Status
from experiments.published import published, walk
from experiments.reading import Billed, Lists
from experiments.record import EMULATED, Recorder, Run
from experiments.scale_up import SCALE_UPS, scale_up
from experiments.traffic import Files, Form, Traffic
from provisioner.core.policy import OPTIMAL

DOCUMENTED: Final = "documented"
PROVISIONED: Final = "right-sized"


class Session:
    """One run in the making: its bench, and what is learnt about it on the way."""

    def __init__(self, order: Order, shown: Board, stop: Event, world: str) -> None:
        self.order = order
        self.stop = stop
        points = published().points
        self.bench = Bench(
            recorder=Recorder(order.out),
            board=shown,
            points=points,
            order=walk(points, order.points),
            clock=time.monotonic,
            now=_now,
            pause=stop.wait,
        )
        self._lock = Lock()
        self._settled_at = _now()
        """When the provisioner's variant was steady last."""
        self.run = _describe(order, world)
        self.bench.recorder.begin(self.run)

    def learn(self, **facts: Any) -> None:
        """Note a fact about the run in `run.json`."""
        self.run = replace(self.run, **facts)
        self.bench.recorder.describe(self.run)

    def say(self, variant: str, phase: str) -> Callable[[str], None]:
        """A listener that shows what the engine says."""
        return lambda words: self.bench.board.show(variant, Status(doing=phase, waits_for=words))

    def finish(self) -> None:
        """Note that the run came to its end."""
        self.learn(finished_at=_now())

    def measure(self, variant: str, kube: Kube, price: Callable[[Lists], Billed]) -> None:
        """Walk a cluster over the points and leave it without load.

        Raises:
            Fault: when a point does not become steady, or the cluster refuses.
            Interrupted: when the run is asked to stop.
        """
        if variant == PROVISIONED:
            self.learn(mode=kube.provisioner_mode() or self.run.mode)
        traffic = self._traffic_of(variant, kube) if self.order.serves else None
        steps = Walk(variant, kube, price, self._bench_of(variant, kube, traffic))
        try:
            steps.run()
            if traffic is not None and not self.order.connections:
                self._come_back(variant, steps, traffic)
        except (Fault, Interrupted):
            with contextlib.suppress(Fault, Interrupted):
                steps.remove_loads()
            raise
        steps.remove_loads()

    def _bench_of(self, variant: str, kube: Kube, traffic: Traffic | None) -> Bench:
        """The bench of a variant; with real serving also what sends the load and reads its log."""
        bench = replace(self.bench, scaled=partial(self._note_scale_up, variant, kube))
        if variant == PROVISIONED:
            bench = replace(bench, settled=partial(self._ask_provisioner, variant, kube))
        return bench if traffic is None else replace(bench, load=traffic.load, measure=traffic.measure)

    def _traffic_of(self, variant: str, kube: Kube) -> Traffic:
        # An emulated GPU node serves with the machine's own cores: its figures would be no GPU's.
        files = Files(
            self.order.out, self._lock, latency=self.run.world != EMULATED or variant == PROVISIONED
        )
        return Traffic(
            variant, kube, files, self.bench.pause, Form(self.order.connections, self.order.registry)
        )

    def _come_back(self, variant: str, steps: Walk, traffic: Traffic) -> None:
        """From a point under load back to few workers, and note whether a request was lost on the way."""
        models = self.bench.points[self.bench.order[-1]].peak
        if not models:
            return
        workers = steps.come_back(traffic.trickle)
        failed, requests = traffic.answered(models)
        counts = ", ".join(f"{model} {workers[model]}" for model in sorted(models) if model in workers)
        note = (
            f"{variant}: back from {self.bench.order[-1]} at a tenth of its rate, workers: {counts};"
            f" {failed} of {requests} requests failed meanwhile"
        )
        with self._lock:
            self.learn(notes=(*self.run.notes, note))

    def note_declared(self, variant: str, state: Sequence[Mapping[str, Any]]) -> None:
        """Keep what a stack declares of its inference nodes."""
        with self._lock:
            evidence.store(self.order.out, variant, declared(state))

    def _ask_provisioner(self, variant: str, kube: Kube, point: str, lists: Lists, price: Decimal) -> None:
        """Keep why a steady state costs what it does; and at the first one, which changes would be met."""
        since, self._settled_at = self._settled_at, _now()
        now = datetime.now(UTC)
        if self.run.mode == OPTIMAL:
            found = explain(kube, lists, price, since, now)
            with self._lock:
                explained.store(self.order.out, point, variant, found)
        with self._lock:
            known = evidence.load(self.order.out).get(variant)
        if known is not None and point == self.bench.order[0]:
            asked = with_trials(known, kube, lists, now)
            with self._lock:
                evidence.store(self.order.out, variant, asked)

    def _note_scale_up(self, variant: str, kube: Kube, point: str, model: str, lists: Lists) -> None:
        """Keep what the time to enough workers went into, where any came."""
        try:
            events = kube.events()
        except Unreachable:
            events = []
        found = scale_up(model, lists.pods, lists.nodes, events)
        if found is not None:
            with self._lock:
                SCALE_UPS.store(self.order.out, point, variant, {model: found})


def _describe(order: Order, world: str) -> Run:
    settings = order.settings
    return Run(
        command=order.command,
        commit=_commit(),
        machine={
            "cpus": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        cloud=order.cloud,
        published=order.published,
        serving=order.serving,
        accounting=settings.accounting if settings else DOCUMENTED,
        mode=settings.mode if settings else "default",
        families=settings.families if settings else (),
        variants=order.variants,
        points=order.points,
        started_at=_now(),
        world=world,
    )


def _commit() -> str:
    """The checkout's commit, marked when files differ from it; empty outside a repository."""
    git = shutil.which("git")
    if git is None:
        return ""
    answer = subprocess.run(
        [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
