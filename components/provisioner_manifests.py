"""The Kubernetes objects of the provisioner, as plain manifests, and the settings it runs by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import pulumi

from catalog.names import (
    DOMAIN,
    NAMESPACE_PROVISIONER,
    PROVISION_KEY,
    PROVISIONER_NAME,
    ROLE_INFERENCE,
    ROLE_KEY,
    ROLE_MANAGEMENT,
    SETTINGS_ENV,
)
from components.image import pull_secrets
from components.model_manifests import (
    NAME_KEY,
    SCRATCH_FOLDER,
    Manifest,
    restricted_container,
    restricted_pod,
)
from provisioner.core.policy import DESIRED, NEVER, OFF

SETTINGS_FILE: Final = "settings.yaml"
LABELS: Final = {NAME_KEY: PROVISIONER_NAME}
RECORD_FOLDER: Final = f"{SCRATCH_FOLDER}/decisions"
RECORD_MIB: Final = 50
_SCRATCH_MIB: Final = 2 * RECORD_MIB
"""A pod whose volume grows beyond its limit is evicted: records have half of it."""
CLUSTER_RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "patch"]},
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "patch"]},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims", "persistentvolumes"], "verbs": ["list"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses", "csinodes"], "verbs": ["list"]},
    {"apiGroups": ["apps"], "resources": ["daemonsets"], "verbs": ["list"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
)
"""All the provisioner may do: see pods and nodes, cordon, annotate and open nodes, let pods in to them, see
where volumes are and how many a node takes, and what DaemonSets take of new ones, say what it did."""
MOVING_RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list"]},
)
"""What it may do as well where it moves pods: see disruption budgets, evict as far as they allow."""
GROWTH_RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list"]},
)
"""What it may do as well where it makes room for workloads that grow."""
MEASURING_RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": ["list"]},
)
"""What it may do as well where it relieves hot nodes: see what pods and nodes use."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the provisioner may buy, and for whom."""

    mode: str
    repack: bool
    families: tuple[str, ...]
    architectures: tuple[str, ...]
    capacity_types: tuple[str, ...]
    node_unneeded_s: int
    max_pools: int
    max_price_per_hour: Decimal | None
    """What all bought nodes together may cost; nothing: no limit."""
    node_overhead_price_per_hour: Decimal = Decimal(0)
    """What each node is taken to cost beside its price."""
    preview_release: str = NEVER
    """Whether pods that a gate holds for a preview of their price are released."""
    preview_max_price_per_hour: Decimal | None = None
    """Above which price they wait for approval all the same; nothing: no limit."""
    growth: str = DESIRED
    """Room for workloads that an autoscaler is raising."""
    hot_nodes: bool = False
    """Whether nodes are relieved whose pods use more than they asked for."""
    replaces_nodes: bool = False
    """Whether nodes are replaced though nobody pays less for it."""
    upkeep: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of the policy, as the provisioner names them."""

    def document(self) -> dict[str, Any]:
        """As the provisioner reads it; it serves this stack's model pods only."""
        return {
            "mode": self.mode,
            "repack": self.repack,
            "growth": self.growth,
            "families": list(self.families),
            "architectures": list(self.architectures),
            "capacity_types": list(self.capacity_types),
            "pod_selector": {PROVISION_KEY: "true"},
            "node_labels": {ROLE_KEY: ROLE_INFERENCE},
            "node_taints": [f"{ROLE_KEY}={ROLE_INFERENCE}:NoSchedule"],
            "node_unneeded_s": self.node_unneeded_s,
            "max_pools": self.max_pools,
            "node_overhead_price_per_hour": str(self.node_overhead_price_per_hour),
            "preview_release": self.preview_release,
            "hot_nodes": self.hot_nodes,
            **_money("preview_max_price_per_hour", self.preview_max_price_per_hour),
            **_money("max_price_per_hour", self.max_price_per_hour),
            **self.upkeep,
        }


