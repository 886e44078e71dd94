"""One model, served: TorchServe behind a load balancer, scaled by its CPU use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes

from catalog.timing import Timing
from components import model_manifests as manifests
from components.hours import API_VERSION, KIND, Hours, scaled_object_spec
from components.model_manifests import Placement, Server
from components.part import Part

_PATIENCE: Final = pulumi.CustomTimeouts(create="40m", update="40m")
"""A pod may have to wait for a machine to be launched, and its image of gigabytes to be pulled."""


@dataclass(frozen=True, slots=True)
class Front:
    """The load balancer in front of a model, as the cloud is asked for it."""

    annotations: Mapping[str, pulumi.Input[str]]
    """Of the Service."""
    source_ranges: tuple[str, ...] = ()
    """Who may call, where the Service says it and not the network."""


@dataclass(frozen=True, slots=True)
class ModelServerArgs:
    """What a model server is made of."""

    namespace: str
    server: Server
    placement: Placement
    timing: Timing
    front: Front
    hours: Hours | None = None
    """When it runs; nothing: always."""


class ModelServer(Part):
    """ConfigMap, Deployment, HPA (or KEDA's object), PodDisruptionBudget and Service of one model.

    The Deployment is awaited: `up` ends when the model answers.
    """

    endpoint: pulumi.Output[str]
    """URL of the model's predictions."""

    def __init__(
        self,
        args: ModelServerArgs,
        provider: pulumi.ProviderResource,
        after: Sequence[pulumi.Resource],
    ) -> None:
        server = args.server
        super().__init__("kubernetes:ModelServer", server.name, after=after, provider=provider)
        self._args = args
        config = kubernetes.core.v1.ConfigMap(
            server.name,
            metadata=self._metadata(),
            data={"config.properties": manifests.config_properties(server)},
            opts=self.child(),
        )
        self.deployment = kubernetes.apps.v1.Deployment(
            server.name,
            metadata=self._metadata(),
            spec=manifests.deployment_spec(server, args.placement, args.timing),
            opts=self.child(config, custom_timeouts=_PATIENCE),
        )
        self._scale(server)
        kubernetes.policy.v1.PodDisruptionBudget(
            server.name,
            metadata=self._metadata(),
            spec=manifests.disruption_budget_spec(server),
            opts=self.child(),
        )
        service = kubernetes.core.v1.Service(
            server.name,
            metadata={**self._metadata(), "annotations": dict(args.front.annotations)},
            spec=manifests.service_spec(server, args.front.source_ranges),
            # Neither subnet nor visibility of a load balancer can be changed.
            opts=self.child(
                replace_on_changes=["metadata.annotations"],
                delete_before_replace=True,
                custom_timeouts=_PATIENCE,
            ),
        )
        self.endpoint = service.status.apply(lambda status: _url(status, server))
        self.register_outputs({"endpoint": self.endpoint})

    def _scale(self, server: Server) -> None:
        timing, hours = self._args.timing, self._args.hours
        if hours is None:
            kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
                server.name,
                metadata=self._metadata(),
                spec=manifests.autoscaler_spec(server, timing),
                opts=self.child(),
            )
            return
        kubernetes.apiextensions.CustomResource(
            server.name,
            api_version=API_VERSION,
            kind=KIND,
            metadata=self._metadata(),
            spec=scaled_object_spec(server, timing, hours),
            opts=self.child(),
        )

    def _metadata(self) -> dict[str, Any]:
        labels = self._args.server.labels
        return {"name": self._args.server.name, "namespace": self._args.namespace, "labels": labels}


def _url(status: Any, server: Server) -> str:
    balancer = status.load_balancer if status else None
    addresses = balancer.ingress if balancer else None
    if not addresses:
        return ""
    host = addresses[0].ip or addresses[0].hostname
    return f"{server.guard.scheme}://{host}:{manifests.PORT}/predictions/{server.model}"
