"""The way to a cluster's API server: its kubeconfig as a secret, and a provider that uses it."""

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.part import Part


class KubernetesAccess(Part):
    """Kubeconfig and Kubernetes provider of a cluster."""

    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider

    def __init__(self, name: str, kubeconfig: pulumi.Output[str], *, proxy_url: str = "") -> None:
        super().__init__("kubernetes:KubernetesAccess", name)
        self.kubeconfig = pulumi.Output.secret(kubeconfig.apply(lambda text: through_proxy(text, proxy_url)))
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
