"""Latency from a load's log: which requests count, their percentiles, and the table beside the published.

Pure but for the file. Only requests that were due within the window count, and each with
the time from when it was due to the end of its answer, however late that came.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter

from experiments.measured import Measured, MeasuredFile

NOT_MEASURED: Final = "not measured: no GPU"
GPU_VARIANTS: Final = ("max-sized", "dynamic")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the generator logged it; `at` is when it was due, seconds since the epoch."""

    at: float
    s: float
    code: int

    @property
    def failed(self) -> bool:
        """Whether it got no proper answer."""
        return self.code != HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Latency:
    """What one model's callers met in the window."""

    p50_s: float
    p95_s: float
    p99_s: float
    requests: int
    errors: int
    rate_per_s: float
    """At which requests were due."""
    errors_since_start: int = 0
    """Also of the time before the window, scaling up included."""
    requests_since_start: int = 0
    connections: int = 0
    """Of the closed form: the rate follows from the answers then, and is no demand. 0: at a stated rate."""


@dataclass(frozen=True, slots=True)
class Log:
    """A load's log, read."""

    requests: tuple[Request, ...]
    answers: Mapping[str, Mapping[str, Any]]
    """By picture."""


LATENCIES: Final = MeasuredFile("latency.json", TypeAdapter(Measured[Latency]))


def read_log(text: str) -> Log:
    """Everything the generator has said; a last line that is not whole yet is left out."""
    requests: list[Request] = []
    answers: dict[str, Mapping[str, Any]] = {}
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "picture" in row:
            answers[row["picture"]] = row["answer"]
        elif isinstance(row, dict) and "at" in row:
            requests.append(Request(row["at"], row["s"], row["code"]))
    return Log(tuple(requests), answers)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least this part of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def latency(requests: Iterable[Request], began: float, ended: float) -> Latency | None:
    """Latency of the requests due in a window; None when there were none."""
    everything = tuple(requests)
    counted = [request for request in everything if began <= request.at < ended]
    if not counted:
        return None
    times = [request.s for request in counted]
    return Latency(
        p50_s=percentile(times, 0.50),
        p95_s=percentile(times, 0.95),
        p99_s=percentile(times, 0.99),
        requests=len(counted),
        errors=sum(request.failed for request in counted),
        rate_per_s=round(len(counted) / (ended - began), 3),
        errors_since_start=sum(request.failed for request in everything),
        requests_since_start=len(everything),
    )
