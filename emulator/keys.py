"""Dummy credentials of the emulated account, new at every start."""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API signing key; worth nothing outside the emulator."""

    private_pem: str
    fingerprint: str


def generate() -> ApiKey:
    """A new key with its fingerprint in OCI's form, `aa:bb:…`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashlib.md5(public, usedforsecurity=False).hexdigest()
    return ApiKey(private.decode(), ":".join(digest[place : place + 2] for place in range(0, 32, 2)))
