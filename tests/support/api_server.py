"""An API server that lists what it was given, a page at a time, and remembers what it was asked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.loopback import serving

PATHS: Final = {
    "pods": "/api/v1/pods",
    "nodes": "/api/v1/nodes",
    "budgets": "/apis/policy/v1/poddisruptionbudgets",
    "scalers": "/apis/autoscaling/v2/horizontalpodautoscalers",
    "daemon_sets": "/apis/apps/v1/daemonsets",
    "metrics": "/apis/metrics.k8s.io/v1beta1/pods",
    "node_metrics": "/apis/metrics.k8s.io/v1beta1/nodes",
}


@dataclass
class ApiServer:
    """What it has, by kind, and every request as `METHOD /path`."""

    kubeconfig: Path
    items: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuses: frozenset[str] = frozenset()
    """Kinds that the caller has no right to list."""

    lacks: frozenset[str] = frozenset()
    """Kinds that it does not know."""

    def answer(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.url.path}")
        kind = next((kind for kind, path in PATHS.items() if path == request.url.path), "")
        if not kind or kind in self.refuses or request.method != "GET":
            return JSONResponse({"message": f"{request.url.path} is forbidden"}, 403)
        if kind in self.lacks:
            return JSONResponse({"message": "the server could not find the requested resource"}, 404)
        items, start = self.items.get(kind, ()), int(request.query_params.get("continue") or 0)
        end = start + int(request.query_params.get("limit") or len(items))
        more = {"continue": str(end)} if end < len(items) else {}
        return Response(json.dumps({"items": items[start:end], "metadata": more}))


@contextmanager
def api_server(home: Path, **items: Sequence[Mapping[str, Any]]) -> Iterator[ApiServer]:
    server = ApiServer(home / "kubeconfig", dict(items))
    everything = Route("/{path:path}", server.answer, methods=["GET", "PUT", "POST", "PATCH", "DELETE"])
    with serving([everything]) as endpoint:
        server.kubeconfig.write_text(yaml.safe_dump(kubeconfig(endpoint)))
        yield server


def kubeconfig(endpoint: str) -> dict[str, Any]:
    named = {"name": "test"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{**named, "cluster": {"server": endpoint}}],
        "users": [{**named, "user": {}}],
        "contexts": [{**named, "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
