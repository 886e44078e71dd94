"""The `gcp` provider: keeps nothing, everything stands in the emulated cloud."""
# ruff: noqa: D102 -- the methods are described where they are declared

from collections.abc import Mapping
from typing import Final

from emulator.plugins.gcp.api import GoogleApi
from emulator.plugins.gcp.cluster import ClusterHandler
from emulator.plugins.gcp.functions import FUNCTIONS
from emulator.plugins.gcp.handler import GoogleHandler
from emulator.plugins.gcp.identity import AccountHandler, CustomRoleHandler, MemberHandler
from emulator.plugins.gcp.network import NETWORK, ROUTER, RouterNatHandler, SubnetworkHandler
from emulator.plugins.gcp.node_pool import NodePoolHandler
from emulator.plugins.gcp.registry import RepositoryHandler
from emulator.plugins.gcp.settings import Settings
from emulator.plugins.provider import Refused, Request
from emulator.plugins.rest.provider import RestProvider
from emulator.plugins.values import Properties

HANDLERS: Final[Mapping[str, GoogleHandler]] = {
    "gcp:compute/network:Network": NETWORK,
    "gcp:compute/subnetwork:Subnetwork": SubnetworkHandler(),
    "gcp:compute/router:Router": ROUTER,
    "gcp:compute/routerNat:RouterNat": RouterNatHandler(),
    "gcp:serviceaccount/account:Account": AccountHandler(),
    "gcp:serviceaccount/iAMMember:IAMMember": MemberHandler("serviceAccountId"),
    "gcp:projects/iAMMember:IAMMember": MemberHandler("project", "projects/"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": CustomRoleHandler(),
    "gcp:artifactregistry/repository:Repository": RepositoryHandler(),
    "gcp:container/cluster:Cluster": ClusterHandler(),
    "gcp:container/nodePool:NodePool": NodePoolHandler(),
}
"""By token; what replaces a resource is what Google's provider says cannot be updated."""
_EVERYWHERE: Final = ("project", "region", "location")
"""Arguments of functions that the provider itself may give."""


class GcpProvider(RestProvider):
    """All provider resources speak to the one emulated account of the emulator's home."""

    name = "gcp"
    handlers = HANDLERS
    functions = FUNCTIONS

    def __init__(self, api: GoogleApi | None = None) -> None:
        super().__init__("pulumi-gcp", api or GoogleApi())
        self._settings = Settings()

    def configure(self, inputs: Properties, variables: Mapping[str, str]) -> None:
        self._settings = Settings.of(inputs, variables)

    def stem(self, logical_name: str) -> str:
        return logical_name.lower()

    def completed(self, token: str, inputs: Properties) -> Properties:
        handler = HANDLERS.get(token)
        places = handler.places if handler is not None else _EVERYWHERE
        placed = self._settings.place(inputs, places)
        if "project" in places and not placed.get("project"):
            raise Refused(
                f"{token}: project: required; give it, or set it by `pulumi config set gcp:project`"
            )
        if handler is None or not handler.labelled:
            return placed
        labels = {**self._settings.labels, **(inputs.get("resourceLabels") or {})}
        return {**placed, "effectiveLabels": labels}

    def delete(self, request: Request, inputs: Properties, outputs: Properties) -> None:
        policy = {**outputs, **inputs}.get("deletionPolicy")
        if policy == "PREVENT":
            raise Refused(
                f"{request.name}: deletionPolicy is PREVENT; set it to DELETE and bring that up first"
            )
        if policy != "ABANDON":
            super().delete(request, inputs, outputs)
