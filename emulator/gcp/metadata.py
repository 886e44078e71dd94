"""The metadata server of one ServiceAccount's pods, as GKE's runs on every node.

The real one knows a pod by its address; here each ServiceAccount has a server of its own, on a port
that only its pods are told.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

LOG: Final = logging.getLogger(__name__)
FLAVOR: Final = ("Metadata-Flavor", "Google")
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_ROOT: Final = "/computeMetadata/v1/"
_HOST: Final = "127.0.0.1"
_TIMEOUT_S: Final = 10
_FORBIDDEN: Final = 403


class MetadataRefused(Exception):
    """The pods may not have what they ask for; the message says what is missing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Source:
    """What the server tells."""

    facts: Mapping[str, str]
    """Values by path below `computeMetadata/v1`."""
    email: Callable[[], str]
    """As whom the pods act. Raises MetadataRefused."""
    token: Callable[[], Mapping[str, Any]]
    """A token of that account. Raises MetadataRefused."""


class MetadataServer:
    """Serves until it is closed."""

    def __init__(self, source: Source) -> None:
        self._server = _Server((_HOST, 0), _Handler)
        self._server.source = source
        host, port = self._server.server_address[:2]
        self.address: Final = f"{host!s}:{port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name=f"metadata {self.address}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    source: Source

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature is the base class's
        LOG.debug("metadata server: a connection broke off")


class _Handler(BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/":
            self._answer(200, "computeMetadata/\n")
            return
        if self.headers.get(FLAVOR[0]) != FLAVOR[1]:
            self._answer(_FORBIDDEN, f"Missing required header {': '.join(FLAVOR)}\n")
            return
        recursive = parse_qs(url.query).get("recursive") == ["true"]
        try:
            self._answer(*_found(self.server.source, url.path, recursive=recursive))
        except MetadataRefused as refusal:
            self._answer(refusal.status, f"{refusal}\n")
        except Exception:
            LOG.exception("metadata server")
            self._answer(500, "internal error\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        LOG.debug(format, *args)

    def _answer(self, status: int, content: Any) -> None:
        plain = isinstance(content, str)
        data = (content if plain else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header(*FLAVOR)
        self.send_header("content-type", "application/text" if plain else "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _found(source: Source, path: str, *, recursive: bool) -> tuple[int, Any]:
    """Status and content of a path."""
    parts = path.removeprefix(_ROOT).strip("/").split("/")
    below = "/".join(parts)
    if below in source.facts:
        return 200, source.facts[below]
    match parts:
        case ["instance", "service-accounts"]:
            return 200, f"default/\n{source.email()}/\n"
        case ["instance", "service-accounts", name, *rest] if name in {"default", source.email()}:
            return _account(source, rest, recursive=recursive)
    return 404, "not found\n"


def _account(source: Source, rest: list[str], *, recursive: bool) -> tuple[int, Any]:
    if not rest and recursive:
        return 200, {"aliases": ["default"], "email": source.email(), "scopes": list(SCOPES)}
    entries: Mapping[str, Callable[[], Any]] = {
        "aliases": lambda: "default",
        "email": source.email,
        "scopes": lambda: "\n".join(SCOPES),
        "token": lambda: dict(source.token()),
        "": lambda: "aliases\nemail\nscopes\ntoken\n",
    }
    answer = entries.get("/".join(rest))
    return (200, answer()) if answer is not None else (404, "not found\n")
