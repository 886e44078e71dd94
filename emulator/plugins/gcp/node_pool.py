"""Node pools of clusters."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from emulator.plugins import differences
from emulator.plugins.gcp.api import COMPUTE, CONTAINER
from emulator.plugins.gcp.container_rows import BORN_WITH, NODE_POOL
from emulator.plugins.gcp.handler import GoogleHandler, touches
from emulator.plugins.gcp.orders import making, order, settled
from emulator.plugins.gcp.rows import alike, to_api, to_pulumi
from emulator.plugins.model import id_of
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.paths import Path
from emulator.plugins.provider import Change, Request
from emulator.plugins.rest.api import Api
from emulator.plugins.rest.handler import HalfMade, unforgotten
from emulator.plugins.values import Properties

_GROUP: Final = re.compile(r"projects/[^/]+/zones/[^/]+/instanceGroupManagers/[^/]+$")
_COUNTS: Final = ("initialNodeCount", "nodeCount")
_COMING: Final = frozenset({"PROVISIONING", "STATUS_UNSPECIFIED"})
_SICK: Final = frozenset({"ERROR", "RUNNING_WITH_ERROR"})
_GOOGLES_OWN: Final = "goog-"
"""What labels begin with that the cloud puts on by itself."""

Body = Callable[[Properties], Properties]
"""From a pool as the API takes it to the body of one change."""


def _picked(*names: str) -> Body:
    """Fields of the configuration, under their own names."""
    return lambda pool: {name: pool["config"][name] for name in names if name in pool["config"]}


def _wrapped(name: str, inner: str, empty: Callable[[], Any]) -> Body:
    """A field of the configuration, wrapped as the request has it."""
    return lambda pool: {name: {inner: pool["config"].get(name, empty())}}


_CHANGES: Final[tuple[tuple[tuple[str, ...], Body], ...]] = (
    (
        ("nodeConfig.diskSizeGb", "nodeConfig.diskType", "nodeConfig.machineType"),
        _picked("diskSizeGb", "diskType", "machineType"),
    ),
    (("nodeConfig.imageType",), _picked("imageType")),
    (("nodeConfig.fastSocket",), _picked("fastSocket")),
    (("nodeConfig.loggingVariant",), _picked("loggingConfig")),
    (("nodeConfig.workloadMetadataConfig",), _picked("workloadMetadataConfig")),
    (("nodeConfig.taintConfig",), _picked("taintConfig")),
    (("nodeConfig.labels",), _wrapped("labels", "labels", dict)),
    (("nodeConfig.resourceLabels",), _wrapped("resourceLabels", "labels", dict)),
    (("nodeConfig.tags",), _wrapped("tags", "tags", list)),
    (("nodeConfig.taints",), _wrapped("taints", "taints", list)),
    (("nodeLocations",), lambda pool: {"locations": pool["locations"]}),
    (("upgradeSettings",), lambda pool: {"upgradeSettings": pool.get("upgradeSettings", {})}),
    (("version",), lambda pool: {"nodeVersion": pool.get("version", "-")}),
    (
        ("networkConfig.enablePrivateNodes",),
        lambda pool: {"nodeNetworkConfig": {"enablePrivateNodes": _private(pool)}},
    ),
)
"""Updates of a pool, each with the properties that ask for it; the API takes one after the other."""


class NodePoolHandler(GoogleHandler):
    """Node pools."""

    named = True
    unique_name = True
    rows = NODE_POOL
    places = ("project", "location")
    own = ("cluster", "ignoreNodeCountChanges", "location", "nodeCount")
    owners = frozenset({"labels", "resourceLabels"})
    replaced_by = (
        "cluster",
        "initialNodeCount",
        "location",
        "maxPodsPerNode",
        "name",
        "networkConfig.createPodRange",
        "networkConfig.podIpv4CidrBlock",
        "networkConfig.podRange",
        "placementPolicy",
        "project",
        "queuedProvisioning",
        *BORN_WITH,
    )

    def faults(self, inputs: Properties) -> tuple[tuple[str, str], ...]:
        """Also: both counts say how many nodes there are at first."""
        found = super().faults(inputs)
        if all(inputs.get(name) is not None for name in _COUNTS):
            return (*found, ("nodeCount", "cannot be given together with initialNodeCount; leave one out"))
        return found

    def changes(self, change: Change) -> tuple[differences.Change, ...]:
        """What changed; counts are left alone where the program says so."""
        found = super().changes(change)
        if not change.inputs.get("ignoreNodeCountChanges"):
            return found
        return tuple(one for one in found if one.path[0] not in _COUNTS)

    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Order it and wait until its nodes are there."""
        resource_id = id_of(request.token, inputs, request.name)
        body = {"nodePool": {"name": inputs["name"], **_body(inputs)}}
        making(api, request, resource_id, resource_id.rpartition("/")[0], body)
        with unforgotten(resource_id):
            _settle(api, request, resource_id)
        return resource_id

    def read(self, api: Api, resource_id: str) -> Properties:
        """Show it, with the size that its instance groups have."""
        live = api.get(f"{CONTAINER}/{resource_id}")
        told = to_pulumi(live, {**self.rows, **alike("instanceGroupUrls", "name")})
        if not (live.get("autoscaling") or {}).get("enabled"):
            told.pop("autoscaling", None)
        config = told.setdefault("nodeConfig", {})
        config["effectiveTaints"] = config.pop("taints", [])
        for name in self.owners & set(config):
            kept = config[name].items()
            config[name] = {key: value for key, value in kept if not key.startswith(_GOOGLES_OWN)}
        _, project, _, location, _, cluster, *_ = resource_id.split("/")
        place = {"project": project, "location": location, "cluster": cluster}
        return {**told, **_size(api, live), **place}

    def read_back(self, inputs: Properties, shown: Properties) -> Properties:
        """As the program would say it; of taints and metadata, only its own."""
        said, there = inputs.get("nodeConfig") or {}, shown["nodeConfig"]
        config = {
            **there,
            "taints": [taint for taint in said.get("taints") or [] if taint in there["effectiveTaints"]],
            "metadata": {
                key: value
                for key, value in there.get("metadata", {}).items()
                if key in (said.get("metadata") or {})
            },
        }
        return super().read_back(inputs, {**shown, "nodeConfig": config})

    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change what changed, one thing after the other."""
        paths = [one.path for one in self.changes(change)]
        for method, path, body in _updates(request.id, _body(change.inputs), paths):
            order(api, request, method, path, body)
        _settle(api, request, request.id)

    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it, and wait until its nodes are gone."""
        del state
        order(api, request, "DELETE", request.id)


