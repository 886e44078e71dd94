"""What the provisioner bought, as a resource: a destroy removes it although no state knows it.

Creating it does nothing. Deleting it removes, through the cloud's API, every node pool that carries
this cluster's id as its tag, and waits until they are gone. The engine deletes it after the
provisioner's Deployment, which depends on it, and before the cluster, on which it depends.

The engine's state refers to the provider by module and class name only, and runs the code that is
there at the time: neither may be renamed while a stack exists. Endpoint and credentials are read
when it runs, never from the state, where they may be old.
"""

import json
import os
import sys
from typing import Any, Final

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from components import oci_credentials
from components.oci_credentials import Credentials, CredentialsMissing

_IDENTITY: Final = ("cluster_id", "compartment_id")
_PROJECT: Final = "rightsize"


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
        return CreateResult(id_=f"provisioned-capacity/{props['cluster_id']}", outs=_identity(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another cluster is another resource."""
        changed = [key for key in _IDENTITY if _olds.get(key) != _news.get(key)]
        return DiffResult(changes=bool(changed), replaces=changed)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Nothing can be updated."""
        return UpdateResult(outs=_identity(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove every pool that was bought for the cluster, and wait until all are gone."""
        from provisioner.drivers.contract import DriverError
        from provisioner.drivers.oke import remove_pools_of_cluster

        try:
            remove_pools_of_cluster(
                cluster_id=_props["cluster_id"],
                compartment_id=_props["compartment_id"],
                credentials=self._credentials(),
                endpoint=self._endpoint(),
            )
        except (CredentialsMissing, DriverError) as error:
            # The engine shows what `traceback.format_exc` makes of it: the reason without our frames.
            sys.tracebacklimit = 0
            raise RemovalFailed(str(error)) from None

    def _credentials(self) -> Credentials:
        return oci_credentials.find(lambda key: self._config.get(f"oci:{key}"), os.environ)

    def _endpoint(self) -> str:
        text = self._config.get(f"{_PROJECT}:provisioner") or "{}"
        return str(json.loads(text).get("endpoint", ""))


class ProvisionedCapacity(pulumi.dynamic.Resource, module="rightsize", name="ProvisionedCapacity"):
    """The pools bought for a cluster; see the module."""

    cluster_id: pulumi.Output[str]
    compartment_id: pulumi.Output[str]

    def __init__(
        self, name: str, *, cluster_id: pulumi.Input[str], compartment_id: str, opts: pulumi.ResourceOptions
    ) -> None:
        inputs = {"cluster_id": cluster_id, "compartment_id": compartment_id}
        super().__init__(ProvisionedCapacityProvider(), name, inputs, opts)


def _identity(props: dict[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in _IDENTITY}
