"""How the settings are written for each cloud: forms of names, defaults, and the keys it has."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from catalog.offering import Offering
from stacks.compartment import Compartment, read_compartment
from stacks.project import Project, place_of, read_project, sold_in
from stacks.reader import Reader

OKE: Final = "oke"
GKE: Final = "gke"
Site = Compartment | Project


@dataclass(frozen=True, slots=True)
class Dialect:
    """One cloud's way."""

    cloud: str
    place: str
    """Key that says where to build, and thereby on which cloud."""
    read_site: Callable[[Reader, str], Site]
    sold: Callable[[tuple[Offering, ...], str, Any], tuple[Offering, ...]]
    """The part of the catalog that is for a region and a site."""
    where: Callable[[str, Any], str]
    """That place in words."""
    region_pattern: str
    region_example: str
    version_pattern: str
    version_example: str
    gpu_shape: str
    management_shape: str
    management_size: tuple[int, int] | None
    """Default OCPUs and GiB of a flexible shape; none where sizes are part of the shape's name."""
    has_domains: bool
    """Whether GPU pools are placed by availability domain."""
    channels: tuple[str, ...]
    """Release channels of Kubernetes, the default one first; none where a version is all there is."""
    streams_images: bool
    """Whether nodes can start a container before all of its image is there."""
    has_dns_endpoint: bool
    """Whether the API server can be reached by a name that IAM guards."""


def _everywhere(offerings: tuple[Offering, ...], _region: str, _site: Any) -> tuple[Offering, ...]:
    """Oracle sells the same at the same price in all of its commercial regions."""
    return offerings


def _region(region: str, _site: Any) -> str:
    return region


DIALECTS: Final = MappingProxyType(
    {
        OKE: Dialect(
            cloud=OKE,
            place="compartment",
            read_site=read_compartment,
            sold=_everywhere,
            where=_region,
            region_pattern=r"[a-z]+(-[a-z]+)+-\d+",
            region_example="us-ashburn-1",
            version_pattern=r"v\d+\.\d+\.\d+",
            version_example="v1.36.3",
            gpu_shape="VM.GPU2.1",
            management_shape="VM.Standard.A1.Flex",
            management_size=(2, 32),
            has_domains=True,
            channels=(),
            has_dns_endpoint=False,
            streams_images=False,
        ),
        GKE: Dialect(
            cloud=GKE,
            place="project",
            read_site=read_project,
            sold=sold_in,
            where=place_of,
            region_pattern=r"[a-z]+-[a-z]+\d+",
            region_example="us-central1",
            version_pattern=r"\d+\.\d+(\.\d+(-gke\.\d+)?)?",
            version_example="1.36 or 1.36.3-gke.1092000",
            gpu_shape="n1-standard-2+t4x1",
            management_shape="t2a-standard-2",
            management_size=None,
            has_domains=False,
            channels=("REGULAR", "RAPID", "STABLE", "EXTENDED"),
            has_dns_endpoint=True,
            streams_images=True,
        ),
    }
)


def dialect_of(reader: Reader) -> Dialect:
    """The dialect of the cloud whose place is named; of both, or of none, is a fault.

    Where no place is named the region tells which one is meant.
    """
    named = [dialect for dialect in DIALECTS.values() if reader.has(dialect.place)]
    if len(named) > 1:
        first, second = (dialect.place for dialect in named)
        reader.fault(
            second,
            reader.peek(second),
            f"must not be set beside {first}: a stack is on one cloud",
            "empty one",
        )
    if named:
        return named[0]
    region = str(reader.peek("region"))
    near = (dialect for dialect in DIALECTS.values() if re.fullmatch(dialect.region_pattern, region))
    return next(near, DIALECTS[OKE])
