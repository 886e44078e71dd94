"""The service limits: how many machines the account may have, and how many it has."""

from collections.abc import Iterator, Mapping
from typing import Final

from catalog.oke_limits import GIB, GPUS, LIMITS, OCPUS, Limit
from emulator.cloud.errors import ApiError
from emulator.cloud.http import Answer
from emulator.oci import account
from emulator.oci.errors import not_found
from emulator.oci.http import Call, Endpoint
from emulator.oci.shapes import Machine
from emulator.oci.state import DELETED
from emulator.oci.world import World

BASE: Final = "/20190729"
_SERVICE: Final = "compute"
_KNOWN: Final[Mapping[str, Limit]] = {limit.name: limit for limits in LIMITS.values() for limit in limits}


class Limits:
    """Shows what is left of a limit."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        path = f"{BASE}/services/{{service}}/limits/{{limit}}/resourceAvailability"
        yield Endpoint("GET", path, self._availability)

    def _availability(self, call: Call) -> Answer:
        call.required("compartmentId")
        limit = _KNOWN.get(call.parameters["limit"])
        if call.parameters["service"] != _SERVICE or limit is None:
            raise not_found(f"limit {call.parameters['limit']} of {call.parameters['service']}")
        domain = call.one("availabilityDomain")
        if domain not in account.AVAILABILITY_DOMAINS:
            there = ", ".join(account.AVAILABILITY_DOMAINS)
            raise ApiError(400, "InvalidParameter", f"availabilityDomain: '{domain}' must be one of {there}")
        used = self._used(limit, domain)
        left = max(0, account.SERVICE_LIMIT - used)
        return Answer(
            {
                "used": used,
                "available": left,
                "fractionalUsage": float(used),
                "fractionalAvailability": float(left),
                "effectiveQuotaValue": float(account.SERVICE_LIMIT),
            }
        )

    def _used(self, limit: Limit, domain: str) -> int:
        return sum(
            _amount(instance.machine, limit.unit)
            for pool in self._world.pools.values()
            for instance in pool.instances.values()
            if instance.state != DELETED
            and instance.availability_domain == domain
            and limit in LIMITS.get(self._world.shapes.family(instance.machine.shape), ())
        )


def _amount(machine: Machine, unit: str) -> int:
    return {OCPUS: machine.ocpus, GIB: machine.memory_gib, GPUS: machine.gpus}[unit]
