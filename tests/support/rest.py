"""A small HTTP server for clients under test: answers GETs by path, remembers what was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Rest:
    """Documents by path; an `(status, document)` is an answer that is no success."""

    documents: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, target: str) -> tuple[int, Any]:
        """The answer to a request; a list of documents is its pages."""
        parts = urlsplit(target)
        self.asked.append(parts.path)
        found = self.documents.get(parts.path, (404, {"error": {"message": f"Not found: {parts.path}"}}))
        if isinstance(found, list):
            page = int(parse_qs(parts.query).get("pageToken", ["0"])[0])
            more = {"nextPageToken": str(page + 1)} if page + 1 < len(found) else {}
            return 200, {**found[page], **more}
        return found if isinstance(found, tuple) else (200, found)


@contextmanager
def serving(documents: Mapping[str, Any]) -> Iterator[Rest]:
    """Serve documents on a port of this machine."""
    rest = Rest(documents)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rest.tokens.append(self.headers.get("authorization", ""))
            status, document = rest.answer(self.path)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    rest.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield rest
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
