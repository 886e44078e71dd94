"""The service limits: how many machines the account may have, and how many it has."""

from collections.abc import Iterator
from typing import Final

from emulator.cloud.errors import ApiError
from emulator.cloud.http import Answer
from emulator.oci import account, capacity
from emulator.oci.errors import not_found
from emulator.oci.http import Call, Endpoint
from emulator.oci.world import World

BASE: Final = "/20190729"
_SERVICE: Final = "compute"


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
        limit = capacity.LIMITS_BY_NAME.get(call.parameters["limit"])
        if call.parameters["service"] != _SERVICE or limit is None:
            raise not_found(f"limit {call.parameters['limit']} of {call.parameters['service']}")
        domain = call.one("availabilityDomain")
        if domain not in account.AVAILABILITY_DOMAINS:
            there = ", ".join(account.AVAILABILITY_DOMAINS)
            raise ApiError(400, "InvalidParameter", f"availabilityDomain: '{domain}' must be one of {there}")
        used, allowed = capacity.used(self._world, limit, domain), capacity.allowed(self._world, limit)
        left = max(0, allowed - used)
        return Answer(
            {
                "used": used,
                "available": left,
                "fractionalUsage": float(used),
                "fractionalAvailability": float(left),
                "effectiveQuotaValue": float(allowed),
            }
        )
