"""The kubeconfig of a GKE cluster: it names no credential but a command that fetches one."""

from typing import Any, Final

import pulumi
import yaml

PLUGIN: Final = "gke-gcloud-auth-plugin"


def kubeconfig(name: str, cluster: Any, *, by_name: bool) -> pulumi.Output[str]:
    """As YAML text, for the cluster's DNS name or for its address."""
    if by_name:
        endpoints = cluster.control_plane_endpoints_config
        return endpoints.apply(lambda found: document(name, found.dns_endpoint_config.endpoint))
    certificate = cluster.master_auth.apply(lambda found: found.cluster_ca_certificate)
    return pulumi.Output.all(cluster.endpoint, certificate).apply(lambda found: document(name, *found))


def document(name: str, host: str, certificate: str = "") -> str:
    """The kubeconfig; the certificate of a DNS name is one that everybody knows."""
    known_by = {"certificate-authority-data": certificate} if certificate else {}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{host}", **known_by}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [
            {
                "name": name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": PLUGIN,
                        "installHint": f"install it with: gcloud components install {PLUGIN}",
                        "interactiveMode": "IfAvailable",
                        "provideClusterInfo": True,
                    }
                },
            }
        ],
    }
    return str(yaml.safe_dump(content, sort_keys=False))
