"""The real SDK clients over HTTP: where they ask, as whom, and what becomes of what they are told."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from provisioner.drivers.contract import Denied, DriverError, Gone, NoCapacity, Retry
from provisioner.drivers.gke_client import Clients, call, clients, listed
from tests.support.google import SITE

GROUP = {"project": SITE.project, "zone": "us-central1-a", "instance_group_manager": "g"}


@dataclass
class Endpoint:
    """Answers each request with the next of `answers`, a status and a document."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            made.asked.append((self.command, self.path.partition("?")[0]))
            made.tokens.append(self.headers.get("authorization", ""))
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, document = made.answers.pop(0)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the library's names)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def anonymous(endpoint: Endpoint) -> Clients:
    return clients(AnonymousCredentials(), endpoint.url)  # type: ignore[no-untyped-call]


def test_both_apis_are_asked_at_the_endpoint_with_the_token(endpoint: Endpoint) -> None:
    endpoint.answers = [(200, {"nodePools": [{"name": "p"}]}), (200, {"targetSize": 3})]
    apis = clients(Credentials("a-token"), endpoint.url)  # type: ignore[no-untyped-call]
    pools = call(apis.engine.list_node_pools, about_existing=True, parent=SITE.parent).node_pools
    assert [pool.name for pool in pools] == ["p"]
    assert call(apis.groups.get, about_existing=True, **GROUP).target_size == 3
    assert endpoint.asked == [
        ("GET", "/v1/projects/emulated-project/locations/us-central1-a/clusters/gke/nodePools"),
        ("GET", "/compute/v1/projects/emulated-project/zones/us-central1-a/instanceGroupManagers/g"),
    ]
    assert endpoint.tokens == ["Bearer a-token"] * 2


def test_a_list_is_read_over_all_its_pages(endpoint: Endpoint) -> None:
    endpoint.answers = [
        (200, {"managedInstances": [{"name": "a"}], "nextPageToken": "more"}),
        (200, {"managedInstances": [{"name": "b"}]}),
    ]
    found = listed(anonymous(endpoint).groups.list_managed_instances, **GROUP)
    assert [machine.name for machine in found] == ["a", "b"]


def test_an_error_on_a_later_page_is_one_of_ours(endpoint: Endpoint) -> None:
    endpoint.answers = [(200, {"managedInstances": [], "nextPageToken": "more"}), (503, {})]
    with pytest.raises(Retry):
        listed(anonymous(endpoint).groups.list_managed_instances, **GROUP)


def problem(status: int, text: str, message: str, reason: str = "") -> tuple[int, Any]:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "d"}]
    error = {"code": status, "status": text, "message": message, "details": details if reason else []}
    return status, {"error": error}


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            problem(400, "FAILED_PRECONDITION", "Cluster is busy.", "CLUSTER_ALREADY_HAS_OPERATION"),
            Retry,
            "CLUSTER_ALREADY_HAS_OPERATION (400)",
        ),
        (
            problem(429, "RESOURCE_EXHAUSTED", "Too many.", "RATE_LIMIT_EXCEEDED"),
            Retry,
            "RATE_LIMIT_EXCEEDED",
        ),
        (
            problem(403, "PERMISSION_DENIED", 'Required "container.clusters.update" permission(s)'),
            Denied,
            "container.clusters.update",
        ),
        (problem(404, "NOT_FOUND", "Not found: x."), Gone, "Not found: x."),
        (problem(403, "FORBIDDEN", "Insufficient regional quota to satisfy request"), NoCapacity, "quota"),
        ((500, {}), Retry, "500"),
    ],
)
def test_an_answer_of_the_container_api_is_one_of_ours(
    endpoint: Endpoint, answer: tuple[int, Any], kind: type[DriverError], said: str
) -> None:
    endpoint.answers = [answer]
    with pytest.raises(kind) as caught:
        call(anonymous(endpoint).engine.delete_node_pool, about_existing=True, name=SITE.path("p"))
    assert said in str(caught.value)
    assert len(endpoint.asked) == 1


def test_the_reason_of_the_compute_api_counts_too(endpoint: Endpoint) -> None:
    errors = [{"message": "Quota exceeded", "domain": "usageLimits", "reason": "rateLimitExceeded"}]
    endpoint.answers = [(403, {"error": {"code": 403, "message": "Quota exceeded", "errors": errors}})]
    with pytest.raises(Retry, match="rateLimitExceeded"):
        call(anonymous(endpoint).groups.get, about_existing=True, **GROUP)


def test_a_cloud_that_is_not_there_is_tried_again() -> None:
    apis = clients(AnonymousCredentials(), "http://127.0.0.1:1")  # type: ignore[no-untyped-call]
    with pytest.raises(Retry, match="cannot be reached"):
        call(apis.engine.get_node_pool, about_existing=True, name=SITE.path("p"))
