"""What stacks of every cloud put together alike: tags, provisioner, model servers, exports."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import pulumi

from catalog.names import ACCOUNTING_TAG, NAMESPACE_MODELS, STACK_TAG, TIMING_TAG
from components.guard_secret import GuardSecret
from components.kubernetes_access import KubernetesAccess
from components.model_server import Front, ModelServer, ModelServerArgs
from components.namespace import RestrictedNamespace
from components.provisioner import Image, Provisioner
from components.provisioner_manifests import Policy, Region, Wiring
from components.pull_secret import PullSecret
from stacks import placement
from stacks.faults import Fault, StackError
from stacks.models import Model
from stacks.preflight import Checked
from stacks.serving import server_of
from stacks.settings import Settings

Exports = dict[str, Any]
MANAGEMENT: Final = "management"
"""Name of the static pool."""


class Planned(Protocol):
    """What is known of a stack of any cloud before anything is declared."""

    @property
    def stack(self) -> str:
        """Its name."""

    @property
    def settings(self) -> Settings:
        """What it was told."""

    @property
    def checked(self) -> Checked:
        """What that comes down to."""


def check_region(settings: Settings, key: str, provider_region: str) -> None:
    """Refuse two regions.

    Raises:
        StackError: when the provider is told another region than the stack.
    """
    if provider_region and provider_region != settings.region:
        raise StackError(
            [
                Fault(
                    "region",
                    settings.region,
                    f"must be that of {key}, '{provider_region}'",
                    "set both alike",
                )
            ]
        )


def tags(plan: Planned) -> dict[str, str]:
    """Tags of the cluster, which a real cloud ignores and an emulated one obeys."""
    return {
        ACCOUNTING_TAG: plan.settings.accounting,
        TIMING_TAG: plan.settings.timing.name,
        STACK_TAG: plan.stack,
    }


def provisioner(
    plan: Planned,
    kubernetes_version: pulumi.Input[str],
    wiring: Wiring,
    access: KubernetesAccess,
    after: Sequence[Any],
) -> Provisioner:
    """Declare the provisioner, by the stack's policy."""
    settings = plan.settings
    region = Region(
        cloud=settings.cloud,
        stack=plan.stack,
        accounting=settings.accounting,
        region=settings.region,
        endpoint=settings.provisioner.endpoint,
        kubernetes_version=kubernetes_version,
        loop_period_s=settings.timing.provisioner_period_s,
        record_last=settings.provisioner.record_last,
    )
    image = Image(settings.provisioner.image, settings.images.pull_secret)
    return Provisioner(image, (region, _policy(plan), wiring), access.provider, after)


def serve(
    plan: Planned, access: KubernetesAccess, front: Front, after: Sequence[pulumi.Resource]
) -> dict[str, ModelServer]:
    """Declare the models' namespace and a server for each; they come after what brings their nodes."""
    first: list[pulumi.Resource] = [RestrictedNamespace(NAMESPACE_MODELS, access.provider, [])]
    if docker_config := plan.settings.images.pull_secret:
        first.append(PullSecret(NAMESPACE_MODELS, docker_config, access.provider, first))
    if plan.settings.serving.guard.files:
        first.append(GuardSecret(NAMESPACE_MODELS, plan.settings.serving.guard, access.provider, first[:1]))
    return {
        model.name: ModelServer(_server(plan, model, front), access.provider, [*first, *after])
        for model in plan.settings.models
    }


def exports(
    plan: Planned,
    cluster_id: pulumi.Output[str],
    access: KubernetesAccess,
    servers: dict[str, ModelServer],
) -> Exports:
    """What every stack exports."""
    prices = plan.checked.prices
    return {
        "cluster_id": cluster_id,
        "kubeconfig": access.kubeconfig,
        "namespace": NAMESPACE_MODELS,
        "endpoints": {name: server.endpoint for name, server in servers.items()},
        "price_per_hour_idle": float(prices.idle),
        "price_per_hour_peak": float(prices.peak),
    }


def _policy(plan: Planned) -> Policy:
    settings = plan.settings
    wanted, unneeded, budget = (
        settings.provisioner,
        settings.provisioner.unneeded_seconds,
        settings.budget_per_hour,
    )
    static = settings.management.count * plan.checked.management.price_per_hour
    return Policy(
        mode=wanted.mode,
        repack=wanted.moves_pods,
        growth=wanted.growth,
        families=wanted.families,
        architectures=wanted.architectures,
        capacity_types=wanted.capacity_types,
        node_unneeded_s=settings.timing.node_unneeded_s if unneeded is None else unneeded,
        max_pools=wanted.max_pools,
        node_overhead_price_per_hour=wanted.node_overhead_price_per_hour,
        max_price_per_hour=None if budget is None else budget - static,
        hot_nodes=wanted.hot_nodes,
        replaces_nodes=wanted.upkeep.replaces_nodes,
        upkeep={**wanted.purchases, **wanted.upkeep.document},
        preview_release=wanted.preview_release,
        preview_max_price_per_hour=wanted.preview_max_price_per_hour,
    )


def _server(plan: Planned, model: Model, front: Front) -> ModelServerArgs:
    settings = plan.settings
    gpu_arch = plan.checked.gpu.machine.arch if plan.checked.gpu else ""
    return ModelServerArgs(
        namespace=NAMESPACE_MODELS,
        server=server_of(settings, model),
        placement=placement.of_model(settings, model, gpu_arch),
        timing=settings.timing,
        front=front,
        hours=settings.serving.hours,
    )
