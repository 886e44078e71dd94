"""Charges for load balancers: the cloud's own controller would make one for each Service of that type.

The clusters are asked every few seconds, so that the bill also counts those that are gone again.
"""

import logging
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx

from emulator.cloud.clock import Clock
from emulator.cloud.kube import Kube
from emulator.cloud.machine import Published
from emulator.cloud.meter import Charge, Meter

LOG: Final = logging.getLogger(__name__)
_PERIOD_S: Final = 5.0
_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Billing:
    """Where and at what price load balancers are charged."""

    cloud: str
    price_per_hour: Decimal
    meter: Meter
    clock: Clock
    lock: threading.RLock


def client_of(kube: Kube) -> httpx.Client:
    """Calls the cluster's API server as its administrator."""
    context = ssl.create_default_context(cadata=kube.ca_pem.decode())
    descriptor, name = tempfile.mkstemp()
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(kube.client_cert_pem + kube.client_key_pem)
        context.load_cert_chain(path)
    finally:
        path.unlink()
    return httpx.Client(base_url=kube.server, verify=context, timeout=_TIMEOUT_S)


class BalancerWatch:
    """Looks for Services of type LoadBalancer in the clusters of a cloud."""

    def __init__(
        self,
        billing: Billing,
        clusters: Callable[[], Iterable[Published]],
        connect: Callable[[Kube], httpx.Client] = client_of,
    ) -> None:
        self._billing = billing
        self._connect = connect
        self._clusters = clusters
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"load balancers of {billing.cloud}", daemon=True
        )
        self._clients: dict[str, tuple[str, httpx.Client]] = {}
        self._seen: dict[str, str] = {}
        """Charge to cluster."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_TIMEOUT_S)

    def look(self) -> None:
        """Look once at every cluster."""
        with self._billing.lock:
            clusters = tuple(self._clusters())
        there = {cluster.id: cluster for cluster in clusters if not cluster.gone}
        for cluster in there.values():
            if cluster.usable and cluster.kube is not None:
                self._look_at(cluster, cluster.kube)
        for cluster_id in {*self._seen.values(), *self._clients} - set(there):
            self._forget(cluster_id)

    def _run(self) -> None:
        while not self._stopped.wait(_PERIOD_S):
            try:
                self.look()
            except Exception:
                LOG.exception("load balancers")

    def _look_at(self, cluster: Published, kube: Kube) -> None:
        server, client = self._clients.get(cluster.id, ("", None))
        if client is None or server != kube.server:  # another cluster may have come by this id
            self._close(cluster.id)
            client = self._connect(kube)
            self._clients[cluster.id] = (kube.server, client)
        try:
            answer = client.get("/api/v1/services")
            answer.raise_for_status()
        except httpx.HTTPError as fault:
            LOG.debug("services of %s: %s", cluster.context, fault)
            return
        found = {
            f"{cluster.id}/loadbalancer/{item['metadata']['uid']}"
            for item in answer.json()["items"]
            if item["spec"].get("type") == "LoadBalancer"
        }
        self._settle(cluster.id, cluster.context, found)

    def _forget(self, cluster_id: str) -> None:
        self._settle(cluster_id, "", set())
        self._close(cluster_id)

    def _close(self, cluster_id: str) -> None:
        _, client = self._clients.pop(cluster_id, ("", None))
        if client is not None:
            client.close()

    def _settle(self, cluster_id: str, context: str, found: set[str]) -> None:
        billing = self._billing
        with billing.lock:
            now = billing.clock.now()
            for charge_id in found - set(self._seen):
                price = billing.price_per_hour
                billing.meter.start(Charge(charge_id, "load-balancer", billing.cloud, context, price), now)
                self._seen[charge_id] = cluster_id
            gone = [key for key, owner in self._seen.items() if owner == cluster_id and key not in found]
            for charge_id in gone:
                billing.meter.stop(charge_id, now)
                del self._seen[charge_id]
