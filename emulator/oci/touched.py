"""How clusters and node pools are named in work requests."""

from emulator.oci.state import Cluster, NodePool
from emulator.oci.work_requests import Touched


def cluster(touched: Cluster, outcome: str) -> Touched:
    """A cluster."""
    return Touched("cluster", touched.id, f"/clusters/{touched.id}", outcome)


def pool(touched: NodePool, outcome: str) -> Touched:
    """A node pool."""
    return Touched("nodepool", touched.id, f"/nodePools/{touched.id}", outcome)
