"""By which settings a pool was made: a hash of its order, without what differs between pools of equal settings."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from provisioner.core.pools import PoolSpec
from provisioner.drivers.contract import Denied

SETTINGS_TAG: Final = "rightsize-settings"
"""The tag by which a pool says it."""


def digest(order: Any) -> str:
    """Eight hexadecimal digits that tell the settings of an order, as plain values, from all others."""
    return _hash(json.dumps(order, sort_keys=True, default=str))


def identity(spec: PoolSpec, settings: str) -> str:
    """Eight digits for a name: what its nodes are, and by which settings they are made."""
    return _hash(f"{spec.digest}/{settings}")


def is_outdated(said: str | None, today: Callable[[], str]) -> bool:
    """Whether a pool was made by other settings than today's.

    One that does not say is not, nor is one that could not be made at all today.
    """
    try:
        return said is not None and said != today()
    except Denied:
        return False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
