"""What the emulated region offers: domains, services, versions, node images, shapes.

The emulated API answers from the same constants. They are imported where they are used: a plugin
process starts for every provider of a program, and asks the API instead.
"""

from typing import Any, Final

from emulator.oci.account import AVAILABILITY_DOMAINS, COMPARTMENT, REGION, TENANCY
from emulator.plugins.model.derived import ocid

__all__ = ["COMPARTMENT", "REGION"]

_ARCHITECTURES: Final = {"AARCH64": "arm64", "X86_64": "amd64"}


def services() -> list[dict[str, Any]]:
    """Oracle's own services, as a service gateway reaches them."""
    from emulator.oci.store import SERVICES

    return [dict(service) for service in SERVICES]


def availability_domains(compartment_id: str | None) -> list[dict[str, Any]]:
    """The region's availability domains."""
    return [
        {"compartmentId": compartment_id or TENANCY, "id": ocid("availabilitydomain", name), "name": name}
        for name in AVAILABILITY_DOMAINS
    ]


def kubernetes_versions() -> list[str]:
    """Versions on offer, oldest first."""
    from emulator.oci.images import KUBERNETES_VERSIONS

    return list(KUBERNETES_VERSIONS)


def node_sources(version: str | None, architecture: str | None) -> list[dict[str, Any]]:
    """Node images, for a version and an architecture (`AARCH64`, `X86_64`) where they are given."""
    from emulator.oci.images import IMAGES

    arch = _ARCHITECTURES.get(architecture or "")
    return [
        image.json_value()
        for image in IMAGES
        if version in {None, image.kubernetes_version, image.kubernetes_version.removeprefix("v")}
        and arch in {None, image.arch}
    ]


def shapes() -> list[str]:
    """Shapes of the bundled catalog."""
    from catalog.loader import bundled

    return sorted({offering.shape for offering in bundled("oke") if offering.available})
