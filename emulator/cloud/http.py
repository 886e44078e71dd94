"""Calls and answers of an emulated cloud's REST APIs, and the routes that carry them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ASKING = ("list", "get", "test", "wait", "content")
"""What the last words of operations that are no GET and change nothing begin with."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request; each cloud adds who sent it."""

    method: str
    path: str
    parameters: Mapping[str, str]
    """Of the path."""
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    """With names in lower case."""
    body: Any

    def one(self, name: str) -> str | None:
        """A query parameter, or None when it was not given."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: status, JSON body or text (None for an empty one), headers."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Dropped(Response):
    """No answer at all: the connection is closed instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Close it, and return when the server has noticed."""
        # ASGI has no word for this; uvicorn's `receive` belongs to what holds the connection.
        receive.__self__.transport.abort()  # type: ignore[attr-defined]
        while (await receive())["type"] != "http.disconnect":
            pass


def is_list(method: str, path: str) -> bool:
    """Whether an operation shows a collection; its path has `{parameters}`."""
    verb = _verb(path)
    return verb.startswith("list") or (method == "GET" and not verb.startswith(("get", "{")))


def changes(method: str, path: str) -> bool:
    """Whether an operation changes something."""
    return method != "GET" and not _verb(path).startswith(_ASKING)


def _verb(path: str) -> str:
    return path.rpartition("/")[2].rpartition(":")[2]


def received(request: Request, body: Any) -> Received:
    """A request of the web server, with its parsed body."""
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    parameters = {name: str(value) for name, value in request.path_params.items()}
    return Received(request.method, request.url.path, parameters, query, dict(request.headers), body)


def route(path: str, methods: Sequence[str], answer: Callable[[Request, bytes], Response]) -> Route:
    """A route whose answers are made in a thread of the web server's pool."""

    async def serve(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(answer, request, body)

    return Route(path, serve, methods=list(methods))


def response(answer: Answer, text_type: str = "application/yaml") -> Response:
    """The answer as the web server sends it."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, answer.headers, media_type=text_type)
    return Response(json.dumps(answer.body), answer.status, answer.headers, media_type="application/json")
