"""Reads the administrator's kubeconfig that kwokctl wrote."""

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any

import yaml

from emulator.kube.api import Credentials


def credentials_of(kubeconfig: Path) -> Credentials:
    """The one cluster and user of the file."""
    content = yaml.safe_load(kubeconfig.read_text())
    cluster = content["clusters"][0]["cluster"]
    user = content["users"][0]["user"]
    return Credentials(
        server=cluster["server"],
        ca_pem=_pem(cluster, "certificate-authority"),
        client_cert_pem=_pem(user, "client-certificate"),
        client_key_pem=_pem(user, "client-key"),
    )


def ssl_context(credentials: Credentials) -> ssl.SSLContext:
    """A context that trusts the cluster's CA and presents the administrator's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=credentials.ca_pem.decode())
    # The ssl module takes a client's certificate from a file only.
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(credentials.client_cert_pem + b"\n" + credentials.client_key_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _pem(section: dict[str, Any], key: str) -> bytes:
    data = section.get(f"{key}-data")
    return base64.b64decode(data) if data else Path(section[key]).read_bytes()
