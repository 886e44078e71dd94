"""What opens a private registry for the pods of a namespace."""

import base64
from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from catalog.names import PULL_SECRET
from components.part import Part

_FILE: Final = ".dockerconfigjson"


class PullSecret(Part):
    """A Secret with the credentials of a registry, as Docker keeps them."""

    def __init__(
        self,
        namespace: str,
        docker_config: str,
        provider: pulumi.ProviderResource,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__(
            "kubernetes:PullSecret", f"{namespace}-{PULL_SECRET}", after=after, provider=provider
        )
        kubernetes.core.v1.Secret(
            f"{namespace}-{PULL_SECRET}",
            metadata={"name": PULL_SECRET, "namespace": namespace},
            type="kubernetes.io/dockerconfigjson",
            data={_FILE: pulumi.Output.secret(base64.b64encode(docker_config.encode()).decode())},
            opts=self.child(),
        )
        self.register_outputs({})
