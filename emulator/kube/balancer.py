"""A load balancer of one Service: takes requests on its address and hands each to a ready process.

By request, not by connection: a caller that keeps its connection follows the Service up and down.
An endpoint that goes gets no new request, and what it is at work on comes to its end.
"""

import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from emulator.kube.endpoints import Endpoint, Turns

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
_OF_THE_CONNECTION: Final = frozenset(
    (b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"trailer", b"proxy-connection")
)
_BACKLOG: Final = 1024
_GRACE_S: Final = 5
_ANSWER_S: Final = 120.0
_CONNECT_S: Final = 2.0
_TOO_LARGE: Final = 413
_UNAVAILABLE: Final = 503
_BROKEN: Final = 502
_log = logging.getLogger(__name__)


class Balancer:
    """Listens on one address and port; raises OSError where these are taken."""

    def __init__(self, service: str, address: str, port: int) -> None:
        self._service = service
        self._turns = Turns()
        self._listening = _listen(address, port)
        # A connection a request: one kept too long might be closed by the other side as it is used again.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )
        app = Starlette(routes=[Route("/{path:path}", self._serve, methods=_METHODS)])
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE_S, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._listening]},
            name=f"balancer {service}",
            daemon=True,
        )
        self._thread.start()

    def replace(self, endpoints: frozenset[Endpoint]) -> None:
        """Serve with these from now on."""
        self._turns.replace(endpoints)

    def stop(self) -> None:
        """Take no more requests; returns when those under way are answered, or their grace is over."""
        self._server.should_exit = True
        self._thread.join(_GRACE_S + 1)
        self._listening.close()

    async def _serve(self, request: Request) -> Response:
        candidates = self._turns.candidates()
        for endpoint in candidates:
            try:
                return await self._ask(endpoint, request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                _log.debug("service %s: %s does not take connections", self._service, endpoint)
            except httpx.HTTPError as fault:
                _log.warning("service %s: %s: %s", self._service, endpoint, fault or type(fault).__name__)
                return _broken(request)
        reason = "none of the endpoints takes connections" if candidates else "there is no ready endpoint"
        return PlainTextResponse(f"service {self._service}: {reason}\n", _UNAVAILABLE)

    async def _ask(self, endpoint: Endpoint, request: Request) -> Response:
        async with AsyncExitStack() as turn:
            turn.enter_context(self._turns.taken(endpoint))
            answer = await self._client.send(self._onward(endpoint, request), stream=True)
            turn.push_async_callback(answer.aclose)
            until_answered = turn.pop_all()

        async def body() -> AsyncIterator[bytes]:
            async with until_answered:
                async for chunk in answer.aiter_raw():
                    yield chunk

        response = StreamingResponse(body(), answer.status_code)
        response.raw_headers = _passed_on(answer.headers.raw)
        return response

    def _onward(self, endpoint: Endpoint, request: Request) -> httpx.Request:
        # Not asked for its body before the endpoint has taken the connection: another one can still be asked.
        target = httpx.URL(
            scheme="http",
            host=endpoint.address,
            port=endpoint.port,
            raw_path=_raw_path(request.scope),
        )
        headers = _passed_on(request.headers.raw)
        return self._client.build_request(
            request.method, target, headers=headers, content=request.stream() if _has_body(request) else None
        )


def _broken(request: Request) -> Response:
    """What the caller is told when the endpoint closed the connection without an answer."""
    if _has_body(request) and not request._stream_consumed:  # noqa: SLF001  # nothing public tells it
        return PlainTextResponse(
            "the model server did not take the whole body: it is too large\n", _TOO_LARGE
        )
    return PlainTextResponse("the model server broke the connection\n", _BROKEN)


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_THE_CONNECTION]


def _raw_path(scope: Any) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string") or b""
    return path + b"?" + query if query else path


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
