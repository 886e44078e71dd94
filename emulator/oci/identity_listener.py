"""The workload-identity listener of one cluster: ServiceAccount tokens in, session tokens out.

The SDK calls `https://$KUBERNETES_SERVICE_HOST:12250/resourcePrincipalSessionTokens`; the port is
fixed, so every cluster gets a loopback address of its own.
"""

import base64
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from emulator.cloud.errors import ApiError
from emulator.oci.certificates import Authority
from emulator.oci.tokens import TokenRefused

PORT: Final = 12250
PATH: Final = "/resourcePrincipalSessionTokens"
LOG: Final = logging.getLogger(__name__)
_ADDRESSES: Final = 254
_TIMEOUT_S: Final = 10
_LONGEST_BODY: Final = 65536

Exchange = Callable[[str, str], str]
"""From a ServiceAccount token and the pod's public key (base64 DER) to a session token.

Raises TokenRefused for a token that is not of this cluster, ApiError when the service is in trouble.
"""


class Listener:
    """Serves token exchange on an address of its own until it is closed."""

    def __init__(self, authority: Authority, exchange: Exchange, network: str) -> None:
        """Take the first free address of `network`, the first three octets of a loopback network.

        Raises:
            OSError: every address of it is taken.
        """
        self._server = _bind(network, exchange)
        self.host: Final = str(self._server.server_address[0])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.serve(self.host))
        # The handshake is the handler thread's: a client that stalls must not block the others.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, name=f"identity {self.host}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    exchange: Exchange

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature is the base class's
        LOG.debug("identity listener: a connection broke off")


class _Handler(BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if self.path != PATH or length > _LONGEST_BODY:
            self._answer(404, "not found")
            return
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        try:
            pod_key = str(json.loads(self.rfile.read(length))["podKey"])
        except (ValueError, KeyError, TypeError):
            self._answer(400, "podKey is missing")
            return
        if scheme.lower() != "bearer" or not token:
            self._answer(401, "a bearer token is required")
            return
        try:
            session = self.server.exchange(token, pod_key)
        except TokenRefused as refusal:
            LOG.warning("identity listener: %s", refusal)
            self._answer(401, str(refusal))
            return
        except ApiError as trouble:
            self._answer(trouble.status, json.dumps({"code": trouble.code, "message": trouble.message}))
            return
        except Exception:
            LOG.exception("identity listener")
            self._answer(500, "internal error")
            return
        self._answer(200, base64.b64encode(json.dumps({"token": f"ST${session}"}).encode()).decode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        LOG.debug(format, *args)

    def _answer(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _bind(network: str, exchange: Exchange) -> _Server:
    refusal: OSError | None = None
    for last in range(1, _ADDRESSES + 1):
        host = f"{network}.{last}"
        try:
            _check_alone(host)
            server = _Server((host, PORT), _Handler)
        except OSError as fault:
            refusal = fault
            continue
        server.exchange = exchange
        return server
    raise OSError(f"no free address in {network}.0/24 for the identity listener on port {PORT}: {refusal}")


def _check_alone(host: str) -> None:
    """Someone who listens on all addresses would not stop us from binding one of them."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, PORT)) == 0:
            raise OSError(f"{host}:{PORT} is in use")