def _body(inputs: Properties) -> Properties:
    """The pool as the API takes it; a size that is enforced is the first one too."""
    told = to_api(inputs, NODE_POOL)
    if inputs.get("nodeCount") is not None:
        told["initialNodeCount"] = inputs["nodeCount"]
    told["autoscaling"] = {"enabled": inputs.get("autoscaling") is not None, **told.get("autoscaling", {})}
    told.setdefault("config", {})
    return told


def _updates(resource_id: str, pool: Properties, paths: list[Path]) -> Iterator[tuple[str, str, Properties]]:
    """One call for each thing that changed."""
    if touches(paths, "autoscaling"):
        yield "POST", f"{resource_id}:setAutoscaling", {"autoscaling": pool["autoscaling"]}
    if touches(paths, "management"):
        yield "POST", f"{resource_id}:setManagement", {"management": pool.get("management", {})}
    for names, body in _CHANGES:
        told = body(pool) if touches(paths, *names) else {}
        if told:
            yield "PUT", resource_id, told
    if touches(paths, "nodeCount"):
        yield "POST", f"{resource_id}:setSize", {"nodeCount": pool.get("initialNodeCount", 0)}


def _private(pool: Properties) -> bool:
    return bool(pool.get("networkConfig", {}).get("enablePrivateNodes"))


def _settle(api: Api, request: Request, resource_id: str) -> None:
    """Wait until it has its nodes.

    Raises:
        HalfMade: it has come to rest without them.
    """
    live = settled(api, request, resource_id, "node pool", _COMING)
    if live["status"] in _SICK:
        said = live.get("statusMessage", "")
        raise HalfMade(resource_id, f"node pool {last(resource_id)} is {live['status']}: {said}")


def _size(api: Api, live: Mapping[str, Any]) -> Properties:
    """Nodes of each zone on average, and the groups, which the Compute Engine API knows."""
    paths = [found.group() for url in live.get("instanceGroupUrls", []) if (found := _GROUP.search(url))]
    managers = [api.get(f"{COMPUTE}/{path}") for path in paths]
    total = sum(int(manager.get("targetSize", 0)) for manager in managers)
    return {
        "managedInstanceGroupUrls": [str(manager["instanceGroup"]) for manager in managers],
        "nodeCount": total // len(managers) if managers else 0,
    }
