"""The way to a cluster's API server: its kubeconfig as a secret, and a provider that uses it."""

from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_oci as oci
import yaml

from components.part import Part

PUBLIC: Final = "PUBLIC_ENDPOINT"
TOKENS: Final = "2.0.0"
"""Version of the kubeconfig: tokens come from `oci ce cluster generate-token`."""
PRIVATE: Final = "PRIVATE_ENDPOINT"


class KubernetesAccess(Part):
    """Kubeconfig and Kubernetes provider of a cluster."""

    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(
        self, name: str, cluster_id: pulumi.Output[str], *, public_api: bool, proxy_url: str = ""
    ) -> None:
        super().__init__("kubernetes:KubernetesAccess", name)
        answer = oci.containerengine.get_cluster_kube_config_output(
            cluster_id=cluster_id, token_version=TOKENS, endpoint=PUBLIC if public_api else PRIVATE
        )
        content = answer.apply(lambda found: through_proxy(found.content, proxy_url))
        self.kubeconfig = pulumi.Output.secret(content)
        self.provider = kubernetes.Provider(
            name, kubeconfig=self.kubeconfig, enable_config_map_mutable=True, opts=self.child()
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})


def through_proxy(kubeconfig: str, proxy_url: str) -> str:
    """The kubeconfig with every cluster reached through a proxy; without one, as it is."""
    if not proxy_url:
        return kubeconfig
    document = yaml.safe_load(kubeconfig)
    for cluster in document["clusters"]:
        cluster["cluster"]["proxy-url"] = proxy_url
    return str(yaml.safe_dump(document, sort_keys=False))
