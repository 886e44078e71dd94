"""Cluster add-ons: what the HPA needs for its metrics, and what GPUs need to be seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_oci as oci

from components.part import Part


class AddOns(Part):
    """CertManager, then KubernetesMetricsServer which needs it; NvidiaGpuPlugin where there are GPUs."""

    def __init__(
        self, name: str, cluster_id: pulumi.Output[str], *, gpus: bool, after: Sequence[pulumi.Resource]
    ) -> None:
        super().__init__("oke:AddOns", name, after=after)
        cert_manager = add_on("CertManager", cluster_id, {}, self.child())
        add_on("KubernetesMetricsServer", cluster_id, {}, self.child(cert_manager))
        if gpus:
            add_on("NvidiaGpuPlugin", cluster_id, {}, self.child())
        self.register_outputs({})


def add_on(
    name: str,
    cluster_id: pulumi.Output[str],
    configuration: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> Any:
    """Declare one add-on; it goes with all it installed."""
    ce = oci.containerengine
    return ce.Addon(
        name,
        addon_name=name,
        cluster_id=cluster_id,
        remove_addon_resources_on_delete=True,
        configurations=[
            ce.AddonConfigurationArgs(key=key, value=value) for key, value in configuration.items()
        ],
        opts=opts,
    )
