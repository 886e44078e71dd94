"""The kubeconfig that OKE gives for a cluster."""

from typing import Final

import pulumi
import pulumi_oci as oci

PUBLIC: Final = "PUBLIC_ENDPOINT"
PRIVATE: Final = "PRIVATE_ENDPOINT"
TOKENS: Final = "2.0.0"
"""Version of the kubeconfig: tokens come from `oci ce cluster generate-token`."""


def kubeconfig(cluster_id: pulumi.Output[str], *, public_api: bool) -> pulumi.Output[str]:
    """As YAML text, for one of the cluster's endpoints."""
    answer = oci.containerengine.get_cluster_kube_config_output(
        cluster_id=cluster_id, token_version=TOKENS, endpoint=PUBLIC if public_api else PRIVATE
    )
    return answer.apply(lambda found: str(found.content))
