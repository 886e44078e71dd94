"""The network and identity APIs, from the table of kinds."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from emulator.cloud.fault import IDENTITY, NETWORK
from emulator.cloud.http import Answer
from emulator.cloud.meter import Charge
from emulator.oci import account
from emulator.oci.errors import not_found
from emulator.oci.http import Call, Endpoint, check_compartment, check_etag, page, versioned
from emulator.oci.network_kinds import KINDS, NAT_GATEWAYS, SECURITY_GROUPS, VCNS, Kind
from emulator.oci.principal import Need, Verb
from emulator.oci.shapes import CLOUD
from emulator.oci.store import SERVICES, Record
from emulator.oci.world import NAT_GATEWAY_PRICE, World

BASE: Final = "/20160918"
_READ_NETWORK: Final = (Need(Verb.READ, "virtual-network-family"),)
_INSPECT_COMPARTMENTS: Final = (Need(Verb.INSPECT, "compartments"),)
_FILTERS: Final = ("vcnId", "displayName", "name", "lifecycleState")


class Core:
    """Create, show, change and delete resources of every kind."""

    def __init__(self, world: World) -> None:
        self._world = world

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation, with the service it is of."""
        for kind in KINDS.values():
            service = NETWORK if kind.service == "network" else IDENTITY
            yield from (replace(each, service=service) for each in self._crud(kind))
        yield from (replace(each, service=NETWORK) for each in self._network())
        yield Endpoint(
            "GET",
            f"{BASE}/availabilityDomains",
            _domains,
            _INSPECT_COMPARTMENTS,
            _of_query,
            service=IDENTITY,
        )

    def _network(self) -> Iterator[Endpoint]:
        group = f"{BASE}/{SECURITY_GROUPS.path}/{{id}}"
        yield Endpoint("GET", f"{group}/securityRules", self._rules)
        yield Endpoint("POST", f"{group}/actions/addSecurityRules", self._add_rules)
        yield Endpoint("POST", f"{group}/actions/updateSecurityRules", self._update_rules)
        yield Endpoint("POST", f"{group}/actions/removeSecurityRules", self._remove_rules)
        yield Endpoint("GET", f"{BASE}/services", lambda call: page(SERVICES, call))
        yield Endpoint("GET", f"{BASE}/services/{{id}}", _service)

    def _crud(self, kind: Kind) -> Iterator[Endpoint]:
        """A workload may read networks when a policy lets it; nothing else here is for workloads."""
        base = f"{BASE}/{kind.path}"
        reads = _READ_NETWORK if kind.service == "network" else ()
        of_query = _of_query if reads else None

        def of_record(call: Call) -> str | None:
            record = self._world.store.find(kind, call.parameters["id"])
            return str(record.value["compartmentId"]) if record is not None and reads else None

        yield Endpoint("POST", base, lambda call: self._create(kind, call))
        yield Endpoint("GET", base, lambda call: self._list(kind, call), reads, of_query)
        yield Endpoint("GET", f"{base}/{{id}}", lambda call: self._get(kind, call), reads, of_record)
        yield Endpoint("PUT", f"{base}/{{id}}", lambda call: self._update(kind, call))
        yield Endpoint("DELETE", f"{base}/{{id}}", lambda call: self._delete(kind, call))

    def _create(self, kind: Kind, call: Call) -> Answer:
        details = call.object()
        check_compartment(details.get("compartmentId"))
        record = self._world.store.create(kind, details)
        if kind is NAT_GATEWAYS:
            self._charge_nat(record)
        return versioned(record.value, record.etag)

    def _get(self, kind: Kind, call: Call) -> Answer:
        record = self._world.store.get(kind, call.parameters["id"])
        return versioned(record.value, record.etag)

    def _list(self, kind: Kind, call: Call) -> Answer:
        wanted = {"compartmentId": call.required("compartmentId")}
        wanted |= {name: value for name in _FILTERS if (value := call.one(name)) is not None}
        return page(
            [
                record.value
                for record in self._world.store.all(kind)
                if all(record.value.get(name) == value for name, value in wanted.items())
            ],
            call,
        )

    def _update(self, kind: Kind, call: Call) -> Answer:
        record = self._world.store.get(kind, call.parameters["id"])
        check_etag(call, record.etag)
        self._world.store.update(record, call.object())
        return versioned(record.value, record.etag)

    def _delete(self, kind: Kind, call: Call) -> Answer:
        record = self._world.store.get(kind, call.parameters["id"])
        check_etag(call, record.etag)
        self._world.store.delete(record)
        if kind is SECURITY_GROUPS:
            self._world.rules.drop(call.parameters["id"])
        self._world.meter.stop(call.parameters["id"], self._world.clock.now())
        return Answer(status=204)

    def _charge_nat(self, record: Record) -> None:
        vcn = self._world.store.get(VCNS, str(record.value["vcnId"]))
        charge = Charge(
            str(record.value["id"]),
            "nat-gateway",
            CLOUD,
            str(vcn.value["displayName"]),
            Decimal(NAT_GATEWAY_PRICE),
        )
        self._world.meter.start(charge, self._world.clock.now())

    def _group(self, call: Call) -> str:
        return str(self._world.store.get(SECURITY_GROUPS, call.parameters["id"]).value["id"])

    def _rules(self, call: Call) -> Answer:
        direction = call.one("direction")
        rules = self._world.rules.of(self._group(call))
        return page([rule for rule in rules if direction in {None, rule["direction"]}], call)

    def _add_rules(self, call: Call) -> Answer:
        rules = call.object().get("securityRules") or []
        return Answer({"securityRules": self._world.rules.add(self._group(call), rules)})

    def _update_rules(self, call: Call) -> Answer:
        rules = call.object().get("securityRules") or []
        return Answer({"securityRules": self._world.rules.update(self._group(call), rules)})

    def _remove_rules(self, call: Call) -> Answer:
        self._world.rules.remove(self._group(call), call.object().get("securityRuleIds") or [])
        return Answer(status=204)


def _of_query(call: Call) -> str | None:
    return call.one("compartmentId")


def _service(call: Call) -> Answer:
    for service in SERVICES:
        if service["id"] == call.parameters["id"]:
            return Answer(service)
    raise not_found(f"service {call.parameters['id']}")


def _domains(call: Call) -> Answer:
    compartment = call.required("compartmentId")
    return Answer(
        [
            {
                "name": name,
                "id": f"ocid1.availabilitydomain.oc1..emulated{place}",
                "compartmentId": compartment,
            }
            for place, name in enumerate(account.AVAILABILITY_DOMAINS, 1)
        ]
    )
