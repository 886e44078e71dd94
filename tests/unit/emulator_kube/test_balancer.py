"""The balancer against real servers on loopback addresses of their own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from emulator.kube.balancer import Balancer
from emulator.kube.endpoints import Endpoint


class Server(ThreadingHTTPServer):
    """Says its name and what it was sent; may wait for `gate` in between."""

    daemon_threads = True

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.endpoint = Endpoint("127.0.0.1", self.server_port)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        if self.path == "/refused":
            self.connection.close()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reached.set()
        self.server.gate.wait(10)
        answer = f"{self.server.name} {self.path} {self.headers['X-Mine']} ".encode() + body
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Server", self.server.name)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_words: Any) -> None:
        pass


@contextmanager
def serving(*names: str) -> Iterator[list[Server]]:
    servers = [Server(name) for name in names]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield servers
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def balancer() -> Iterator[tuple[Balancer, str]]:
    made = Balancer("inference/vgg16", "127.0.0.1", 0)
    host, port = made._listening.getsockname()
    try:
        yield made, f"http://{host}:{port}"
    finally:
        made.stop()


def post(url: str, body: bytes = b"picture") -> httpx.Response:
    return httpx.post(url, content=body, headers={"X-Mine": "yes"}, trust_env=False, timeout=10)


def test_a_request_arrives_whole_and_so_does_its_answer(balancer: tuple[Balancer, str]) -> None:
    made, url = balancer
    with serving("a") as (server,):
        made.replace(frozenset({server.endpoint}))

        answer = post(f"{url}/predictions/x?y=%20z", b"p" * 300_000)

    assert (answer.status_code, answer.headers["X-Server"]) == (201, "a")
    assert answer.content == b"a /predictions/x?y=%20z yes " + b"p" * 300_000


def test_without_endpoints_it_says_so(balancer: tuple[Balancer, str]) -> None:
    answer = post(f"{balancer[1]}/predictions/x")

    assert answer.status_code == 503
    assert answer.text == "service inference/vgg16: there is no ready endpoint\n"


def test_an_endpoint_that_takes_no_connection_costs_no_request(balancer: tuple[Balancer, str]) -> None:
    made, url = balancer
    with serving("gone") as (gone,):
        dead = gone.endpoint
    with serving("a") as (server,):
        made.replace(frozenset({dead, server.endpoint}))

        answers = [post(f"{url}/predictions/x") for _ in range(4)]

    assert [answer.headers["X-Server"] for answer in answers] == ["a"] * 4


def test_a_broken_connection_is_told_and_not_tried_elsewhere(balancer: tuple[Balancer, str]) -> None:
    made, url = balancer
    with serving("a") as (server,):
        made.replace(frozenset({server.endpoint}))

        assert post(f"{url}/refused").status_code == 502


def test_a_request_under_way_is_answered_though_its_endpoint_was_taken_out(
    balancer: tuple[Balancer, str],
) -> None:
    made, url = balancer
    with serving("old", "new") as (old, new):
        old.gate.clear()
        made.replace(frozenset({old.endpoint}))
        answers: list[httpx.Response] = []
        caller = threading.Thread(target=lambda: answers.append(post(f"{url}/predictions/x")))
        caller.start()
        assert old.reached.wait(10)
        made.replace(frozenset({new.endpoint}))

        meanwhile = post(f"{url}/predictions/x")
        old.gate.set()
        caller.join(10)

    assert meanwhile.headers["X-Server"] == "new"
    assert answers[0].headers["X-Server"] == "old"


def test_a_place_that_is_taken_is_refused(balancer: tuple[Balancer, str]) -> None:
    _, port = balancer[0]._listening.getsockname()

    with pytest.raises(OSError, match="in use"):
        Balancer("inference/other", "127.0.0.1", port)
