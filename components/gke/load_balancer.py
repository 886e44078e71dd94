"""What GKE is told of a model's load balancer."""

from components.model_server import Front


def front(client_cidrs: tuple[str, ...]) -> Front:
    """An internal load balancer; with addresses that may call from outside, a public one for these."""
    if client_cidrs:
        return Front({}, client_cidrs)
    return Front({"networking.gke.io/load-balancer-type": "Internal"})
