"""Keeps a balancer for every Service that has a load balancer's address, and tells it its endpoints."""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from emulator.kube.addresses import process_pod_range
from emulator.kube.api import Api
from emulator.kube.balancer import Balancer
from emulator.kube.cache import Cache
from emulator.kube.endpoints import Slice, behind, parse_slice
from emulator.kube.guard import survives
from emulator.kube.loadbalancer import Service

_SLICES: Final = "/apis/discovery.k8s.io/v1/endpointslices"
_RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)

_Place = tuple[str, str, int]
"""Service, address and port of a balancer."""


class Traffic:
    """The balancers of a cluster."""

    def __init__(self, api: Api, services: Cache[Service], unique_port: int) -> None:
        self._services = services
        self._processes = process_pod_range(unique_port)
        self._slices: Cache[Slice] = Cache(api, _SLICES, parse_slice)
        self._balancers: dict[_Place, Balancer] = {}
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        services.listen(lambda _key, _service: self._woken.set())
        self._slices.listen(lambda _key, _slice: self._woken.set())

    def start(self) -> None:
        """Begin."""
        self._slices.start()
        self._thread.start()

    def stop(self) -> None:
        """End every balancer."""
        self._stopped.set()
        self._woken.set()
        self._slices.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._woken.wait()
            self._woken.clear()
            if not self._stopped.is_set():
                survives("balancers", self._follow)
        for balancer in self._balancers.values():
            balancer.stop()

    def _follow(self) -> None:
        wanted = self._wanted(self._services.items())
        for place in self._balancers.keys() - wanted.keys():
            self._balancers.pop(place).stop()
        slices = list(self._slices.items().values())
        for place, port_name in wanted.items():
            balancer = self._balancers.get(place) or self._open(place)
            if balancer is not None:
                balancer.replace(behind(slices, place[0], port_name, self._processes))

    def _open(self, place: _Place) -> Balancer | None:
        try:
            balancer = Balancer(*place)
        except OSError as fault:
            _log.warning("service %s: cannot listen on %s:%d: %s", *place, fault.strerror)
            threading.Timer(_RETRY_S, self._woken.set).start()
            return None
        _log.info("service %s: listens on %s:%d", *place)
        self._balancers[place] = balancer
        return balancer

    @staticmethod
    def _wanted(services: Mapping[str, Service]) -> dict[_Place, str]:
        """Every place to listen at, with the name of the Service's port."""
        return {
            (key, service.address, port): name
            for key, service in services.items()
            if service.wants_address and service.address
            for name, port in service.ports
        }
