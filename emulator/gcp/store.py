"""Network resources: one generic store over the table of kinds.

It keeps what the real API would refuse to break: references exist, nothing in use is deleted,
ranges of one network do not overlap.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.cloud.clock import Clock, rfc3339
from emulator.gcp import account
from emulator.gcp.account import COMPUTE_URL, PROJECT
from emulator.gcp.errors import GoogleError, in_use, invalid, resource_not_found
from emulator.gcp.network_kinds import (
    NAT_DEFAULTS,
    NAT_REQUIRED,
    NETWORKS,
    ROUTERS,
    SUBNETWORKS,
    Kind,
)
from emulator.gcp.state import digest, number_of

_NAME: Final = re.compile(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
_DEFAULT_RANGE: Final = "10.128.0.0/20"
"""Of the default network's subnetwork in the first region."""
_Range = ipaddress.IPv4Network


@dataclass(slots=True)
class Record:
    """A resource as the API shows it."""

    kind: Kind
    path: str
    """Below the API's root."""
    value: dict[str, Any]
    version: int = 1

    @property
    def url(self) -> str:
        """Link to itself."""
        return f"{COMPUTE_URL}/{self.path}"


class Store:
    """The resources; the caller holds the cloud's lock."""

    def __init__(self, clock: Clock, used_by: Callable[[str], str | None]) -> None:
        """`used_by` names what outside this store uses a path, for example a cluster."""
        self._clock = clock
        self._used_by = used_by
        self._records: dict[str, Record] = {}
        self.insert(NETWORKS, None, {"name": "default", "description": "Default network for the project"})

    def find(self, path: str) -> Record | None:
        """A resource by its path, or None."""
        return self._records.get(path)

    def get(self, path: str) -> Record:
        """A resource by its path.

        Raises:
            ApiError: 404.
        """
        record = self._records.get(path)
        if record is None:
            raise resource_not_found(path)
        return record

    def all(self, kind: Kind, region: str | None = None) -> Iterator[Record]:
        """Every resource of a kind, of one region or of all, oldest first."""
        within = f"projects/{PROJECT}/regions/{region}/" if region else ""
        return (
            record
            for record in tuple(self._records.values())
            if record.kind is kind and record.path.startswith(within)
        )

    def insert(self, kind: Kind, region: str | None, details: Mapping[str, Any]) -> Record:
        """Keep a new resource.

        Raises:
            ApiError: 400 with every fault of the details, 404 for a reference to nothing, 409 when the
                name is taken.
        """
        given = {name: value for name, value in details.items() if value is not None}
        faults = [f"Required field '{name}' not specified" for name in kind.required if name not in given]
        faults += [f"Unknown name '{name}'" for name in sorted(set(given) - kind.accepted)]
        if not _NAME.match(str(given.get("name", "a"))):
            faults.append(
                f"Invalid value for field 'resource.name': '{given['name']}'. Must be a match of regex "
                "'(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"
            )
        if faults:
            raise invalid("; ".join(faults))
        path = path_of(kind, region, str(given["name"]))
        if path in self._records:
            raise GoogleError(409, "ALREADY_EXISTS", f"The resource '{path}' already exists")
        record = Record(kind, path, {**kind.defaults, **given})
        self._check(record)
        self._complete(record, region)
        self._records[path] = record
        if kind is NETWORKS and record.value["autoCreateSubnetworks"]:
            self._create_subnetwork(record)
        return record

    def patch(self, record: Record, changes: Mapping[str, Any]) -> Record:
        """Change a resource; what is given as it was is no change.

        Raises:
            ApiError: 400 for fields that cannot be changed, 404 for a reference to nothing.
        """
        changed = {name: new for name, new in changes.items() if new != record.value.get(name)}
        changed.pop("fingerprint", None)
        fixed = sorted(set(changed) - set(record.kind.mutable))
        if fixed:
            raise invalid("; ".join(f"Field '{name}' cannot be changed" for name in fixed))
        draft = Record(record.kind, record.path, {**record.value, **changed})
        self._check(draft)
        record.value = draft.value
        record.version += 1
        self._stamp(record)
        return record

    def expand(self, record: Record, text: str) -> None:
        """Give a subnetwork a larger range around its own.

        Raises:
            ApiError: 400 when it is not larger, or lies over another.
        """
        before, after = _Range(record.value["ipCidrRange"]), _range("ipCidrRange", text)
        if not before.subnet_of(after) or before == after:
            raise invalid(f"ipCidrRange: {after} does not contain {before}")
        draft = Record(record.kind, record.path, {**record.value, "ipCidrRange": text})
        self._check(draft)
        record.value = draft.value
        record.version += 1
        self._stamp(record)

    def delete(self, record: Record) -> None:
        """Remove a resource; an automatic network goes with its subnetworks.

        Raises:
            ApiError: 400 when something uses it.
        """
        own = [
            other.path
            for other in self.all(SUBNETWORKS)
            if record.value.get("autoCreateSubnetworks") and other.value["network"] == record.url
        ]
        for path in (record.path, *own):
            user = self._user_of(path, own) or self._used_by(path)
            if user is not None:
                raise in_use(path, user)
        for path in (record.path, *own):
            del self._records[path]

    def reference(self, kind: Kind, text: str, region: str | None = None) -> Record:
        """What a link, path or plain name refers to.

        Raises:
            ApiError: 404.
        """
        path = text.removeprefix(f"{COMPUTE_URL}/").lstrip("/")
        path = re.sub(r"^https?://[^/]+/compute/[^/]+/", "", path)
        if "/" not in path:
            path = path_of(kind, region, path)
        elif not path.startswith("projects/"):
            path = f"projects/{PROJECT}/{path}"
        record = self._records.get(path)
        if record is None or record.kind is not kind:
            raise resource_not_found(path)
        return record

    def nats(self) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        """Every NAT gateway with its router."""
        for router in self.all(ROUTERS):
            for nat in router.value.get("nats") or ():
                yield router, nat

    def _check(self, record: Record) -> None:
        value = record.value
        if "network" in value:
            network = self.reference(NETWORKS, str(value["network"]))
            value["network"] = network.url
        _CHECKS[record.kind.path](self, record)

    def check_network(self, record: Record) -> None:
        """A network has nothing to be held against."""

    def check_subnetwork(self, record: Record) -> None:
        """Refuse ranges that are none, or that lie over others of the network."""
        own = list(_ranges(record.value))
        names = [str(entry.get("rangeName")) for entry in record.value.get("secondaryIpRanges") or ()]
        if len(set(names)) != len(names):
            raise invalid(f"secondaryIpRanges: names must differ, got {', '.join(names)}")
        taken = [
            (name, block, other.path)
            for other in self.all(SUBNETWORKS)
            if other.path != record.path and other.value["network"] == record.value["network"]
            for name, block in _ranges(other.value)
        ]
        for place, (name, block) in enumerate(own):
            for other_name, other_block, path in (
                *taken,
                *((other, range_, record.path) for other, range_ in own[:place]),
            ):
                if block.overlaps(other_block):
                    raise invalid(
                        f"Invalid IPCidrRange: {block} ({name}) conflicts with {other_name} {other_block} of '{path}'"
                    )

    def check_router(self, record: Record) -> None:
        """Refuse NAT gateways that lack something; fill in what was not said of them."""
        nats = record.value.get("nats") or []
        faults = [
            f"nats: Required field '{name}' not specified"
            for nat in nats
            for name in NAT_REQUIRED
            if not nat.get(name)
        ]
        names = [nat.get("name") for nat in nats]
        if len(set(names)) != len(names):
            faults.append("nats: names must differ")
        if faults:
            raise invalid("; ".join(faults))
        if nats:
            record.value["nats"] = [{**NAT_DEFAULTS, **nat} for nat in nats]

    def _complete(self, record: Record, region: str | None) -> None:
        record.value |= {
            "kind": f"compute#{record.kind.model[0].lower()}{record.kind.model[1:]}",
            "id": number_of(f"{record.path}/{self._clock.now()}"),
            "creationTimestamp": rfc3339(self._clock.now()),
            "selfLink": record.url,
        }
        if region is not None:
            record.value["region"] = f"{COMPUTE_URL}/projects/{PROJECT}/regions/{region}"
        if record.kind is NETWORKS:
            record.value["selfLinkWithId"] = (
                f"{COMPUTE_URL}/projects/{PROJECT}/global/networks/{record.value['id']}"
            )
        if record.kind is SUBNETWORKS:
            block = _Range(record.value["ipCidrRange"])
            record.value["gatewayAddress"] = str(block.network_address + 1)
        self._stamp(record)

    def _stamp(self, record: Record) -> None:
        if record.kind is SUBNETWORKS:
            record.value["fingerprint"] = digest(f"{record.path}/{record.version}", 12)

    def shown(self, record: Record) -> dict[str, Any]:
        """A resource as the API shows it, a network with its subnetworks."""
        if record.kind is not NETWORKS:
            return record.value
        below = [other.url for other in self.all(SUBNETWORKS) if other.value["network"] == record.url]
        return {**record.value, **({"subnetworks": below} if below else {})}

    def _create_subnetwork(self, network: Record) -> None:
        name = str(network.value["name"])
        details = {"name": name, "network": network.url, "ipCidrRange": _DEFAULT_RANGE}
        self.insert(SUBNETWORKS, account.REGION, details)

    def _user_of(self, path: str, besides: list[str]) -> str | None:
        url = f"{COMPUTE_URL}/{path}"
        for record in self._records.values():
            if record.path not in besides and record.value.get("network") == url:
                return record.path
        return None


_CHECKS: Final[Mapping[str, Callable[[Store, Record], None]]] = {
    "networks": Store.check_network,
    "subnetworks": Store.check_subnetwork,
    "routers": Store.check_router,
}


def path_of(kind: Kind, region: str | None, name: str) -> str:
    """Path of a resource below the API's root."""
    place = f"regions/{region or account.REGION}" if kind.regional else "global"
    return f"projects/{PROJECT}/{place}/{kind.path}/{name}"


def _ranges(value: Mapping[str, Any]) -> Iterator[tuple[str, _Range]]:
    yield "ipCidrRange", _range("ipCidrRange", value["ipCidrRange"])
    for entry in value.get("secondaryIpRanges") or ():
        name = str(entry.get("rangeName"))
        yield name, _range(f"secondaryIpRanges.{name}", entry.get("ipCidrRange"))


def _range(name: str, text: Any) -> _Range:
    try:
        return _Range(str(text))
    except ValueError as fault:
        raise invalid(
            f"Invalid value for field 'resource.{name}': '{text}'. It is no IPv4 range: {fault}"
        ) from None
