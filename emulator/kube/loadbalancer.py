"""Gives Services of type LoadBalancer their address, as the cloud's controller does."""

import ipaddress
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emulator.kube.api import Api, ApiError, Object
from emulator.kube.cache import Cache

_SERVICES: Final = "/api/v1/services"
_RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """A Service, as far as its address goes."""

    namespace: str
    name: str
    wants_address: bool
    address: str
    ports: tuple[tuple[str, int], ...] = ()
    """Name and number of each."""


def parse_service(item: Object) -> Service:
    """A Service from its JSON; one with a load-balancer class is some other controller's."""
    spec = item["spec"]
    ingress = (item.get("status", {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return Service(
        namespace=item["metadata"]["namespace"],
        name=item["metadata"]["name"],
        wants_address=spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass"),
        address=ingress[0].get("ip", ""),
        ports=tuple((row.get("name") or "", row["port"]) for row in spec.get("ports") or ()),
    )


def free_address(network: ipaddress.IPv4Network, taken: Iterable[str]) -> str | None:
    """The first address of the network that no Service has, None when all are taken."""
    used = set(taken)
    return next((str(address) for address in network.hosts() if str(address) not in used), None)


class LoadBalancers:
    """Writes an address into the status of every Service that waits for one."""

    def __init__(self, api: Api, network: ipaddress.IPv4Network) -> None:
        self._api = api
        self._network = network
        self.services: Final[Cache[Service]] = Cache(api, _SERVICES, parse_service)
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load balancers", daemon=True)
        self.services.listen(self._on_service)

    def start(self) -> None:
        """Begin."""
        self.services.start()
        self._thread.start()

    def stop(self) -> None:
        """End the threads."""
        self._stopped.set()
        self._woken.set()
        self.services.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def served(self) -> frozenset[str]:
        """Services, `namespace/name`, that have an address."""
        services = self.services.items().items()
        return frozenset(key for key, service in services if service.wants_address and service.address)

    def _on_service(self, _key: str, service: Service | None) -> None:
        if service is not None and service.wants_address and not service.address:
            self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            if self._stopped.is_set():
                return
            self._woken.clear()
            if not self._serve() and not self._stopped.wait(_RETRY_S):
                self._woken.set()

    def _serve(self) -> bool:
        # Read afresh: the copy may not yet have the addresses given a moment ago.
        try:
            services = [parse_service(item) for item in self._api.get(_SERVICES)["items"]]
        except ApiError:
            return False
        taken = {service.address for service in services if service.address}
        complete = True
        for service in services:
            if not service.wants_address or service.address:
                continue
            address = free_address(self._network, taken)
            if address is None:
                _log.warning(
                    "service %s/%s: no address left in %s", service.namespace, service.name, self._network
                )
                return True
            taken.add(address)
            complete &= self._give(service, address)
        return complete

    def _give(self, service: Service, address: str) -> bool:
        try:
            self._api.patch(
                f"/api/v1/namespaces/{service.namespace}/services/{service.name}/status",
                {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}},
            )
        except ApiError as fault:
            return fault.not_found
        return True
