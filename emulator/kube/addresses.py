"""Addresses of process pods and load balancers, unlike those of any other cluster of the machine.

Loopback addresses are refused in EndpointSlices, so the API has 10.a.b.c where the process has
127.a.b.c. All clusters share one loopback interface: the block follows from the port of the
cluster's API server, which is unique. It lies in 10.128.0.0/10, apart from the ranges for pods
(10.244.0.0/16) and Services (10.96.0.0/16).
"""

import ipaddress
from typing import Final

_BASE: Final = int(ipaddress.IPv4Address("10.128.0.0"))
_BLOCK: Final = 64
"""Addresses of one cluster; 65,536 ports times 64 fill the /10."""


def process_pod_range(unique_port: int) -> ipaddress.IPv4Network:
    """The cluster's addresses for process pods."""
    return ipaddress.IPv4Network((_BASE + unique_port * _BLOCK, 27))


def load_balancer_range(unique_port: int) -> ipaddress.IPv4Network:
    """The cluster's addresses for load balancers."""
    return ipaddress.IPv4Network((_BASE + unique_port * _BLOCK + _BLOCK // 2, 27))


def balancer_range(unique_port: int) -> ipaddress.IPv4Network:
    """The same where something listens: of the loopback interface."""
    network = load_balancer_range(unique_port)
    return ipaddress.IPv4Network((loopback(str(network.network_address)), network.prefixlen))


def loopback(address: str) -> str:
    """The address a process has on this machine, of its address in the API: 127.a.b.c of 10.a.b.c."""
    return f"127.{address.partition('.')[2]}"
