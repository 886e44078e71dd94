"""Values that only the cloud knows, derived from ids so that the model stays pure.

The emulated API says the true ones; these stand for them in unit tests.
"""

import hashlib
from typing import Final

TIME_CREATED: Final = "2026-01-01 00:00:00 +0000 UTC"
"""In the form of the official provider."""


def ocid(kind: str, name: str) -> str:
    """The id of a resource of that kind and name."""
    return f"ocid1.{kind}.oc1.iad.{digest(name, 20)}"


def digest(text: str, digits: int) -> str:
    """Hexadecimal digits that belong to the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def address(seed: str, network: str = "10.0.0") -> str:
    """A host address in a /24 network."""
    return f"{network}.{int(digest(seed, 4), 16) % 250 + 2}"


def public_address(seed: str) -> str:
    """An address of the range reserved for documentation (RFC 5737)."""
    return address(seed, "192.0.2")
