"""Puts the emulated Oracle cloud together from its parts and the machine's."""

import hashlib
import logging
from typing import Final

from catalog.loader import bundled
from emulator.cloud.clock import Clock
from emulator.cloud.fault import IDENTITY
from emulator.cloud.ids import Ids
from emulator.cloud.machine import Machine
from emulator.oci import certificates, state
from emulator.oci.errors import TROUBLES
from emulator.oci.identity_listener import Listener
from emulator.oci.principal import Workload
from emulator.oci.shapes import CLOUD, Shapes
from emulator.oci.tokens import TokenRefused, Tokens
from emulator.oci.world import Edges, World

LOG: Final = logging.getLogger(__name__)


class Region:
    """The cloud, ready to be served."""

    def __init__(self, machine: Machine, clock: Clock, seed: str) -> None:
        self.tokens: Final = Tokens()
        self._clock = clock
        self._network = loopback_network(str(machine.account_home))
        self._authority = certificates.create(machine.account_home)
        edges = Edges(
            machine=machine,
            open_identity=self._open_identity,
            identity_ca=self._authority.certificate_path,
        )
        faults = machine.faults.of(CLOUD)
        shapes = Shapes(bundled(CLOUD), lambda: faults.discontinued(clock.now()))
        self.world: Final = World(Ids(seed), clock, shapes, edges)

    def close(self) -> None:
        """End every cluster; errors of one do not keep the others alive."""
        for cluster in tuple(self.world.clusters.values()):
            if cluster.state == state.DELETED:
                continue
            try:
                if cluster.kube is not None:
                    cluster.kube.delete()
                if cluster.identity is not None:
                    cluster.identity.close()
            except Exception:
                LOG.exception("cluster %s did not end cleanly", cluster.context)

    def _open_identity(self, cluster_id: str) -> Listener:
        return Listener(
            self._authority, lambda token, key: self._exchange(cluster_id, token, key), self._network
        )

    def _exchange(self, cluster_id: str, token: str, pod_key: str) -> str:
        meeting = self.world.faults.meeting(IDENTITY, self._clock.now(), changes=False)
        if meeting.trouble is not None:
            raise TROUBLES[meeting.trouble % len(TROUBLES)]
        cluster = self.world.clusters[cluster_id]
        reviewed = cluster.kube.review_token(token, ()) if cluster.kube is not None else None
        if reviewed is None:
            raise TokenRefused(f"the ServiceAccount token is not one of cluster {cluster.context}")
        workload = Workload(cluster_id, reviewed.namespace, reviewed.name)
        LOG.info("a session token for %s", workload)
        return self.tokens.issue(workload, pod_key, self._clock.now())


def loopback_network(seed: str) -> str:
    """Three octets of a loopback network, likely another one for another emulator."""
    digest = hashlib.sha256(seed.encode()).digest()
    return f"127.{16 + digest[0] % 200}.{digest[1]}"
