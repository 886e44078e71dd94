"""What costs money beside instances: list prices in US dollars per hour.

Disks as the Cluster Autoscaler's price file has them (2026-06-23), hyperdisk by Google's price list
of disks (its capacity; the performance that comes with it is free); NAT and forwarding rules by
Google's price lists of Cloud NAT and of network services.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

CLUSTER: Final = Decimal("0.10")
NAT_PER_MACHINE: Final = Decimal("0.0014")
"""For each machine that uses a gateway."""
NAT_MACHINES: Final = 32
"""Beyond so many, machines are free."""
NAT_ADDRESS: Final = Decimal("0.005")
"""For the external address of a gateway."""
LOAD_BALANCER: Final = Decimal("0.025")
"""A forwarding rule."""

DISKS: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "pd-standard": Decimal("0.04"),
        "pd-balanced": Decimal("0.10"),
        "pd-ssd": Decimal("0.17"),
        "hyperdisk-balanced": Decimal("0.08"),
    }
)
"""Per GiB and month, by type."""
_HOURS_PER_MONTH: Final = 730


def disk(kind: str, gib: int) -> Decimal:
    """Of a disk, per hour."""
    return DISKS[kind] * gib / _HOURS_PER_MONTH
