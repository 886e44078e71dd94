"""Network and identity resources: one generic store over the table of kinds.

It keeps what the real API would refuse to break: references exist, nothing in use is deleted,
subnets lie in their VCN and do not overlap.
"""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from emulator.cloud.clock import Clock, rfc3339
from emulator.cloud.ids import Ids, unique_part
from emulator.oci import policy
from emulator.oci.errors import conflict, invalid, not_found
from emulator.oci.network_kinds import KINDS, ROUTE_TABLES, SECURITY_LISTS, SUBNETS, VCNS, Kind

_AVAILABLE: Final = {"network": "AVAILABLE", "identity": "ACTIVE", "artifacts": "AVAILABLE"}
_Network = ipaddress.IPv4Network


@dataclass(slots=True)
class Record:
    """A resource as the API shows it; its version makes the etag."""

    kind: Kind
    value: dict[str, Any]
    version: int = 1
    owner: str | None = None
    """The VCN it came with and goes with: default route table and security list."""

    @property
    def etag(self) -> str:
        """Of this version."""
        return f"{unique_part(str(self.value['id']))}-{self.version}"


class Store:
    """The resources; the caller holds the cloud's lock."""

    def __init__(self, ids: Ids, clock: Clock, used_by: Callable[[str], str | None]) -> None:
        """`used_by` names what outside this store uses an id, for example a node pool."""
        self._ids = ids
        self._clock = clock
        self._used_by = used_by
        self._records: dict[str, Record] = {}

    def find(self, kind: Kind, resource_id: str) -> Record | None:
        """A resource of a kind, or None."""
        record = self._records.get(resource_id)
        return record if record is not None and record.kind is kind else None

    def get(self, kind: Kind, resource_id: str) -> Record:
        """A resource of a kind.

        Raises:
            ApiError: 404.
        """
        record = self.find(kind, resource_id)
        if record is None:
            raise not_found(f"{kind.ocid} {resource_id}")
        return record

    def all(self, kind: Kind) -> Iterator[Record]:
        """Every resource of a kind, oldest first."""
        return (record for record in tuple(self._records.values()) if record.kind is kind)

    def create(self, kind: Kind, details: dict[str, Any]) -> Record:
        """Keep a new resource.

        Raises:
            ApiError: 400 with every fault of the details, 404 for a reference to nothing.
        """
        missing = [f"{name}: required" for name in kind.required if details.get(name) is None]
        unknown = [f"{name}: not a field of {kind.path}" for name in sorted(set(details) - kind.accepted)]
        if missing or unknown:
            raise invalid("; ".join((*missing, *unknown)))
        given = {**kind.defaults, **{name: value for name, value in details.items() if value is not None}}
        self._check(kind, given, None)
        record = self._keep(kind, given)
        complete = _COMPLETE.get(kind.path)
        if complete is not None:
            complete(self, record)
        return record

    def update(self, record: Record, changes: dict[str, Any]) -> Record:
        """Change a resource.

        Raises:
            ApiError: 400 for fields that cannot be changed, 404 for a reference to nothing.
        """
        fixed = sorted(set(changes) - set(record.kind.mutable))
        if fixed:
            raise invalid("; ".join(f"{name}: cannot be changed" for name in fixed))
        value = {**record.value, **{name: new for name, new in changes.items() if new is not None}}
        self._check(record.kind, value, str(record.value["id"]))
        record.value = value
        record.version += 1
        return record

    def delete(self, record: Record) -> None:
        """Remove a resource, with what came with it.

        Raises:
            ApiError: 409 when something uses it.
        """
        resource_id = str(record.value["id"])
        if record.owner is not None:
            raise conflict(
                f"{record.kind.ocid} {resource_id} is a default of {record.owner} and goes with it"
            )
        user = self._user_of(resource_id) or self._used_by(resource_id)
        if user is not None:
            raise conflict(f"{record.kind.ocid} {resource_id} cannot be deleted: {user} uses it")
        del self._records[resource_id]
        for other in [key for key, entry in self._records.items() if entry.owner == resource_id]:
            del self._records[other]

    def subnet_network(self, subnet_id: str) -> _Network:
        """The addresses of a subnet."""
        return ipaddress.IPv4Network(str(self.get(SUBNETS, subnet_id).value["cidrBlock"]))

    def _keep(self, kind: Kind, given: dict[str, Any], owner: str | None = None) -> Record:
        resource_id = self._ids.next(kind.ocid)
        now = rfc3339(self._clock.now())
        name = (
            {} if kind.service == "identity" else {"displayName": f"{kind.ocid}{now[:10].replace('-', '')}"}
        )
        value = {
            **name,
            "freeformTags": {},
            "definedTags": {},
            **given,
            "id": resource_id,
            "lifecycleState": _AVAILABLE[kind.service],
            "timeCreated": now,
        }
        record = Record(kind, value, owner=owner)
        self._records[resource_id] = record
        return record

    def _check(self, kind: Kind, value: dict[str, Any], own_id: str | None) -> None:
        for name, path in kind.references.items():
            for reference in _as_list(value.get(name)):
                target = self.get(KINDS[path], reference)
                vcn = target.value.get("vcnId", value.get("vcnId"))
                if name != "vcnId" and vcn != value.get("vcnId"):
                    raise invalid(f"{name}: {reference} belongs to another VCN")
        check_new = _NEW.get(kind.path)
        if own_id is None and check_new is not None:
            check_new(self, value)
        if kind.path == "policies":
            for statement in value["statements"]:
                policy.parse(statement)
        for rule in value.get("routeRules") or []:
            self._check_rule(rule, str(value["vcnId"]))

    def _check_rule(self, rule: dict[str, Any], vcn_id: str) -> None:
        entity = str(rule.get("networkEntityId", ""))
        record = self._records.get(entity)
        if record is None or not record.kind.path.endswith("Gateways"):
            raise not_found(f"network entity {entity} of a route rule")
        if record.value["vcnId"] != vcn_id:
            raise invalid(f"routeRules: {entity} belongs to another VCN")

    def _user_of(self, resource_id: str) -> str | None:
        for other_id, record in self._records.items():
            if resource_id in {other_id, record.owner}:
                continue
            if any(resource_id in _as_list(record.value.get(name)) for name in record.kind.references):
                return other_id
            if any(
                rule.get("networkEntityId") == resource_id for rule in record.value.get("routeRules") or []
            ):
                return other_id
        return None

    def complete_vcn(self, record: Record) -> None:
        """Give a new VCN its default route table and security list, as the real API does."""
        vcn = record.value
        blocks = _as_list(vcn.get("cidrBlocks")) or _as_list(vcn.get("cidrBlock"))
        shared = {"compartmentId": vcn["compartmentId"], "vcnId": vcn["id"]}
        name = vcn["displayName"]
        table = self._keep(
            ROUTE_TABLES,
            {**shared, "displayName": f"Default Route Table for {name}", "routeRules": []},
            vcn["id"],
        )
        rules = self._keep(
            SECURITY_LISTS,
            {**shared, "displayName": f"Default Security List for {name}", **_DEFAULT_RULES},
            vcn["id"],
        )
        vcn.update(
            cidrBlock=blocks[0],
            cidrBlocks=blocks,
            defaultRouteTableId=table.value["id"],
            defaultSecurityListId=rules.value["id"],
            defaultDhcpOptionsId=self._ids.next("dhcpoptions"),
        )
        if vcn.get("dnsLabel"):
            vcn["vcnDomainName"] = f"{vcn['dnsLabel']}.oraclevcn.com"

    def complete_subnet(self, record: Record) -> None:
        """Fill in what the real API fills in for a subnet."""
        subnet = record.value
        vcn = self.get(VCNS, str(subnet["vcnId"])).value
        network = ipaddress.IPv4Network(str(subnet["cidrBlock"]))
        private = bool(subnet.get("prohibitPublicIpOnVnic") or subnet.get("prohibitInternetIngress"))
        subnet.setdefault("routeTableId", vcn["defaultRouteTableId"])
        subnet.setdefault("securityListIds", [vcn["defaultSecurityListId"]])
        subnet.setdefault("dhcpOptionsId", vcn["defaultDhcpOptionsId"])
        subnet.update(
            prohibitPublicIpOnVnic=private,
            prohibitInternetIngress=private,
            virtualRouterIp=str(network.network_address + 1),
            virtualRouterMac=f"00:00:17:{unique_part(str(subnet['id']))[:2]}:00:01",
        )
        if subnet.get("dnsLabel") and vcn.get("vcnDomainName"):
            subnet["subnetDomainName"] = f"{subnet['dnsLabel']}.{vcn['vcnDomainName']}"

    def check_new_subnet(self, value: dict[str, Any]) -> None:
        """Refuse a subnet outside its VCN or over another one."""
        network = _network("cidrBlock", str(value["cidrBlock"]))
        vcn = self.get(VCNS, str(value["vcnId"])).value
        if not any(network.subnet_of(_network("cidrBlocks", block)) for block in vcn["cidrBlocks"]):
            raise invalid(f"cidrBlock: {network} is not in the VCN's {', '.join(vcn['cidrBlocks'])}")
        for other in self.all(SUBNETS):
            if other.value["vcnId"] == vcn["id"] and network.overlaps(_network("", other.value["cidrBlock"])):
                raise invalid(
                    f"cidrBlock: {network} overlaps subnet {other.value['id']} {other.value['cidrBlock']}"
                )

    def check_new_vcn(self, value: dict[str, Any]) -> None:
        """Refuse a VCN without addresses."""
        blocks = _as_list(value.get("cidrBlocks")) or _as_list(value.get("cidrBlock"))
        if not blocks:
            raise invalid("cidrBlocks: required")
        for block in blocks:
            _network("cidrBlocks", block)

    def complete_services(self, record: Record) -> None:
        """Name the services of a service gateway."""
        record.value["services"] = [
            {"serviceId": entry["serviceId"], "serviceName": service_name(entry["serviceId"])}
            for entry in record.value["services"]
        ]

    def complete_nat(self, record: Record) -> None:
        """Give a NAT gateway its public address, of the range reserved for documentation."""
        octet = 1 + int(unique_part(str(record.value["id"]))[:2], 16) % 254
        record.value["natIp"] = f"203.0.113.{octet}"


