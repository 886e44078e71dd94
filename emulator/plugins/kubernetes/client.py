"""The API server over HTTP: verbs on objects, and which resources there are."""

import datetime as dt
import json
import ssl
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from emulator.plugins.kubernetes.faults import ApiFault, Unreachable
from emulator.plugins.kubernetes.kinds import Kind, Object, Reference
from emulator.plugins.kubernetes.kubeconfig import Access, Credential, run_command
from emulator.plugins.provider import Refused

_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
_APPLY: Final = "application/apply-patch+yaml"
_RENEW_S: Final = 60
"""Credentials are renewed this long before they expire."""


@dataclass(frozen=True, slots=True)
class _Resource:
    plural: str
    namespaced: bool


class Client:
    """One API server; safe for use by several threads, connects when first asked."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.RLock()
        self._http: httpx.Client | None = None
        self._expires: dt.datetime | None = None
        self._resources: dict[str, dict[str, _Resource]] = {}

    def namespaced(self, kind: Kind) -> bool:
        """Whether objects of a kind lie in a namespace.

        Raises:
            ApiFault: 404 when the server does not know the kind.
        """
        return self._resource(kind).namespaced

    def get(self, reference: Reference) -> Object | None:
        """An object; None when it, or its kind, is not there."""
        try:
            return self._request("GET", self._path(reference))
        except ApiFault as fault:
            if fault.not_found:
                return None
            raise

    def list(self, kind: Kind, namespace: str, labels: Mapping[str, str]) -> list[Object]:
        """Objects of a namespace that carry labels."""
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        path = f"{kind.path}/namespaces/{namespace}/{self._resource(kind).plural}"
        found: list[Object] = self._request("GET", path, parameters={"labelSelector": selector})["items"]
        return found

    def apply(
        self, reference: Reference, body: Object, *, manager: str, dry_run: bool = False, force: bool = False
    ) -> Object:
        """Server-side apply."""
        parameters = {"fieldManager": manager, "force": str(force).lower()}
        if dry_run:
            parameters["dryRun"] = "All"
        return self._request("PATCH", self._path(reference), body=body, kind=_APPLY, parameters=parameters)

    def delete(self, reference: Reference, uid: str) -> None:
        """Ask for an object's deletion after its dependents; one that is gone, or is another, is fine."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        if uid:
            options |= {"preconditions": {"uid": uid}}  # type: ignore[dict-item]
        try:
            self._request("DELETE", self._path(reference), body=options)
        except ApiFault as fault:
            if not fault.not_found and not (uid and fault.status == HTTPStatus.CONFLICT):
                raise

    def forget_kinds(self) -> None:
        """Ask again which kinds there are: one was added or removed."""
        with self._lock:
            self._resources.clear()

    def _path(self, reference: Reference) -> str:
        resource = self._resource(reference.kind)
        scope = f"/namespaces/{reference.namespace or 'default'}" if resource.namespaced else ""
        return f"{reference.kind.path}{scope}/{resource.plural}/{reference.name}"

    def _resource(self, kind: Kind) -> _Resource:
        with self._lock:
            known = self._resources.get(kind.api_version, {})
            if kind.kind not in known:
                known = self._resources[kind.api_version] = self._discover(kind)
        if kind.kind not in known:
            raise ApiFault(
                HTTPStatus.NOT_FOUND, f"the API server has no kind {kind.kind} in {kind.api_version}"
            )
        return known[kind.kind]

    def _discover(self, kind: Kind) -> dict[str, _Resource]:
        answer = self._request("GET", kind.path)
        return {
            entry["kind"]: _Resource(entry["name"], entry["namespaced"])
            for entry in answer.get("resources", [])
            if "/" not in entry["name"]
        }

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
            response = self._connected().request(
                verb, path, content=content, params=parameters, headers={"Content-Type": kind}
            )
        except httpx.TransportError as fault:
            raise Unreachable(
                f"the API server at {self._access.server} does not answer: {_one_line(fault)}"
            ) from fault
        if response.is_error:
            raise ApiFault(response.status_code, _message(response))
        answer: Object = response.json()
        return answer

    def _connected(self) -> httpx.Client:
        with self._lock:
            expired = self._expires is not None and dt.datetime.now(dt.UTC) > self._expires
            if self._http is None or expired:
                # A replaced client is left to its last requests.
                self._http, self._expires = _connect(self._access)
            return self._http


def _connect(access: Access) -> tuple[httpx.Client, dt.datetime | None]:
    credential = run_command(access) if access.command else Credential()
    token = credential.token or access.token
    cert = credential.client_cert_pem or access.client_cert_pem
    key = credential.client_key_pem or access.client_key_pem
    client = httpx.Client(
        base_url=access.server,
        verify=_context(access, cert, key),
        headers={"Authorization": f"Bearer {token}"} if token else {},
        proxy=access.proxy_url or None,
        timeout=_TIMEOUT,
        trust_env=False,
        limits=httpx.Limits(max_connections=64),
    )
    if not credential.expires_at:
        return client, None
    expires = dt.datetime.fromisoformat(credential.expires_at)
    return client, expires - dt.timedelta(seconds=_RENEW_S)


def _context(access: Access, cert: str, key: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=access.ca_pem or None)
        if access.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if cert and key:
            # The ssl module takes a client's certificate from a file only.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(f"{cert}\n{key}\n")
                file.flush()
                context.load_cert_chain(file.name)
    except ssl.SSLError as fault:
        raise Refused(f"kubeconfig: its certificates cannot be used: {fault}") from fault
    return context


def _message(response: httpx.Response) -> str:
    try:
        return _one_line(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {_one_line(response.text)}"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
