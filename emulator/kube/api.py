"""A thin client of one emulated cluster's API server, on raw JSON.

Only this module speaks HTTP to Kubernetes on the emulator's behalf. The official client's typed
objects cost too much for the thousands of pods a benchmark has.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx

Object = dict[str, Any]

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

_FIELD_MANAGER: Final = "emulated-cloud"
_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_WATCH_S: Final = 290
"""How long the server keeps one watch open."""
_WATCH_TIMEOUT: Final = httpx.Timeout(_WATCH_S + 20.0, connect=5.0)


class ApiError(Exception):
    """The API server said no; `status` is the HTTP status, 0 when it could not be reached."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def unreachable(self) -> bool:
        """Whether there was no answer at all."""
        return self.status == 0

    @property
    def not_found(self) -> bool:
        """Whether the object is gone."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def conflict(self) -> bool:
        """Whether it exists already, or changed in between."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def too_many(self) -> bool:
        """Whether a disruption budget, or load, forbids it for now."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API server is and how its administrator is known."""

    server: str
    ca_pem: bytes
    client_cert_pem: bytes
    client_key_pem: bytes


class Watch:
    """One open watch: iterate it for events, `close` it from any thread."""

    def __init__(self, client: httpx.Client, path: str, parameters: Mapping[str, str]) -> None:
        self._client = client
        self._path = path
        self._parameters = parameters
        self._response: httpx.Response | None = None
        self._closed = False

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        try:
            with self._client.stream(
                "GET", self._path, params=self._parameters, timeout=_WATCH_TIMEOUT
            ) as response:
                self._response = response
                if self._closed:
                    return
                if response.is_error:
                    response.read()
                    raise _failure(response)
                for line in response.iter_lines():
                    event = json.loads(line)
                    yield event["type"], event["object"]
        except (httpx.TransportError, ssl.SSLError, OSError) as fault:
            raise ApiError(0, f"{self._path}: {fault}") from fault

    def close(self) -> None:
        """End the iteration, though it be waiting for the next event."""
        self._closed = True
        response = self._response
        stream = response.extensions.get("network_stream") if response is not None else None
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            try:
                # Closing alone would not wake the thread that reads.
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


class Api:
    """Verbs on paths, for example `get("/api/v1/nodes/a")`; safe for use by several threads."""

    def __init__(self, credentials: Credentials, context: ssl.SSLContext) -> None:
        self._client = httpx.Client(
            base_url=credentials.server,
            verify=context,
            timeout=_TIMEOUT,
            trust_env=False,
            limits=httpx.Limits(max_connections=64),
        )

    def get(self, path: str, **parameters: str) -> Object:
        """Read an object or a list."""
        return self._request("GET", path, parameters=parameters)

    def create(self, path: str, body: Object) -> Object:
        """POST an object, or a subresource such as an eviction."""
        return self._request("POST", path, body=body)

    def patch(self, path: str, body: Object, kind: str = MERGE) -> Object:
        """Change an object."""
        return self._request("PATCH", path, body=body, kind=kind)

    def apply(self, path: str, body: Object) -> Object:
        """Make an object be as given, whether or not it exists."""
        return self._request(
            "PATCH", path, body=body, kind=APPLY, parameters={"fieldManager": _FIELD_MANAGER, "force": "true"}
        )

    def delete(self, path: str, *, grace_s: int | None = None, uid: str | None = None) -> None:
        """Delete an object; one that is gone, or has another uid by now, is fine."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_s is not None:
            body["gracePeriodSeconds"] = grace_s
        if uid is not None:
            body["preconditions"] = {"uid": uid}
        try:
            self._request("DELETE", path, body=body)
        except ApiError as fault:
            if not (fault.not_found or (uid is not None and fault.conflict)):
                raise

    def watch(self, path: str, resource_version: str) -> Watch:
        """Events of a collection since a list of it."""
        parameters = {
            "watch": "1",
            "resourceVersion": resource_version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_S),
        }
        return Watch(self._client, path, parameters)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _request(
        self,
        verb: str,
        path: str,
        *,
        body: Object | None = None,
        kind: str = "application/json",
        parameters: Mapping[str, str] | None = None,
    ) -> Object:
        content = None if body is None else json.dumps(body)
        try:
            response = self._client.request(
                verb, path, content=content, params=parameters, headers={"Content-Type": kind}
            )
        except (httpx.TransportError, RuntimeError) as fault:  # RuntimeError: the client was closed
            raise ApiError(0, f"{verb} {path}: {fault}") from fault
        if response.is_error:
            raise _failure(response)
        answer: Object = response.json()
        return answer


def _failure(response: httpx.Response) -> ApiError:
    try:
        message = response.json().get("message", "")
    except ValueError:
        message = response.text
    request = response.request
    return ApiError(
        response.status_code, f"{request.method} {request.url.path}: {response.status_code} {message}"
    )
