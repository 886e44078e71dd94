"""What the provisioner bought, as a resource: a destroy removes it although no state knows it.

Creating it does nothing. Deleting it removes, through the cloud's API, every node pool that carries
this cluster's tag, and waits until they are gone; how, a table says for each cloud. The engine deletes it after the
provisioner's Deployment, which depends on it, and before the cluster, on which it depends.

The engine's state refers to the provider by module and class name only, and runs the code that is
there at the time: neither may be renamed while a stack exists. Endpoint and credentials are read
when it runs, never from the state, where they may be old.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from components import gcp_credentials, oci_credentials
from components.credentials import CredentialsMissing, Lookup

OKE: Final = "oke"
GKE: Final = "gke"
_PROJECT: Final = "rightsize"
_FIRST: Final = {"cloud": OKE}
"""What states say that are older than the second cloud."""


class RemovalFailed(Exception):
    """What was bought could not be removed; a second destroy tries again."""


class ProvisionedCapacityProvider(ResourceProvider):
    """Create: nothing. Delete: remove every pool tagged with the cluster's id."""

    serialize_as_secret_always = False
    """What is serialized is a reference to this class."""

    def configure(self, req: ConfigureRequest) -> None:
        """Keep today's settings; they are looked at when there is something to delete."""
        self._config = req.config

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing is bought yet: that is the provisioner's."""
        return CreateResult(id_=f"provisioned-capacity/{props['cluster_id']}", outs=_own(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another cluster is another resource."""
        olds, news = _FIRST | _own(_olds), _FIRST | _own(_news)
        changed = sorted(key for key in olds | news if olds.get(key) != news.get(key))
        return DiffResult(changes=bool(changed), replaces=changed)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Nothing can be updated."""
        return UpdateResult(outs=_own(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove every pool that was bought for the cluster, and wait until all are gone."""
        from provisioner.drivers.contract import DriverError

        props = _FIRST | _own(_props)
        remove = _REMOVERS[props.pop("cloud")]
        try:
            remove(props, self._config.get, self._endpoint())
        except (CredentialsMissing, DriverError) as error:
            # The engine shows what `traceback.format_exc` makes of it: the reason without our frames.
            sys.tracebacklimit = 0
            raise RemovalFailed(str(error)) from None

    def _endpoint(self) -> str:
        text = self._config.get(f"{_PROJECT}:provisioner") or "{}"
        return str(json.loads(text).get("endpoint", ""))


class ProvisionedCapacity(pulumi.dynamic.Resource, module="rightsize", name="ProvisionedCapacity"):
    """The pools bought for a cluster; see the module."""

    cluster_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cloud: str,
        identity: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: of the resource.
            cloud: whose remover it is: OKE or GKE.
            identity: what the remover needs beside credentials and endpoint: `cluster_id`, on OKE also
                `compartment_id`.
            opts: its dependencies.
        """
        super().__init__(ProvisionedCapacityProvider(), name, {"cloud": cloud, **identity}, opts)


def _own(props: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without those of the engine."""
    return {key: value for key, value in props.items() if not key.startswith("__")}


def _remove_at_oke(identity: Mapping[str, str], setting: Lookup, endpoint: str) -> None:
    from provisioner.drivers.oke import remove_pools_of_cluster

    credentials = oci_credentials.find(lambda key: setting(f"oci:{key}"), os.environ)
    remove_pools_of_cluster(
        cluster_id=identity["cluster_id"],
        compartment_id=identity["compartment_id"],
        credentials=credentials,
        endpoint=endpoint,
    )


def _remove_at_gke(identity: Mapping[str, str], setting: Lookup, endpoint: str) -> None:
    from provisioner.drivers.gke import remove_pools_of_cluster

    credentials = gcp_credentials.find(lambda key: setting(f"gcp:{key}"), os.environ)
    remove_pools_of_cluster(cluster_id=identity["cluster_id"], credentials=credentials, endpoint=endpoint)


_REMOVERS: Final[Mapping[str, Callable[[Mapping[str, str], Lookup, str], None]]] = MappingProxyType(
    {OKE: _remove_at_oke, GKE: _remove_at_gke}
)
