"""Real load on one variant's cluster: which Job sends it, and what its log says once it is steady."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

from experiments import predictions
from experiments.fault import Fault, Interrupted, Unreachable
from experiments.generator import HEY_ROUND_S
from experiments.latency import LATENCIES, Latency, latency, read_log
from experiments.load import RATES_PER_S, closed_job, job_name, sending_job

WINDOW_S: Final = 60.0
"""Of steady state: 48 requests of vgg16, 660 of SqueezeNet at the rates of the peak."""
TRICKLE: Final = Decimal("0.1")
"""Part of the peak's rate that goes on while workers are taken away."""
LAST_ANSWERS_S: Final = 5.0
"""After the window, for the answers still under way: ten times the target."""
LAST_ROUND_S: Final = 2.0 * HEY_ROUND_S
"""The closed form tells its requests a round at a time."""


class Served(Protocol):
    """What is asked of a cluster; each call may raise `Unreachable` or `Fault`."""

    def endpoints(self) -> dict[str, str]:
        """Where each model answers."""
        ...

    def job_log(self, name: str) -> str:
        """What a Job's pods have said."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """Where the figures of a run go; its variants share them."""

    out: Path
    lock: Lock
    latency: bool = True
    """Whether this variant's latency is kept, or only its predictions."""


@dataclass(frozen=True, slots=True)
class Form:
    """How load is sent."""

    connections: int = 0
    """Requests in flight, as published; 0: at each model's rate, scaled to the machine."""
    registry: str = ""
    """What has the generator's image; empty: it is known where it runs."""

    def job(self, model: str, url: str) -> dict[str, Any]:
        """Manifest of a model's load.

        Raises:
            Fault: no rate is known for the model.
        """
        if self.connections:
            return closed_job(model, url, self.connections, self.registry)
        if model not in RATES_PER_S:
            raise Fault(f"{model}: no rate is known for its real load; there are {', '.join(RATES_PER_S)}")
        return sending_job(model, url, self.registry)


class Traffic:
    """Real load on a variant."""

    def __init__(
        self, variant: str, cluster: Served, files: Files, pause: Callable[[float], bool], form: Form = Form()
    ) -> None:
        self._variant = variant
        self._cluster = cluster
        self._files = files
        self._pause = pause
        self._form = form

    def load(self, model: str) -> dict[str, Any]:
        """Manifest of the Job that sends the model's peak.

        Raises:
            Unreachable: its Service has no address yet, or the API server does not answer.
            Fault: no rate is known for the model.
        """
        return self._form.job(model, self._url(model))

    def trickle(self, model: str) -> dict[str, Any]:
        """Manifest of the Job that sends a small part of the model's peak, for one worker to answer.

        Raises:
            Unreachable: its Service has no address.
        """
        return sending_job(model, self._url(model), self._form.registry, TRICKLE)

    def answered(self, models: Iterable[str]) -> tuple[int, int]:
        """How many requests failed and how many there were, by the logs of the loads that run."""
        logs = [read_log(self._cluster.job_log(job_name(model))) for model in models]
        requests = [request for log in logs for request in log.requests]
        return sum(request.failed for request in requests), len(requests)

    def measure(self, point: str, models: frozenset[str]) -> None:
        """Let the load go on for a window, and keep latency and predictions.

        Raises:
            Fault: a load's log has nothing of the window.
            Interrupted: when the run is asked to stop.
        """
        if not models:
            return
        began = time.time()
        if self._pause(WINDOW_S):
            raise Interrupted
        ended = time.time()
        if self._pause(LAST_ROUND_S if self._form.connections else LAST_ANSWERS_S):
            raise Interrupted
        found = {model: self._of(model, began, ended) for model in sorted(models)}
        if self._files.latency:
            with self._files.lock:
                LATENCIES.store(self._files.out, point, self._variant, found)

    def _url(self, model: str) -> str:
        url = self._cluster.endpoints().get(model)
        if url is None:
            raise Unreachable(f"the Service of {model} has no load balancer yet")
        return url

    def _of(self, model: str, began: float, ended: float) -> Latency:
        log = read_log(self._cluster.job_log(job_name(model)))
        measured = latency(log.requests, began, ended)
        if measured is None:
            raise Fault(
                f"{self._variant}: the load of {model} sent nothing in {ended - began:.0f} s;"
                f" `kubectl logs -n inference job/{job_name(model)}` says why"
            )
        with self._files.lock:
            predictions.store(self._files.out, self._variant, model, log.answers)
        return replace(measured, connections=self._form.connections)
