"""Free TCP ports for a control plane, chosen so that clusters made in parallel never share one.

They lie below the kernel's range for outgoing connections: between choosing a port and its
component's listening, no client can be given it.
"""

import socket
import threading
import zlib
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

_FIRST: Final = 20_000
_COUNT: Final = 12_000
_NEEDED: Final = 7

_lock = threading.Lock()
_handed_out: set[int] = set()


class NoFreePorts(Exception):
    """The whole range is taken."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port for each listener of a control plane."""

    kube_apiserver: int
    etcd: int
    etcd_peer: int
    kwok_controller: int
    kube_controller_manager: int
    kube_scheduler: int
    metrics_server: int


def reserve(home: Path) -> Ports:
    """Take seven neighbouring free ports; where the search begins follows from the cluster's folder.

    Two daemons therefore begin at different places, and one daemon remembers what it gave out.
    """
    start = zlib.crc32(str(home).encode()) % _COUNT
    with _lock:
        for step in range(0, _COUNT, _NEEDED):
            ports = [_FIRST + (start + step + offset) % _COUNT for offset in range(_NEEDED)]
            if _handed_out.isdisjoint(ports) and all(map(_is_free, ports)):
                _handed_out.update(ports)
                return Ports(*ports)
    raise NoFreePorts(
        f"ports {_FIRST}-{_FIRST + _COUNT - 1}: no {_NEEDED} neighbours are free; stop what holds them"
    )


def release(ports: Ports) -> None:
    """Give a cluster's ports back."""
    with _lock:
        _handed_out.difference_update(astuple(ports))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
