"""What declared inference nodes are called, on every cloud: pools, labels, taint.

The GPU pools are one whose size is enforced and one whose size belongs to an autoscaler. They are
two resources and not one with a switch: a size that was once ignored stays wrong when it is
enforced again, and the engine calls it unchanged.
"""

from typing import Final

from catalog.names import DOMAIN, ROLE_INFERENCE, ROLE_KEY

FIXED: Final = "gpu-fixed"
AUTOSCALED: Final = "gpu-autoscaled"

POOL_KEY: Final = f"{DOMAIN}/pool"
"""Selected by model pods beside the role, so that a switch of variant moves them before it takes
their nodes away."""


def labels(pool: str) -> dict[str, str]:
    """Labels of the nodes of a GPU pool."""
    return {ROLE_KEY: ROLE_INFERENCE, POOL_KEY: pool}
