import io
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from experiments import latency
from experiments.fault import Fault
from experiments.latency import LATENCIES, Latency, Request, percentile, read_log
from experiments.latency_table import latency_table, verdicts
from experiments.published import published
from experiments.record import Run

RUN = Run(
    "",
    "",
    {"cpus": 2, "system": "Linux x86_64"},
    "oke",
    False,
    "real",
    "documented",
    "optimal",
    (),
    (),
    (),
    "",
)


def measured(p99_s: float = 0.3, *, errors: int = 0) -> Latency:
    return Latency(0.1, 0.2, p99_s, 660, errors, 11.0, errors, 900)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], part: float) -> None:
    found = percentile(values, part)
    enough = [
        value for value in values if sum(each <= value for each in values) >= math.ceil(part * len(values))
    ]

    assert found == min(enough)


def test_only_requests_due_in_the_window_count_however_late_their_answer() -> None:
    requests = [Request(9.9, 5, 200), Request(10, 70, 200), Request(19.9, 1, 503), Request(20, 9, 200)]

    found = latency.latency(requests, 10, 20)

    assert found == Latency(1, 70, 70, 2, 1, 0.2, errors_since_start=1, requests_since_start=4)


def test_a_window_without_requests_is_no_measurement() -> None:
    assert latency.latency([Request(1, 1, 200)], 10, 20) is None


def test_a_log_is_read_up_to_its_last_whole_line() -> None:
    log = read_log(
        'starting\n{"picture": "cat", "answer": {"tabby": 0.5}}\n{"at": 1.5, "s": 0.25, "code": 200}\n{"at": 2.'
    )

    assert log.requests == (Request(1.5, 0.25, 200),)
    assert log.answers == {"cat": {"tabby": 0.5}}


def test_what_was_stored_is_loaded_and_points_add_up(tmp_path: Path) -> None:
    LATENCIES.store(tmp_path, "peak", "right-sized", {"vgg16": measured()})
    LATENCIES.store(tmp_path, "idle", "right-sized", {})

    assert LATENCIES.load(tmp_path) == {
        "peak": {"right-sized": {"vgg16": measured()}},
        "idle": {"right-sized": {}},
    }


def test_a_file_that_no_run_wrote_is_said(tmp_path: Path) -> None:
    (tmp_path / LATENCIES.name).write_text('{"points": {"peak": 7}}')

    with pytest.raises(Fault, match=r"latency.json: not what a run writes"):
        LATENCIES.load(tmp_path)


def test_nothing_measured_is_nothing_loaded(tmp_path: Path) -> None:
    assert LATENCIES.load(tmp_path) == {}


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (measured(0.5), "right-sized vgg16 at peak: pass: p99 0.500 s <= 0.5 s, 0 of 900 requests failed"),
        (measured(0.51), "right-sized vgg16 at peak: FAIL: p99 0.510 s > 0.5 s, 0 of 900 requests failed"),
        (
            measured(0.1, errors=1),
            "right-sized vgg16 at peak: FAIL: p99 0.100 s <= 0.5 s, 1 of 900 requests failed",
        ),
    ],
)
def test_the_target_is_met_or_not_and_any_error_fails(one: Latency, verdict: str) -> None:
    assert verdicts({"peak": {"right-sized": {"vgg16": one}}}, 0.5) == [verdict]


def test_the_closed_form_is_reported_without_a_verdict() -> None:
    one = replace(measured(9), connections=150)

    assert verdicts({"peak": {"right-sized": {"vgg16": one}}}, 0.5) == [
        "right-sized vgg16 at peak: 150 connections, p99 9.000 s at 11/s; no verdict"
    ]


def test_the_table_has_the_published_beside_ours_and_owns_to_having_no_gpu() -> None:
    figures = published()
    table = latency_table(
        RUN,
        {"peak": {"right-sized": {"vgg16": measured()}}},
        {str(column): row for column, row in figures.clouds["oke"].latency.items()},
        figures.points,
        0.5,
    )
    text = io.StringIO()
    Console(file=text, width=80).print(table)
    shown = text.getvalue()

    assert "0.2000 / 0.3000" in shown
    assert "0.2243 / 0.2703" in shown
    assert "0.2453 / 0.4457" in shown
    assert shown.count("not measured: no GPU") == 1
    assert "2 CPUs, Linux x86_64; load: vgg16 11/s" in shown
