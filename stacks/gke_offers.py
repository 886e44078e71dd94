"""What Google Cloud offers a project, asked through the engine before anything is declared."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pulumi_gcp as gcp

from stacks.faults import Fault, StackError, closest
from stacks.project import Project
from stacks.questions import ask as ask_cloud
from stacks.settings import Settings

_ask: Final = partial(ask_cloud, "project", "project")


@dataclass(frozen=True, slots=True)
class Offers:
    """The part of the offers that this stack can use."""

    kubernetes_version: str
    """In full; empty: the release channel decides, now and later."""
    zones: tuple[str, ...]
    """Of the region, those that are up."""


def ask(settings: Settings, project: Project) -> Offers:
    """Ask the cloud.

    Raises:
        StackError: when it does not answer, or does not offer what the settings name.
    """
    region = settings.region
    zones = _ask(
        f"zones of {region}",
        lambda: gcp.compute.get_zones(project=project.id, region=region, status="UP"),
    )
    if not zones.names:
        raise StackError([Fault("region", region, "has no zones", "gcloud compute regions list prints all")])
    _check_zones(project, zones.names)
    _check_network(settings, project)
    versions = _ask(
        "Kubernetes versions",
        lambda: gcp.container.get_engine_versions(
            project=project.id, location=(project.zones or zones.names)[0]
        ),
    )
    return Offers(_version(settings, versions), tuple(sorted(zones.names)))


def _check_zones(project: Project, there: Sequence[str]) -> None:
    faults = [
        Fault(f"zones[{index}]", zone, "is not a zone that is up", f"there are: {', '.join(sorted(there))}")
        for index, zone in enumerate(project.zones)
        if zone not in there
    ]
    if faults:
        raise StackError(faults)


def _check_network(settings: Settings, project: Project) -> None:
    """What is named as existing has to exist, with the ranges that are named."""
    wanted = project.network
    if wanted.name:
        _ask(f"network {wanted.name}", lambda: gcp.compute.get_network(name=wanted.name, project=project.id))
    if not wanted.subnetwork:
        return
    found = _ask(
        f"subnetwork {wanted.subnetwork}",
        lambda: gcp.compute.get_subnetwork(
            name=wanted.subnetwork, region=settings.region, project=project.id
        ),
    )
    ranges = [each.range_name for each in found.secondary_ip_ranges]
    faults = [
        Fault(
            f"network.{key}",
            name,
            f"is not a secondary range of subnetwork '{wanted.subnetwork}'",
            closest(name, ranges) or f"there are: {', '.join(ranges) or 'none'}",
        )
        for key, name in (("podsRange", wanted.pods_range), ("servicesRange", wanted.services_range))
        if name not in ranges
    ]
    if faults:
        raise StackError(faults)


def _version(settings: Settings, versions: Any) -> str:
    """The newest of what is wished for, in full."""
    wanted = settings.kubernetes_version
    if not wanted:
        return ""
    offered: list[str] = versions.valid_master_versions
    found = [one for one in offered if one == wanted or one.startswith((f"{wanted}.", f"{wanted}-"))]
    if found:
        return max(found, key=_ordinal)
    known = closest(wanted, offered) or f"offered: {', '.join(offered) or 'none'}"
    raise StackError([Fault("kubernetesVersion", wanted, "is not offered", known)])


def _ordinal(version: str) -> tuple[int, ...]:
    """`1.36.3-gke.1092000` as numbers."""
    return tuple(int(part) for part in version.replace("-gke", "").split(".") if part.isdigit())
