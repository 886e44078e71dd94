"""Who may speak with whom, as data: OKE's documented rules for VCN-native pod networking.

Every rule is stateful. Nothing here lets TCP, UDP or all protocols in from everywhere; ICMP type 3
code 4 (path MTU discovery) and egress stay open, as Oracle's documentation has them.
"""

from dataclasses import dataclass
from typing import Final

API: Final = "api"
WORKERS: Final = "workers"
PODS: Final = "pods"
LOAD_BALANCERS: Final = "lb"
GROUPS: Final = (API, WORKERS, PODS, LOAD_BALANCERS)
"""The network security groups."""

SERVICES: Final = "osn"
"""Peer: Oracle's own services in the region."""
ANYWHERE: Final = "anywhere"
ADMINS: Final = "admins"
"""Peer: the addresses that may reach the API server."""
CLIENTS: Final = "clients"
"""Peer: the addresses that may call the models."""

INGRESS: Final = "INGRESS"
EGRESS: Final = "EGRESS"
TCP: Final = "tcp"
ALL: Final = "all"
PATH_MTU: Final = "icmp-3-4"

KUBERNETES_API: Final = (6443, 6443)
NODE_BOOTSTRAP: Final = (12250, 12250)
KUBELET: Final = (10250, 10250)
NODE_PORTS: Final = (30000, 32767)
NODE_HEALTH: Final = (10256, 10256)
HTTPS: Final = (443, 443)
INFERENCE: Final = (8080, 8080)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one group."""

    group: str
    direction: str
    peer: str
    protocol: str
    ports: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """Stable name, for example `api-ingress-workers-tcp-6443`."""
        ports = f"-{self.ports[0]}" if self.ports else ""
        return f"{self.group}-{self.direction.lower()}-{self.peer}-{self.protocol}{ports}"


RULES: Final = (
    Rule(API, INGRESS, WORKERS, TCP, KUBERNETES_API),
    Rule(API, INGRESS, WORKERS, TCP, NODE_BOOTSTRAP),
    Rule(API, INGRESS, WORKERS, PATH_MTU),
    Rule(API, INGRESS, PODS, TCP, KUBERNETES_API),
    Rule(API, INGRESS, PODS, TCP, NODE_BOOTSTRAP),
    Rule(API, INGRESS, ADMINS, TCP, KUBERNETES_API),
    Rule(API, EGRESS, SERVICES, TCP),
    Rule(API, EGRESS, SERVICES, PATH_MTU),
    Rule(API, EGRESS, WORKERS, TCP, KUBELET),
    Rule(API, EGRESS, WORKERS, PATH_MTU),
    Rule(API, EGRESS, PODS, ALL),
    Rule(WORKERS, INGRESS, API, TCP, KUBELET),
    Rule(WORKERS, INGRESS, ANYWHERE, PATH_MTU),
    Rule(WORKERS, INGRESS, LOAD_BALANCERS, TCP, NODE_PORTS),
    Rule(WORKERS, INGRESS, LOAD_BALANCERS, TCP, NODE_HEALTH),
    Rule(WORKERS, INGRESS, WORKERS, ALL),
    Rule(WORKERS, INGRESS, PODS, ALL),
    Rule(WORKERS, EGRESS, WORKERS, ALL),
    Rule(WORKERS, EGRESS, PODS, ALL),
    Rule(WORKERS, EGRESS, ANYWHERE, PATH_MTU),
    Rule(WORKERS, EGRESS, SERVICES, TCP),
    Rule(WORKERS, EGRESS, API, TCP, KUBERNETES_API),
    Rule(WORKERS, EGRESS, API, TCP, NODE_BOOTSTRAP),
    Rule(WORKERS, EGRESS, ANYWHERE, TCP, HTTPS),  # images of registries that are not Oracle's
    Rule(PODS, INGRESS, WORKERS, ALL),
    Rule(PODS, INGRESS, API, ALL),
    Rule(PODS, INGRESS, PODS, ALL),
    Rule(PODS, EGRESS, PODS, ALL),
    Rule(PODS, EGRESS, WORKERS, ALL),  # metrics-server reads the kubelets from a pod
    Rule(PODS, EGRESS, SERVICES, PATH_MTU),
    Rule(PODS, EGRESS, SERVICES, TCP),
    Rule(PODS, EGRESS, API, TCP, KUBERNETES_API),
    Rule(PODS, EGRESS, API, TCP, NODE_BOOTSTRAP),
    Rule(LOAD_BALANCERS, INGRESS, CLIENTS, TCP, INFERENCE),
    Rule(LOAD_BALANCERS, EGRESS, WORKERS, TCP, NODE_PORTS),
    Rule(LOAD_BALANCERS, EGRESS, WORKERS, TCP, NODE_HEALTH),
)
