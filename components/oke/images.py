"""Node images: which one of those the cloud offers for a Kubernetes version fits a kind of node."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

ARM64: Final = "arm64"
AMD64: Final = "amd64"
AMD64_GPU: Final = "amd64-gpu"
KINDS: Final = (ARM64, AMD64, AMD64_GPU)
_SYSTEM: Final = "Oracle-Linux-8"


@dataclass(frozen=True, slots=True)
class Image:
    """One image that the cloud offers."""

    id: str
    name: str
    """For example `Oracle-Linux-8.10-aarch64-2026.01.26-0-OKE-1.36.3-679`."""


def kind_of(arch: str, gpus: int) -> str:
    """The kind of image that a shape needs."""
    return f"{arch}-gpu" if gpus else arch


def newest(images: Iterable[Image], kubernetes_version: str) -> Mapping[str, str]:
    """Id of the newest image of each kind that there is for a Kubernetes version such as v1.36.3."""
    wanted = f"OKE-{kubernetes_version.removeprefix('v')}-"
    found: dict[str, str] = {}
    for image in sorted(images, key=_age):
        if image.name.startswith(_SYSTEM) and wanted in image.name:
            arch = ARM64 if "aarch64" in image.name else AMD64
            found[kind_of(arch, int("GPU" in image.name))] = image.id
    return found


def _age(image: Image) -> tuple[int, ...]:
    """The numbers of a name, so that release 8.10 comes after 8.9."""
    return tuple(int(number) for number in re.findall(r"\d+", image.name))
