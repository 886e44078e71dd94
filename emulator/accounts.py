"""What the copies of the stack files say of the emulated accounts, by cloud: a table, one row a cloud."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.gcp import account as google
from emulator.gcp.authority import key_of_owner
from emulator.keys import generate
from emulator.oci import account as oracle

PROJECT: Final = "rightsize"
"""Prefix of the program's own keys."""

Configuration = Mapping[str, Any]


def _oke(_endpoint: str) -> Configuration:
    key = generate()
    return {
        "oci:tenancyOcid": oracle.TENANCY,
        "oci:userOcid": oracle.USER,
        "oci:fingerprint": key.fingerprint,
        "oci:region": oracle.REGION,
        "oci:privateKey": key.private_pem,
        f"{PROJECT}:compartment": oracle.COMPARTMENT,
        f"{PROJECT}:region": oracle.REGION,
    }


def _gke(endpoint: str) -> Configuration:
    return {
        "gcp:project": google.PROJECT,
        "gcp:region": google.REGION,
        "gcp:credentials": key_of_owner(endpoint),
        f"{PROJECT}:project": google.PROJECT,
        f"{PROJECT}:region": google.REGION,
    }


_ACCOUNTS: Final[Mapping[str, Callable[[str], Configuration]]] = MappingProxyType({"gke": _gke, "oke": _oke})
CLOUDS: Final = tuple(_ACCOUNTS)


def configurations(endpoint: str) -> Mapping[str, Configuration]:
    """Values for the stacks of each cloud, with new credentials; all call the emulator at that endpoint."""
    shared = {
        f"{PROJECT}:timing": "demo",
        f"{PROJECT}:provisioner": {"endpoint": endpoint},
        f"{PROJECT}:api": {"allowedCidrs": ["127.0.0.0/8"]},
    }
    return {cloud: {**account(endpoint), **shared} for cloud, account in _ACCOUNTS.items()}
