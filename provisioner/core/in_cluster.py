"""What can be bought, as the nodes of one cluster will be: with its DaemonSets, and as nodes have turned out."""

from dataclasses import replace

from provisioner.core.countable import countable
from provisioner.core.market import Catalog
from provisioner.core.policy import Policy
from provisioner.core.shortfall import shortfalls_of
from provisioner.core.snapshot import Snapshot


def in_cluster(catalog: Catalog, snapshot: Snapshot, policy: Policy) -> Catalog:
    """The catalog with the DaemonSets that count, and what bought nodes lack beside them."""
    catalog = replace(catalog, daemon_sets=countable(snapshot.daemon_sets or (), catalog, policy))
    return replace(catalog, shortfalls=shortfalls_of(snapshot, catalog))
