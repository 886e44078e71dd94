"""A namespace that admits restricted pods only (Pod Security Standards)."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.part import Part


class RestrictedNamespace(Part):
    """A namespace whose pods run without root, privileges or access to their node."""

    def __init__(
        self, name: str, provider: pulumi.ProviderResource, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__("kubernetes:RestrictedNamespace", name, after=after, provider=provider)
        self.namespace = kubernetes.core.v1.Namespace(
            name,
            metadata={
                "name": name,
                "labels": {
                    f"pod-security.kubernetes.io/{mode}": "restricted"
                    for mode in ("enforce", "audit", "warn")
                },
            },
            opts=self.child(),
        )
        self.register_outputs({"name": name})
