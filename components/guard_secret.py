"""The files of the models' guard, for their pods."""

import base64
from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.guard import SECRET, Guard
from components.part import Part


class GuardSecret(Part):
    """A Secret with certificate, key and token, as far as there are any."""

    def __init__(
        self,
        namespace: str,
        guard: Guard,
        provider: pulumi.ProviderResource,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("kubernetes:GuardSecret", f"{namespace}-{SECRET}", after=after, provider=provider)
        files = {name: base64.b64encode(text.encode()).decode() for name, text in guard.files.items()}
        kubernetes.core.v1.Secret(
            f"{namespace}-{SECRET}",
            metadata={"name": SECRET, "namespace": namespace},
            data={name: pulumi.Output.secret(text) for name, text in files.items()},
            opts=self.child(),
        )
        self.register_outputs({})
