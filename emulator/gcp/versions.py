"""Kubernetes versions as callers name them."""

import re
from typing import Any, Final

from emulator.gcp.account import CHANNELS, KUBERNETES_VERSIONS
from emulator.gcp.errors import invalid

DEFAULT_CHANNEL: Final = "REGULAR"
_NUMBER: Final = re.compile(r"\d+")


def version_number(version: str) -> tuple[int, ...]:
    """To compare by."""
    return tuple(int(part) for part in _NUMBER.findall(version))


def resolve(wanted: str, channel: str) -> str:
    """The version that a name such as `1.36`, `latest` or nothing means.

    Raises:
        ApiError: 400 when there is none.
    """
    default = CHANNELS.get(channel, CHANNELS[DEFAULT_CHANNEL])
    if wanted in {"", "-"}:
        return default
    if wanted == "latest":
        return KUBERNETES_VERSIONS[-1]
    for version in reversed(KUBERNETES_VERSIONS):
        if version == wanted or version.startswith((f"{wanted}.", f"{wanted}-")):
            return version
    raise invalid(
        f"Version '{wanted}' is not supported in the {channel or DEFAULT_CHANNEL} channel; "
        f"versions: {', '.join(KUBERNETES_VERSIONS)}."
    )


def of_nodes(wanted: str, master: str) -> str:
    """The version that a pool's wish means: nothing or `-` is the control plane's; unknown ones stay."""
    if wanted in {"", "-"}:
        return master
    for version in reversed(KUBERNETES_VERSIONS):
        if wanted in {version, "latest"} or version.startswith((f"{wanted}.", f"{wanted}-")):
            return version
    return wanted


def server_config() -> dict[str, Any]:
    """What can be had, as the API shows it, newest first."""
    versions = list(reversed(KUBERNETES_VERSIONS))
    return {
        "defaultClusterVersion": CHANNELS[DEFAULT_CHANNEL],
        "validMasterVersions": versions,
        "validNodeVersions": versions,
        "defaultImageType": "COS_CONTAINERD",
        "validImageTypes": ["COS_CONTAINERD", "UBUNTU_CONTAINERD"],
        "channels": [
            {"channel": name, "defaultVersion": version, "validVersions": [version]}
            for name, version in CHANNELS.items()
        ],
    }
