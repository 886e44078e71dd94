"""Publishes clusters to kubectl: one merged kubeconfig, and stand-ins for the clouds' credential commands."""

import base64
import json
import threading
from pathlib import Path
from typing import Any, Final

import yaml

from emulator.cloud.kube import Kube
from emulator.cloud.machine import Published
from emulator.home import Home, write_whole

_API_VERSION: Final = "client.authentication.k8s.io/v1beta1"
_ORACLES: Final = """#!/bin/sh
# Stands in for Oracle's command line: kubeconfigs of the container engine call it for a credential.
set -eu
cluster=
while [ $# -gt 0 ]; do
  case "$1" in
    --cluster-id) cluster="${{2:-}}" ;;
    --cluster-id=*) cluster="${{1#*=}}" ;;
  esac
  shift
done
answer={credentials}/"$cluster".json
if [ -z "$cluster" ] || [ ! -f "$answer" ]; then
  echo "oci: the emulated cloud has no cluster '$cluster'; only 'oci ce cluster generate-token --cluster-id ID' is emulated" >&2
  exit 1
fi
exec cat "$answer"
"""
_GOOGLES: Final = """#!/bin/sh
# Stands in for GKE's auth plugin: kubeconfigs call it for a credential and tell it the API server.
set -eu
told=${{KUBERNETES_EXEC_INFO:-}}
server=
case "$told" in
  *'"server"'*)
    server=${{told#*'"server"'}}
    server=${{server#*https://}}
    server=${{server%%'"'*}}
    server=${{server%%/*}}
    ;;
esac
answer={credentials}/"${{server%:*}}_${{server##*:}}".json
if [ -z "$server" ] || [ ! -f "$answer" ]; then
  echo "gke-gcloud-auth-plugin: the emulated cloud has no cluster at '$server'; the kubeconfig needs provideClusterInfo: true" >&2
  exit 1
fi
exec cat "$answer"
"""
_STAND_INS: Final = {"oci": _ORACLES, "gke-gcloud-auth-plugin": _GOOGLES}
"""By the command that each stands in for."""


class Contexts:
    """The clusters that kubectl can reach; safe to call from any thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._names: list[str] = []
        """Contexts, oldest first."""

    def prepare(self) -> None:
        """Write the stand-ins and an empty kubeconfig."""
        self._home.bin.mkdir(exist_ok=True)
        self._home.credentials.mkdir(exist_ok=True, mode=0o700)
        for command, script in _STAND_INS.items():
            write_stand_in(self._home.bin / command, script, self._home.credentials)
        write_whole(self._home.kubeconfig, yaml.safe_dump(_empty()))

    def add(self, cluster: Published) -> None:
        """Add a cluster and make it the current one."""
        if cluster.kube is None:
            return
        credential = json.dumps(_credential(cluster.kube))
        with self._lock:
            write_whole(self._home.credentials / f"{cluster.credential}.json", credential + "\n")
            self._names.append(cluster.context)
            config = _without(self._read(), cluster.context)
            _append(config, cluster.context, cluster.kube)
            config["current-context"] = cluster.context
            write_whole(self._home.kubeconfig, yaml.safe_dump(config, sort_keys=False))

    def remove(self, cluster: Published) -> None:
        """Forget a cluster; the newest that is left becomes the current one if this was it."""
        with self._lock:
            (self._home.credentials / f"{cluster.credential}.json").unlink(missing_ok=True)
            if cluster.context not in self._names:
                return
            self._names.remove(cluster.context)
            config = _without(self._read(), cluster.context)
            if config.get("current-context") == cluster.context:
                config["current-context"] = self._names[-1] if self._names else ""
            write_whole(self._home.kubeconfig, yaml.safe_dump(config, sort_keys=False))

    def _read(self) -> dict[str, Any]:
        """What is there: a user may have set a context's namespace meanwhile."""
        try:
            config = yaml.safe_load(self._home.kubeconfig.read_text())
        except (OSError, yaml.YAMLError):
            config = None
        return config if isinstance(config, dict) else _empty()


def write_stand_in(path: Path, script: str, credentials: Path) -> None:
    """Write a shell script; it starts in a few milliseconds, as every kubectl call runs it."""
    quoted = "'" + str(credentials).replace("'", "'\\''") + "'"
    write_whole(path, script.format(credentials=quoted), mode=0o755)


def _empty() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [],
        "users": [],
        "contexts": [],
        "current-context": "",
    }


def _without(config: dict[str, Any], name: str) -> dict[str, Any]:
    kept = {
        part: [entry for entry in config.get(part) or () if entry.get("name") != name]
        for part in ("clusters", "users", "contexts")
    }
    return {**config, **kept}


def _append(config: dict[str, Any], name: str, kube: Kube) -> None:
    cluster = {"server": kube.server, "certificate-authority-data": _base64(kube.ca_pem)}
    user = {
        "client-certificate-data": _base64(kube.client_cert_pem),
        "client-key-data": _base64(kube.client_key_pem),
    }
    config["clusters"].append({"name": name, "cluster": cluster})
    config["users"].append({"name": name, "user": user})
    config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})


def _credential(kube: Kube) -> dict[str, Any]:
    return {
        "apiVersion": _API_VERSION,
        "kind": "ExecCredential",
        "status": {
            "clientCertificateData": kube.client_cert_pem.decode(),
            "clientKeyData": kube.client_key_pem.decode(),
        },
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