@dataclass(frozen=True, slots=True)
class Region:
    """Which cloud, whose stack, and where the cloud's API is."""

    cloud: str
    stack: str
    accounting: str
    region: str
    endpoint: str
    kubernetes_version: pulumi.Input[str]
    loop_period_s: int
    record_last: int = 0
    """How many decisions are kept, to be decided again somewhere else; 0: none."""

    @property
    def records(self) -> Mapping[str, Any]:
        """Where decisions are kept, as the provisioner's settings have it."""
        if not self.record_last:
            return {}
        return {
            "record_folder": RECORD_FOLDER,
            "record_last": self.record_last,
            "record_mib": RECORD_MIB,
        }


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the provisioner's nodes are attached to, and who it is at the cloud."""

    cluster_id: pulumi.Input[str]
    site: Mapping[str, Any]
    """The settings' section `site`, as the cloud's driver names its keys."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the container, beside the settings."""
    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Of the ServiceAccount."""


def settings(region: Region, policy: Policy, wiring: Wiring) -> dict[str, Any]:
    """The provisioner's settings, as its own schema names them; some values are not known yet."""
    return {
        "cloud": region.cloud,
        "accounting": region.accounting,
        "stack": region.stack,
        "cluster_id": wiring.cluster_id,
        "region": region.region,
        "endpoint": region.endpoint,
        "kubernetes_version": region.kubernetes_version,
        "site": dict(wiring.site),
        "loop_period_s": region.loop_period_s,
        **region.records,
        "policy": policy.document(),
    }


def rules(policy: Policy) -> tuple[Mapping[str, Any], ...]:
    """What the provisioner's ClusterRole allows."""
    growing = () if policy.growth == OFF else GROWTH_RULES
    moving = MOVING_RULES if policy.repack or policy.hot_nodes or policy.replaces_nodes else ()
    measuring = MEASURING_RULES if policy.hot_nodes else ()
    return CLUSTER_RULES + growing + moving + measuring


def deployment_spec(
    image: str,
    environment: Mapping[str, str],
    checksum: pulumi.Input[str],
    pull_secret: str = "",
    *,
    records: bool = False,
) -> Manifest:
    """The Deployment's spec: one at a time, on management nodes; `pull_secret` opens the image's registry.

    With `records` its own volume, where it keeps decisions, has a limit.
    """
    limit = {"sizeLimit": f"{_SCRATCH_MIB}Mi"} if records else {}
    return {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS, "annotations": {f"{DOMAIN}/settings-checksum": checksum}},
            "spec": {
                "serviceAccountName": PROVISIONER_NAME,
                "automountServiceAccountToken": True,
                **pull_secrets(pull_secret),
                "nodeSelector": {ROLE_KEY: ROLE_MANAGEMENT},
                "securityContext": restricted_pod(),
                "containers": [_container(image, environment)],
                "volumes": [{"name": "scratch", "emptyDir": limit}],
            },
        },
    }


def _money(key: str, amount: Decimal | None) -> dict[str, str]:
    return {} if amount is None else {key: str(amount)}


def subject() -> Manifest:
    """The ServiceAccount as a role binding names it."""
    return {"kind": "ServiceAccount", "name": PROVISIONER_NAME, "namespace": NAMESPACE_PROVISIONER}


def _container(image: str, environment: Mapping[str, str]) -> Manifest:
    from_config = {"configMapKeyRef": {"name": PROVISIONER_NAME, "key": SETTINGS_FILE}}
    return {
        "name": PROVISIONER_NAME,
        "image": image,
        "args": ["run"],
        "env": [
            *({"name": name, "value": value} for name, value in environment.items()),
            {"name": SETTINGS_ENV, "valueFrom": from_config},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": restricted_container(),
        "volumeMounts": [{"name": "scratch", "mountPath": SCRATCH_FOLDER}],
    }
