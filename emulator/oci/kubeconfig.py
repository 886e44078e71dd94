"""The kubeconfig that the container engine gives out: an exec user that asks the `oci` command."""

import base64
from typing import Any

import yaml

from emulator.cloud.ids import unique_part
from emulator.oci import account


def with_exec(cluster_id: str, server: str, ca_pem: bytes) -> str:
    """The text, as the real API forms it."""
    short = unique_part(cluster_id)[-11:]
    name, user = f"cluster-{short}", f"user-{short}"
    arguments = ["ce", "cluster", "generate-token", "--cluster-id", cluster_id, "--region", account.REGION]
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca_pem).decode(),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "oci",
                        "args": arguments,
                        "env": [],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
        "contexts": [{"name": f"context-{short}", "context": {"cluster": name, "user": user}}],
        "current-context": f"context-{short}",
    }
    text: str = yaml.safe_dump(config, sort_keys=False)
    return f"---\n{text}"
