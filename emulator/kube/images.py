"""Which container images run as local processes, and how; everything else is kwok's.

A row an image: another service is one more row.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from catalog.names import IMAGE_PROVISIONER

_TAG_OR_DIGEST: Final = r"(:[^/@]+)?(@.+)?$"


@dataclass(frozen=True, slots=True)
class Locality:
    """Where a container's process lives on this machine."""

    address: str
    """The one address it may listen on."""
    paths: Mapping[str, Path]
    """Real folder of each path that it sees."""


def _unchanged(text: str, _here: Locality) -> str:
    return text


@dataclass(frozen=True, slots=True)
class ProcessImage:
    """An image whose container the emulator runs as a process of this machine."""

    repository: str
    """Without registry, tag and digest: `rightsize/provisioner`."""
    command: Callable[[Sequence[str]], Sequence[str]]
    """The command line for a container's `args`; stands for the image's entrypoint."""
    program: str = ""
    """Name of the entrypoint: a pod may give it as its `command`, and no other."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The image's environment variables."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Real folder of each folder of the image that its configuration may name."""
    slow_start: bool = False
    """Whether its start takes so much CPU that few may start at a time: nodes have cores of their own, here
    they share the machine's, and those that serve have to go on."""
    localise: Callable[[str, Locality], str] = _unchanged
    """A mounted configuration file, for a process that shares the machine's network and files."""


def python_module(module: str) -> Callable[[Sequence[str]], Sequence[str]]:
    """The command line of a module of this project."""
    return lambda args: (sys.executable, "-m", module, *args)


PROCESS_IMAGES: Final = (ProcessImage(IMAGE_PROVISIONER, python_module("provisioner")),)


def pattern(repository: str) -> str:
    """Regular expression of the images of this repository: any registry, tag or digest.

    It keeps to what Python's and kwok's (Go's) engines agree on.
    """
    return f"(^|/){repository.replace('.', '[.]')}{_TAG_OR_DIGEST}"


def is_of(image: str, repository: str) -> bool:
    """Whether an image reference names this repository."""
    return re.search(pattern(repository), image) is not None


def process_image(image: str, known: Sequence[ProcessImage]) -> ProcessImage | None:
    """The row for an image reference, None when kwok runs it."""
    return next((row for row in known if is_of(image, row.repository)), None)
