"""The provisioner in the cluster: namespace, identity, least rights, settings, Deployment."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from catalog.names import NAMESPACE_PROVISIONER, PROVISIONER_NAME, PULL_SECRET
from components import provisioner_manifests as manifests
from components.namespace import RestrictedNamespace
from components.part import Part
from components.provisioner_manifests import Policy, Region, Wiring
from components.pull_secret import PullSecret


@dataclass(frozen=True, slots=True)
class Image:
    """The provisioner's image."""

    name: str
    docker_config: str = field(default="", repr=False)
    """Credentials of the registry that has it; empty: it is open."""


class Provisioner(Part):
    """Buys and removes nodes for this stack's model pods.

    It has to come after the cloud policy of its identity and after `ProvisionedCapacity`, so that
    it is gone before what it bought is removed.
    """

    def __init__(
        self,
        image: Image,
        settings: tuple[Region, Policy, Wiring],
        provider: pulumi.ProviderResource,
        after: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("kubernetes:Provisioner", PROVISIONER_NAME, after=after, provider=provider)
        region, policy, wiring = settings
        home = RestrictedNamespace(NAMESPACE_PROVISIONER, provider, after)
        opened = (
            [PullSecret(NAMESPACE_PROVISIONER, image.docker_config, provider, [home])]
            if image.docker_config
            else []
        )
        account = kubernetes.core.v1.ServiceAccount(
            PROVISIONER_NAME,
            metadata=_metadata(**({"annotations": wiring.annotations} if wiring.annotations else {})),
            opts=self.child(home),
        )
        role = kubernetes.rbac.v1.ClusterRole(
            PROVISIONER_NAME,
            metadata={"name": f"rightsize-{PROVISIONER_NAME}"},
            rules=[dict(rule) for rule in manifests.rules(policy)],
            opts=self.child(),
        )
        binding = kubernetes.rbac.v1.ClusterRoleBinding(
            PROVISIONER_NAME,
            metadata={"name": f"rightsize-{PROVISIONER_NAME}"},
            role_ref={
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": role.metadata.name,
            },
            subjects=[manifests.subject()],
            opts=self.child(account),
        )
        text = pulumi.Output.from_input(manifests.settings(*settings)).apply(
            lambda document: str(yaml.safe_dump(document, sort_keys=False))
        )
        config = kubernetes.core.v1.ConfigMap(
            PROVISIONER_NAME,
            metadata=_metadata(),
            data={manifests.SETTINGS_FILE: text},
            opts=self.child(home),
        )
        checksum = text.apply(lambda content: hashlib.sha256(content.encode()).hexdigest())
        self.deployment = kubernetes.apps.v1.Deployment(
            PROVISIONER_NAME,
            metadata=_metadata(),
            spec=manifests.deployment_spec(
                image.name,
                wiring.environment,
                checksum,
                PULL_SECRET if opened else "",
                records=bool(region.records),
            ),
            opts=self.child(account, binding, config, *opened),
        )
        self.register_outputs({})


def _metadata(**more: Any) -> dict[str, Any]:
    named = {"name": PROVISIONER_NAME, "namespace": NAMESPACE_PROVISIONER}
    return {**named, "labels": dict(manifests.LABELS), **more}
