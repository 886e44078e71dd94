"""Calls and answers of an emulated cloud's REST APIs, and the routes that carry them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


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
