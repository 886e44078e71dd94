"""Session tokens of workloads: issued by the identity listener, checked by the APIs.

A token is a JWT that names the workload and holds the public key with which the SDK's requests are
signed, as a resource principal session token does.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from emulator.oci import account
from emulator.oci.principal import Workload

LIFETIME_S: Final = 1200
_PADDING: Final = padding.PKCS1v15()
_KEY_BITS: Final = 2048


class TokenRefused(Exception):
    """A token or a signature that the cloud does not accept; the message says why."""


class Tokens:
    """Issues and checks session tokens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: rsa.RSAPrivateKey | None = None

    @property
    def _key(self) -> rsa.RSAPrivateKey:
        """Made when the first workload asks: it takes a while, and not every cloud has one."""
        with self._lock:
            if self._made is None:
                self._made = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
            return self._made

    def issue(self, workload: Workload, pod_key: str, now: float) -> str:
        """A token for a workload whose requests will be signed with the private half of `pod_key`.

        Raises:
            TokenRefused: the key is none.
        """
        _public_key(pod_key)
        claims = {
            "iss": "authService.oracle.com",
            "sub": workload.cluster_id,
            "aud": "oci",
            "ptype": "resource",
            "ttype": "res_sp",
            "res_type": "workload",
            "res_tenant": account.TENANCY,
            "res_compartment": account.COMPARTMENT,
            "cluster_id": workload.cluster_id,
            "namespace": workload.namespace,
            "service_account": workload.service_account,
            "iat": int(now),
            "exp": int(now) + LIFETIME_S,
            "pod_key": pod_key,
        }
        head = _encode(json.dumps({"alg": "RS256", "typ": "JWT", "kid": "emulated"}).encode())
        text = f"{head}.{_encode(json.dumps(claims).encode())}"
        return f"{text}.{_encode(self._key.sign(text.encode(), _PADDING, hashes.SHA256()))}"

    def read(self, token: str, now: float) -> Mapping[str, Any]:
        """The claims of a token of ours that has not expired.

        Raises:
            TokenRefused: saying why.
        """
        text, _, signature = token.rpartition(".")
        try:
            self._key.public_key().verify(_decode(signature), text.encode(), _PADDING, hashes.SHA256())
            claims: dict[str, Any] = json.loads(_decode(text.split(".")[1]))
        except (InvalidSignature, ValueError, IndexError):
            raise TokenRefused("the session token is not one of this cloud") from None
        if claims["exp"] < now:
            raise TokenRefused("the session token has expired")
        return claims


def workload_of(claims: Mapping[str, Any]) -> Workload:
    """Whom the token was issued to."""
    return Workload(str(claims["cluster_id"]), str(claims["namespace"]), str(claims["service_account"]))


def check_signature(pod_key: str, signed: str, signature: str) -> None:
    """Check a request's signature against the token's key.

    Raises:
        TokenRefused: it was made with another key, or for another request.
    """
    try:
        _public_key(pod_key).verify(base64.b64decode(signature), signed.encode(), _PADDING, hashes.SHA256())
    except (InvalidSignature, ValueError):
        raise TokenRefused("the request's signature does not fit the session token") from None


def check_body(body: bytes, digest: str) -> None:
    """Check a request's body against its signed digest.

    Raises:
        TokenRefused: the body is another one.
    """
    if base64.b64encode(hashlib.sha256(body).digest()).decode() != digest:
        raise TokenRefused("x-content-sha256 does not fit the request's body")


def _public_key(pod_key: str) -> rsa.RSAPublicKey:
    try:
        key = serialization.load_der_public_key(base64.b64decode(pod_key))
    except ValueError:
        raise TokenRefused("podKey is not a public key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise TokenRefused("podKey is not an RSA key")
    return key


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
