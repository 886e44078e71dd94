"""The Compute Engine API of what there is: regions, zones, machine types, GPUs, quotas."""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from catalog.accelerators import ACCELERATORS
from catalog.offering import Offering
from emulator.cloud.http import Answer
from emulator.gcp import account, machines
from emulator.gcp.account import COMPUTE_URL, DEFAULT_NODES, PROJECT, region_of
from emulator.gcp.errors import resource_not_found
from emulator.gcp.group_api import BASE, aggregated, check_zone
from emulator.gcp.group_json import zone_url
from emulator.gcp.http import Call, Endpoint, page
from emulator.gcp.state import number_of
from emulator.gcp.world import World

_CREATED: Final = "1969-12-31T16:00:00.000-08:00"
"""What the API says of everything that was always there."""
_MIB_PER_GIB: Final = 1024
_SHARED: Final = ("e2-micro", "e2-small", "e2-medium")
_Shown = dict[str, Any]


class PlacesApi:
    """The operations; all of them only show."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        zone = f"{BASE}/zones/{{zone}}"
        yield Endpoint("GET", BASE, self._project, "compute.projects.get")
        yield Endpoint("GET", f"{BASE}/regions", self._list_regions, "compute.regions.list")
        yield Endpoint("GET", f"{BASE}/regions/{{region}}", self._get_region, "compute.regions.get")
        yield Endpoint("GET", f"{BASE}/zones", _list_zones, "compute.zones.list")
        yield Endpoint(
            "GET", zone, lambda call: Answer(_zone(check_zone(call.parameters["zone"]))), "compute.zones.get"
        )
        for kind, sold in (("machineTypes", self._machine_types), ("acceleratorTypes", self._accelerators)):
            yield from _sold(kind, sold)

    def _project(self, _call: Call) -> Answer:
        return Answer(
            {
                "kind": "compute#project",
                "id": account.PROJECT_NUMBER,
                "creationTimestamp": _CREATED,
                "name": PROJECT,
                "quotas": self._world.limits().of_project(self._world.running()),
                "selfLink": f"{COMPUTE_URL}/projects/{PROJECT}",
                "defaultServiceAccount": DEFAULT_NODES,
                "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
                "defaultNetworkTier": "PREMIUM",
                "vmDnsSetting": "ZONAL_ONLY",
            }
        )

    def _list_regions(self, call: Call) -> Answer:
        return page(
            [self._region(name) for name in account.regions()], call, "items", kind="compute#regionList"
        )

    def _get_region(self, call: Call) -> Answer:
        name = call.parameters["region"]
        if name not in account.regions():
            raise resource_not_found(f"projects/{PROJECT}/regions/{name}")
        return Answer(self._region(name))

    def _region(self, name: str) -> _Shown:
        return {
            "kind": "compute#region",
            "id": number_of(name),
            "creationTimestamp": _CREATED,
            "name": name,
            "description": name,
            "status": "UP",
            "zones": [zone_url(zone) for zone in account.regions()[name]],
            "quotas": self._world.limits().of_region(name, self._world.running()),
            "selfLink": f"{COMPUTE_URL}/projects/{PROJECT}/regions/{name}",
        }

    def _machine_types(self, zone: str) -> list[_Shown]:
        """A machine type that takes GPUs is one for all numbers of them."""
        found: dict[str, Offering] = {}
        for row in self._world.machines.sold_in(zone):
            before = found.get(row.machine_type)
            if before is None or row.gpus < before.gpus:
                found[row.machine_type] = row
        return [_machine_type(row, zone) for row in found.values()]

    def _accelerators(self, zone: str) -> list[_Shown]:
        models = {row.gpu_model for row in self._world.machines.sold_in(zone) if row.gpus}
        return [_accelerator(model, zone) for model in sorted(models)]


def _sold(kind: str, sold: Callable[[str], list[_Shown]]) -> Iterator[Endpoint]:
    """List, get and aggregated list of what is sold in zones."""
    base, may = f"{BASE}/zones/{{zone}}/{kind}", f"compute.{kind}"

    def listed(call: Call) -> Answer:
        return page(sold(check_zone(call.parameters["zone"])), call, "items", kind=f"compute#{kind[:-1]}List")

    def one(call: Call) -> Answer:
        zone, name = check_zone(call.parameters["zone"]), call.parameters["name"]
        for value in sold(zone):
            if value["name"] == name:
                return Answer(value)
        raise resource_not_found(f"projects/{PROJECT}/zones/{zone}/{kind}/{name}")

    def everywhere(call: Call) -> Answer:
        zones = [zone for zones in account.regions().values() for zone in zones]
        return aggregated([(zone, value) for zone in zones for value in sold(zone)], kind, call)

    yield Endpoint("GET", base, listed, f"{may}.list")
    yield Endpoint("GET", f"{base}/{{name}}", one, f"{may}.get")
    yield Endpoint("GET", f"{BASE}/aggregated/{kind}", everywhere, f"{may}.list")


def _list_zones(call: Call) -> Answer:
    zones = [zone for zones in account.regions().values() for zone in zones]
    return page([_zone(zone) for zone in zones], call, "items", kind="compute#zoneList")


def _zone(name: str) -> _Shown:
    return {
        "kind": "compute#zone",
        "id": number_of(name),
        "creationTimestamp": _CREATED,
        "name": name,
        "description": name,
        "status": "UP",
        "region": f"{COMPUTE_URL}/projects/{PROJECT}/regions/{region_of(name)}",
        "selfLink": zone_url(name),
    }


def _machine_type(row: Offering, zone: str) -> _Shown:
    gib = row.memory_gib or 0
    shown: _Shown = {
        "kind": "compute#machineType",
        "id": number_of(row.machine_type),
        "creationTimestamp": _CREATED,
        "name": row.machine_type,
        "description": f"{row.vcpus_of()} vCPUs, {gib} GB RAM",
        "guestCpus": row.vcpus_of(),
        "memoryMb": math.floor(gib * _MIB_PER_GIB),
        "architecture": "ARM64" if row.arch == "arm64" else "X86_64",
        "isSharedCpu": row.machine_type in _SHARED,
        "zone": zone,
        "selfLink": f"{zone_url(zone)}/machineTypes/{row.machine_type}",
    }
    if row.gpus:
        kind = ACCELERATORS[row.gpu_model]
        shown["accelerators"] = [{"guestAcceleratorType": kind, "guestAcceleratorCount": row.gpus}]
    return shown


def _accelerator(model: str, zone: str) -> _Shown:
    name = ACCELERATORS[model]
    return {
        "kind": "compute#acceleratorType",
        "id": number_of(name),
        "creationTimestamp": _CREATED,
        "name": name,
        "description": f"NVIDIA {model}",
        "maximumCardsPerInstance": machines.MOST_GPUS,
        "zone": zone_url(zone),
        "selfLink": f"{zone_url(zone)}/acceleratorTypes/{name}",
    }
