"""Node images of the emulated cloud, and which Kubernetes versions it offers."""

from dataclasses import dataclass
from typing import Final

from emulator.oci.errors import invalid
from emulator.oci.shapes import Machine

KUBERNETES_VERSIONS: Final = ("v1.34.1", "v1.35.4", "v1.36.3")
_RELEASE: Final = "8.10-2026.10.20-0"
_BUILD: Final = 1201


@dataclass(frozen=True, slots=True)
class Image:
    """A node image."""

    id: str
    name: str
    kubernetes_version: str
    arch: str
    gpu: bool

    def json_value(self) -> dict[str, str]:
        """As `nodePoolOptions` lists it."""
        return {"sourceType": "IMAGE", "sourceName": self.name, "imageId": self.id}


def _image(version: str, variant: str, arch: str, *, gpu: bool) -> Image:
    number = version.removeprefix("v")
    infix = f"-{variant}" if variant else ""
    return Image(
        id=f"ocid1.image.oc1.iad.oke{number.replace('.', '')}{arch}{'gpu' if gpu else ''}",
        name=f"Oracle-Linux-{_RELEASE.replace('-', infix + '-', 1)}-OKE-{number}-{_BUILD}",
        kubernetes_version=version,
        arch=arch,
        gpu=gpu,
    )


IMAGES: Final = tuple(
    image
    for version in KUBERNETES_VERSIONS
    for image in (
        _image(version, "", "amd64", gpu=False),
        _image(version, "aarch64", "arm64", gpu=False),
        _image(version, "Gen2-GPU", "amd64", gpu=True),
    )
)
"""Names as on OKE: `Oracle-Linux-8.10-aarch64-2026.10.20-0-OKE-1.36.3-1201`."""

_BY_ID: Final = {image.id: image for image in IMAGES}


def check_version(version: str) -> str:
    """The version, when it is offered.

    Raises:
        ApiError: 400 with the versions on offer.
    """
    if version not in KUBERNETES_VERSIONS:
        raise invalid(f"kubernetesVersion: '{version}' is not one of {', '.join(KUBERNETES_VERSIONS)}")
    return version


def check_image(image_id: str, version: str, machine: Machine) -> Image:
    """The image, when nodes of that machine and version can boot from it.

    Raises:
        ApiError: 400 saying what does not go together.
    """
    image = _BY_ID.get(image_id)
    if image is None:
        raise invalid(f"nodeSourceDetails.imageId: '{image_id}' is not a node image of this region")
    if image.kubernetes_version != version:
        raise invalid(
            f"nodeSourceDetails.imageId: {image.name} is for Kubernetes {image.kubernetes_version}, "
            f"the node pool asks for {version}"
        )
    if image.arch != machine.arch:
        raise invalid(
            f"nodeSourceDetails.imageId: {image.name} ({image.arch}) is not compatible with shape "
            f"{machine.shape} ({machine.arch})"
        )
    if image.gpu != (machine.gpus > 0):
        raise invalid(
            f"nodeSourceDetails.imageId: {image.name} is {'' if image.gpu else 'not '}a GPU image and not "
            f"compatible with shape {machine.shape}, which has {machine.gpus} GPUs"
        )
    return image
