"""The kubeconfig OKE gives: it names no credential but a command that fetches one."""

from typing import Final

import yaml

from emulator.plugins.model.derived import address, digest, public_address
from emulator.plugins.model.oci.container_engine import API_PORT

PUBLIC: Final = "PUBLIC_ENDPOINT"


def kubeconfig(cluster_id: str, region: str, endpoint: str) -> str:
    """Kubeconfig of a cluster, as YAML text."""
    host = public_address(cluster_id) if endpoint == PUBLIC else address(cluster_id)
    short = cluster_id.rsplit(".", 1)[-1][:11]
    user, cluster, context = f"user-{short}", f"cluster-{short}", f"context-{short}"
    command = ["ce", "cluster", "generate-token", "--cluster-id", cluster_id, "--region", region]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "certificate-authority-data": digest(cluster_id, 64),
                    "server": f"https://{host}:{API_PORT}",
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "users": [
            {
                "name": user,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "oci",
                        "args": command,
                        "env": [],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)
