"""OCIDs of emulated resources: unique in a cloud's life, reproducible from its seed."""

import hashlib
import itertools
from typing import Final

_UNIQUE_DIGITS: Final = 20


class Ids:
    """Gives out ids; safe to call from any thread."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counter = itertools.count(1)

    def next(self, kind: str) -> str:
        """A new OCID, for example `ocid1.cluster.oc1.iad.3f…`."""
        return f"ocid1.{kind}.oc1.iad.{self.token()}"

    def token(self, digits: int = _UNIQUE_DIGITS) -> str:
        """New hexadecimal digits, at most 64."""
        text = f"{self._seed}/{next(self._counter)}"
        return hashlib.sha256(text.encode()).hexdigest()[:digits]


def unique_part(ocid: str) -> str:
    """The part of an OCID that no other resource has."""
    return ocid.rsplit(".", 1)[-1]
