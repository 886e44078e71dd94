"""How many volumes of the clouds' block storage a machine takes.

Counted as one more amount of pods and nodes, by the name that Kubernetes itself gives the limit of a CSI
driver. A driver that is not here is taken to have no limit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ORACLE: Final = "blockvolume.csi.oraclecloud.com"
GOOGLE: Final = "pd.csi.storage.gke.io"
DRIVERS: Final = (ORACLE, GOOGLE)

_ATTACHMENTS: Final = "attachable-volumes-csi-"
_ON_ORACLE: Final = 32
_ON_SHARED_CORE: Final = 15
_ON_GOOGLE: Final = 127
_SHARED_CORE: Final = frozenset({"e2-micro", "e2-small", "e2-medium"})
_FEWEST: Final = ((2, 3), (4, 7), (8, 15), (96, 31), (192, 63), (384, 127))
_BY_VCPUS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = MappingProxyType(
    {
        "c4": ((2, 7), (4, 15), (24, 31), (48, 63), (96, 127)),
        "c4a": ((2, 7), (8, 15), (48, 31), (72, 63)),
        "c4d": _FEWEST,
        "n4": ((8, 15), (80, 31)),
        "n4a": _FEWEST,
    }
)
"""By series: up to so many vCPUs, so many volumes. The last holds for whatever is larger."""


def attachments(driver: str) -> str:
    """What the volumes of a driver are counted as."""
    return f"{_ATTACHMENTS}{driver}"


def are_attachments(name: str) -> bool:
    """Whether an amount of that name counts volumes."""
    return name.startswith(_ATTACHMENTS)


def limits(machine_type: str, vcpus: int) -> Mapping[str, int]:
    """The most volumes of each driver that a machine takes beside its boot disk.

    Oracle: 32, the boot volume not among them ("Block Volume Capabilities and Limits" in the overview of Block
    Volume), which its driver reports as well (`maxVolumesPerNode` in oci-cloud-controller-manager's
    `pkg/csi/driver/bv_node.go`). Some shapes, A1, E3 and E4 among them, take only 16 that are attached as
    paravirtualized; neither the driver nor the scheduler knows, so classes that ask for that are on their own.

    Google: what its driver reports, the documented limit less the boot disk: 15 for shared cores, 127 for the
    others, and by vCPUs for series that have Hyperdisk only (`GetVolumeLimits` and the tables of
    `pkg/constants` in gcp-compute-persistent-disk-csi-driver; GKE's page on attach limits of persistent
    volumes). N4A is not among the driver's series: the table of the general-purpose machines' page, less one.
    """
    return {attachments(ORACLE): _ON_ORACLE, attachments(GOOGLE): _on_google(machine_type, vcpus)}


def _on_google(machine_type: str, vcpus: int) -> int:
    if machine_type in _SHARED_CORE:
        return _ON_SHARED_CORE
    steps = _BY_VCPUS.get(machine_type.partition("-")[0], ((0, _ON_GOOGLE),))
    return next((most for up_to, most in steps if vcpus <= up_to), steps[-1][1])
