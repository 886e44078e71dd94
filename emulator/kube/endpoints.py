"""Which processes are behind a Service now, and which of them takes the next request: pure."""

import ipaddress
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from emulator.kube.addresses import loopback
from emulator.kube.api import Object

SERVICE_LABEL: Final = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A process that serves."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Slice:
    """An EndpointSlice: the ready endpoints of a Service, by the port's name."""

    service: str
    """`namespace/name`."""
    ready: tuple[tuple[str, Endpoint], ...]


def parse_slice(item: Object) -> Slice:
    """An EndpointSlice from its JSON; what terminates or is not ready is left out."""
    metadata = item["metadata"]
    ports = [(row.get("name") or "", row["port"]) for row in item.get("ports") or ()]
    addresses = [
        address
        for row in item.get("endpoints") or ()
        if _takes_requests(row.get("conditions") or {})
        for address in row["addresses"]
    ]
    return Slice(
        service=f"{metadata['namespace']}/{(metadata.get('labels') or {}).get(SERVICE_LABEL, '')}",
        ready=tuple((name, Endpoint(address, port)) for name, port in ports for address in addresses),
    )


def behind(
    slices: Iterable[Slice], service: str, port_name: str, processes: ipaddress.IPv4Network
) -> frozenset[Endpoint]:
    """The Service's ready endpoints where their processes listen; what is no process of ours is left out."""
    return frozenset(
        Endpoint(loopback(endpoint.address), endpoint.port)
        for each in slices
        if each.service == service
        for name, endpoint in each.ready
        if name == port_name and ipaddress.IPv4Address(endpoint.address) in processes
    )


class Turns:
    """Chooses the endpoint with the fewest requests in flight, and among equals the one that waited longest.

    For one event loop: not safe for several threads, but for `replace`.
    """

    def __init__(self) -> None:
        self._endpoints: frozenset[Endpoint] = frozenset()
        self._in_flight: dict[Endpoint, int] = {}
        self._last_turn: dict[Endpoint, int] = {}
        self._turn = 0

    def replace(self, endpoints: frozenset[Endpoint]) -> None:
        """From now on choose among these; requests on others go on to their end."""
        self._endpoints = endpoints

    def candidates(self) -> list[Endpoint]:
        """All endpoints, the best first."""
        return sorted(
            self._endpoints,
            key=lambda each: (self._in_flight.get(each, 0), self._last_turn.get(each, 0), each),
        )

    @contextmanager
    def taken(self, endpoint: Endpoint) -> Iterator[None]:
        """While a request is with an endpoint."""
        self._turn += 1
        self._last_turn[endpoint] = self._turn
        self._in_flight[endpoint] = self._in_flight.get(endpoint, 0) + 1
        try:
            yield
        finally:
            self._in_flight[endpoint] -= 1
            if not self._in_flight[endpoint] and endpoint not in self._endpoints:
                del self._in_flight[endpoint]
                del self._last_turn[endpoint]


def _takes_requests(conditions: Object) -> bool:
    return conditions.get("ready") is not False and not conditions.get("terminating")
