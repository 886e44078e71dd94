"""Reads how the model servers are guarded: a token that callers bring, a certificate for https."""

import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from components.guard import Guard
from stacks.reader import Reader

_TOKEN: Final = r"[A-Za-z0-9._~+/=-]{32,512}"  # noqa: S105 - a pattern
_PKCS8: Final = "-----BEGIN PRIVATE KEY-----"


def read_guard(reader: Reader) -> Guard:
    """Read `token` and `tls`; no fault repeats a secret."""
    tls = reader.section("tls")
    guard = Guard(certificate=tls.secret("certificate"), key=tls.secret("key"), token=reader.secret("token"))
    tls.close()
    if guard.token and not re.fullmatch(_TOKEN, guard.token):
        reader.secret_fault(
            "token",
            "must be 32 to 512 letters, digits and . _ ~ + / = -",
            "openssl rand -hex 32 makes one",
        )
    if bool(guard.certificate) != bool(guard.key):
        missing = "key" if guard.certificate else "certificate"
        tls.fault(missing, "", "must be there: a certificate and its key belong together")
    elif guard.certificate:
        _check(guard, tls)
    return guard


def _check(guard: Guard, reader: Reader) -> None:
    """The certificate is one, the key is of the kind that TorchServe reads, and they belong together."""
    try:
        certificate = x509.load_pem_x509_certificates(guard.certificate.encode())[0].public_key()
    except ValueError:
        reader.secret_fault("certificate", "must be PEM, beginning with -----BEGIN CERTIFICATE-----")
        return
    try:
        key = load_pem_private_key(guard.key.encode(), None).public_key()
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPublicKey) or not guard.key.lstrip().startswith(_PKCS8):
        reader.secret_fault(
            "key",
            f"must be an RSA key in PKCS#8, which begins with {_PKCS8}: TorchServe reads no other",
            "openssl pkcs8 -topk8 -nocrypt -in KEY converts one",
        )
    elif key != certificate:
        reader.secret_fault("key", "must be the certificate's")