SERVICES: Final = (
    {
        "id": "ocid1.service.oc1.iad.emulatedallservices",
        "name": "All IAD Services In Oracle Services Network",
        "description": "All IAD Services In Oracle Services Network",
        "cidrBlock": "all-iad-services-in-oracle-services-network",
    },
    {
        "id": "ocid1.service.oc1.iad.emulatedobjectstorage",
        "name": "OCI IAD Object Storage",
        "description": "OCI IAD Object Storage",
        "cidrBlock": "oci-iad-objectstorage",
    },
)


def service_name(service_id: str) -> str:
    """Name of a service that gateways reach.

    Raises:
        ApiError: 404 for one that does not exist.
    """
    for service in SERVICES:
        if service["id"] == service_id:
            return service["name"]
    raise not_found(f"service {service_id}")


_DEFAULT_RULES: Final[dict[str, Any]] = {
    "egressSecurityRules": [{"destination": "0.0.0.0/0", "destinationType": "CIDR_BLOCK", "protocol": "all"}],
    "ingressSecurityRules": [
        {
            "source": "0.0.0.0/0",
            "sourceType": "CIDR_BLOCK",
            "protocol": "6",
            "tcpOptions": {"destinationPortRange": {"min": 22, "max": 22}},
        }
    ],
}

_NEW: Final[dict[str, Callable[[Store, dict[str, Any]], None]]] = {
    "vcns": Store.check_new_vcn,
    "subnets": Store.check_new_subnet,
}
_COMPLETE: Final[dict[str, Callable[[Store, Record], None]]] = {
    "vcns": Store.complete_vcn,
    "subnets": Store.complete_subnet,
    "serviceGateways": Store.complete_services,
    "natGateways": Store.complete_nat,
}


def _as_list(value: Any) -> list[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [str(value)]


def _network(name: str, text: str) -> _Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as fault:
        raise invalid(f"{name}: '{text}' is not an IPv4 network: {fault}") from None
