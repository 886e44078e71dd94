"""Where an API server is and who we are to it, from a kubeconfig."""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from emulator.plugins.provider import Refused

_EXEC_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Access:
    """The current context of a kubeconfig; what is empty is not used."""

    server: str
    ca_pem: str = ""
    insecure: bool = False
    proxy_url: str = ""
    client_cert_pem: str = ""
    client_key_pem: str = ""
    token: str = ""
    command: Mapping[str, Any] | None = None
    """The `exec` section: a command that prints a credential."""


def text_of(given: str) -> str:
    """The kubeconfig: the text given, the file it names, or the one of the environment.

    Raises:
        Refused: when there is none.
    """
    if given and ("\n" in given or given.lstrip().startswith("{")):
        return given
    named = given or os.environ.get("KUBECONFIG", "") or "~/.kube/config"
    paths = [Path(part).expanduser() for part in named.split(os.pathsep)]
    for path in paths:
        if path.is_file():
            return path.read_text()
    raise Refused(f"kubeconfig: there is no file {named}; give the provider `kubeconfig`, or set KUBECONFIG")


def server_of(text: str) -> str | None:
    """Address of the current context's API server; None when the text has none."""
    try:
        return parse(text).server
    except Refused:
        return None


def parse(text: str, context: str = "") -> Access:
    """The current context of a kubeconfig, or the named one.

    Raises:
        Refused: saying what is missing.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise Refused(f"kubeconfig: neither YAML nor JSON: {_one_line(fault)}") from fault
    if not isinstance(document, Mapping):
        raise Refused("kubeconfig: expected an object with clusters, users and contexts")
    chosen = context or document.get("current-context", "")
    entry = _named(document, "contexts", chosen, "context")
    cluster = _named(document, "clusters", entry.get("cluster", ""), "cluster")
    user = _named(document, "users", entry["user"], "user") if entry.get("user") else {}
    if not cluster.get("server"):
        raise Refused(f"kubeconfig: cluster '{entry.get('cluster')}' has no server")
    return Access(
        server=str(cluster["server"]).rstrip("/"),
        ca_pem=_pem(cluster, "certificate-authority"),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        proxy_url=str(cluster.get("proxy-url") or ""),
        client_cert_pem=_pem(user, "client-certificate"),
        client_key_pem=_pem(user, "client-key"),
        token=_token(user),
        command=user.get("exec"),
    )


@dataclass(frozen=True, slots=True)
class Credential:
    """What a credential command printed."""

    token: str = ""
    client_cert_pem: str = ""
    client_key_pem: str = ""
    expires_at: str = ""
    """RFC 3339; empty: it does not expire."""


def run_command(access: Access) -> Credential:
    """Run the credential command of a kubeconfig, telling it the cluster where it asks for that.

    Raises:
        Refused: with what the command said.
    """
    command = access.command or {}
    arguments = [str(command.get("command", "")), *map(str, command.get("args") or [])]
    environment = {**os.environ, "KUBERNETES_EXEC_INFO": _exec_info(command, access)}
    environment |= {entry["name"]: entry["value"] for entry in command.get("env") or []}
    try:
        done = subprocess.run(
            arguments, env=environment, capture_output=True, text=True, timeout=_EXEC_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        hint = command.get("installHint") or "it has to be on PATH"
        raise Refused(f"kubeconfig: command '{arguments[0]}' could not be run: {fault}; {hint}") from fault
    if done.returncode != 0:
        raise Refused(f"kubeconfig: command '{arguments[0]}' failed: {_one_line(done.stderr or done.stdout)}")
    try:
        status = json.loads(done.stdout)["status"]
    except (ValueError, KeyError, TypeError) as fault:
        raise Refused(
            f"kubeconfig: command '{arguments[0]}' printed no ExecCredential with a status"
        ) from fault
    return Credential(
        token=status.get("token", ""),
        client_cert_pem=status.get("clientCertificateData", ""),
        client_key_pem=status.get("clientKeyData", ""),
        expires_at=status.get("expirationTimestamp", ""),
    )


def _exec_info(command: Mapping[str, Any], access: Access) -> str:
    version = command.get("apiVersion", "client.authentication.k8s.io/v1")
    spec: dict[str, Any] = {"interactive": False}
    if command.get("provideClusterInfo"):
        certificate = base64.b64encode(access.ca_pem.encode()).decode()
        spec["cluster"] = {"server": access.server, "certificate-authority-data": certificate}
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})


def _named(document: Mapping[str, Any], section: str, name: str, kind: str) -> Mapping[str, Any]:
    entries = document.get(section) or []
    for entry in entries:
        if entry.get("name") == name:
            found: Mapping[str, Any] = entry.get(kind) or {}
            return found
    known = ", ".join(str(entry.get("name")) for entry in entries) or "none"
    raise Refused(f"kubeconfig: {kind} '{name}' is not in {section}; there: {known}")


def _pem(section: Mapping[str, Any], key: str) -> str:
    data = section.get(f"{key}-data")
    try:
        if data:
            return base64.b64decode(data).decode()
        return Path(section[key]).read_text() if section.get(key) else ""
    except (binascii.Error, UnicodeDecodeError, OSError) as fault:
        raise Refused(f"kubeconfig: {key} cannot be read: {fault}") from fault


def _token(user: Mapping[str, Any]) -> str:
    if user.get("tokenFile"):
        return Path(user["tokenFile"]).read_text().strip()
    return str(user.get("token") or "")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
