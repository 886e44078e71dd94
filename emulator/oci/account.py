"""The emulated account: one tenancy, one compartment, one user, three availability domains."""

from typing import Final

TENANCY: Final = "ocid1.tenancy.oc1..emulated"
COMPARTMENT: Final = "ocid1.compartment.oc1..emulated"
COMPARTMENT_NAME: Final = "emulated"
USER: Final = "ocid1.user.oc1..emulated"
NAMESPACE: Final = "emulated"
"""Of the tenancy, in the names of its images."""
REGION: Final = "us-ashburn-1"
REGION_LABEL: Final = "iad"
"""What the cloud controller manager writes to `topology.kubernetes.io/region` in this region."""
AVAILABILITY_DOMAINS: Final = tuple(f"EMUL:US-ASHBURN-AD-{number}" for number in (1, 2, 3))
FAULT_DOMAINS: Final = tuple(f"FAULT-DOMAIN-{number}" for number in (1, 2, 3))
SERVICE_LIMIT: Final = 1000
"""Of OCPUs, GB of memory and GPUs of each series of shapes, in each availability domain."""


def zone_of(availability_domain: str) -> str:
    """Value of `topology.kubernetes.io/zone`: the domain without the tenancy's prefix."""
    return availability_domain.rsplit(":", 1)[-1]
