"""By which settings a pool was made: a hash of its order, without what differs between pools of equal settings."""

import hashlib
import json
from typing import Any

from provisioner.core.pools import PoolSpec


def made_by(order: Any) -> str:
    """Eight hexadecimal digits that tell the settings of an order, as plain values, from all others."""
    return _digest(json.dumps(order, sort_keys=True, default=str))


def identity(spec: PoolSpec, settings: str) -> str:
    """Eight digits for a name: what its nodes are, and by which settings they are made."""
    return _digest(f"{spec.digest}/{settings}") if settings else spec.digest


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
