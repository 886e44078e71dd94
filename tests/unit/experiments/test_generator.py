"""The load generator: what vegeta and hey print is read; and both, run against a server of this test."""

import contextlib
import io
import json
import signal
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from experiments import generator
from experiments.generator import Row
from experiments.latency import read_log
from tools.locate import ToolMissing, locate


@pytest.mark.parametrize(
    ("rate", "text"),
    [("11", "11/1s"), ("0.8", "4/5s"), ("0.125", "1/8s"), ("2.5", "5/2s")],
)
def test_a_rate_becomes_whole_requests_in_whole_seconds(rate: str, text: str) -> None:
    assert generator.rate_text(Fraction(rate)) == text


@pytest.mark.parametrize(
    ("answer_s", "rate"),
    [(0.33, "0.8"), (0.25, "0.8"), (0.16, "1.25"), (0.155, "1.29"), (0.0, "200")],
)
def test_a_rate_is_raised_where_answers_come_so_soon_that_it_asks_for_too_little(
    answer_s: float, rate: str
) -> None:
    assert generator.scaled(Fraction("0.8"), Fraction("0.2"), answer_s) == Fraction(rate)


def test_vegetas_rows_are_read() -> None:
    lines = [
        "1795560595725000000,200,104400000,35042,312,,,,0,POST,http://127.1.2.3/,",
        "5000000000,0,30000000000,0,0,timeout,,,1,,,",
    ]

    assert list(generator.vegeta_rows(lines)) == [Row(1795560595.725, 0.1044, 200), Row(5.0, 30.0, 0)]


def test_heys_rows_are_read() -> None:
    lines = [
        "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset",
        "0.2500,0.0001,0.0000,0.0000,0.2400,0.0001,200,1.5000",
    ]

    assert list(generator.hey_rows(lines, 100.0)) == [Row(101.5, 0.25, 200)]


def test_what_it_logs_is_what_the_experiments_read() -> None:
    row = Row(12.5, 0.25, 200)

    (request,) = read_log(row.line()).requests

    assert (request.at, request.s, request.code) == (row.at, row.took_s, row.code)


class Model(BaseHTTPRequestHandler):
    """Says how many bytes it was sent, and stops the generator after some requests."""

    asked: list[str]
    enough: threading.Event

    def do_POST(self) -> None:
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(self.headers["Content-Type"])
        if len(self.asked) >= 20:
            self.enough.set()
        body = json.dumps({"tabby": size}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture
def model() -> Iterator[tuple[str, type[Model]]]:
    handler = type("OneModel", (Model,), {"asked": [], "enough": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/predictions/x", handler
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("tool", "form"),
    [
        ("vegeta", ("--rate", "40")),
        ("vegeta", ("--rate", "1", "--least-cores", "0.2")),
        ("hey", ("--connections", "2")),
    ],
    ids=["at a rate", "at a rate for this machine", "so many at once"],
)
def test_it_asks_every_picture_then_sends_until_it_is_told_to_stop(
    model: tuple[str, type[Model]], tool: str, form: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        locate(tool)
    except ToolMissing:
        pytest.skip(f"{tool} is not built; run `make tools`")
    url, handler = model
    monkeypatch.setattr(generator, "HEY_ROUND_S", 1)
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    def stop_when_it_is_enough() -> None:
        assert handler.enough.wait(20)
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=stop_when_it_is_enough, daemon=True).start()
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            assert generator.main(["--model", "x", "--url", url, *form]) == 0
    finally:
        for number, known in zip((signal.SIGTERM, signal.SIGINT), handlers, strict=True):
            signal.signal(number, known)

    log = read_log(said.getvalue())
    assert log.answers.keys() == {"astronaut", "cat", "coffee"}
    assert log.answers["cat"] == {"tabby": (generator.PICTURES / "cat.jpg").stat().st_size}
    assert len(log.requests) >= 5
    assert {request.code for request in log.requests} == {200}
    assert set(handler.asked) == {"image/jpeg"}


def test_a_model_that_does_not_answer_is_an_answer_too() -> None:
    assert "error" in generator._ask("http://127.0.0.1:9/", generator.PICTURES / "cat.jpg")
    assert generator._soonest("http://127.0.0.1:9/") == generator.ANSWER_S


def test_a_load_is_open_or_closed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generator.main(["--model", "x", "--url", "http://127.0.0.1:9/"])

    assert "--rate --connections" in capsys.readouterr().err
