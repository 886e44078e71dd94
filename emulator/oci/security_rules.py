"""Rules of network security groups: what is accepted, and how they are kept."""

from collections.abc import Sequence
from typing import Any, Final

from emulator.cloud.clock import Clock, rfc3339
from emulator.cloud.ids import Ids
from emulator.oci.errors import invalid, not_found

_FIELDS: Final = frozenset(
    {
        "description",
        "destination",
        "destinationType",
        "direction",
        "icmpOptions",
        "isStateless",
        "protocol",
        "source",
        "sourceType",
        "tcpOptions",
        "udpOptions",
    }
)
_PEER_TYPES: Final = frozenset({"CIDR_BLOCK", "SERVICE_CIDR_BLOCK", "NETWORK_SECURITY_GROUP"})
_OPTIONS_OF: Final = {"6": "tcpOptions", "17": "udpOptions", "1": "icmpOptions"}
_RULES_PER_GROUP: Final = 120
_ID_DIGITS: Final = 6


class SecurityRules:
    """The rules of every group; the caller holds the cloud's lock."""

    def __init__(self, ids: Ids, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock
        self._rules: dict[str, dict[str, dict[str, Any]]] = {}

    def of(self, group_id: str) -> list[dict[str, Any]]:
        """The rules of a group, oldest first."""
        return list(self._rules.get(group_id, {}).values())

    def add(self, group_id: str, rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add rules to a group, all or none.

        Raises:
            ApiError: 400 with every fault, or when the group has too many.
        """
        faults = [
            f"securityRules.{place}: {fault}" for place, rule in enumerate(rules) for fault in _faults(rule)
        ]
        if faults:
            raise invalid("; ".join(faults))
        kept = self._rules.setdefault(group_id, {})
        if len(kept) + len(rules) > _RULES_PER_GROUP:
            raise invalid(f"securityRules: a group takes at most {_RULES_PER_GROUP}")
        added = [self._new(rule) for rule in rules]
        kept.update({rule["id"]: rule for rule in added})
        return added

    def update(self, group_id: str, rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Replace rules by their ids.

        Raises:
            ApiError: 400 with every fault, 404 for an unknown id.
        """
        kept = self._rules.get(group_id, {})
        for rule in rules:
            if rule.get("id") not in kept:
                raise not_found(f"security rule {rule.get('id')}")
        faults = [fault for rule in rules for fault in _faults({k: v for k, v in rule.items() if k != "id"})]
        if faults:
            raise invalid("; ".join(faults))
        for rule in rules:
            kept[rule["id"]] = {**kept[rule["id"]], **rule}
        return [kept[rule["id"]] for rule in rules]

    def remove(self, group_id: str, rule_ids: Sequence[str]) -> None:
        """Remove rules by their ids.

        Raises:
            ApiError: 404 for an unknown id; then none is removed.
        """
        kept = self._rules.get(group_id, {})
        for rule_id in rule_ids:
            if rule_id not in kept:
                raise not_found(f"security rule {rule_id}")
        for rule_id in rule_ids:
            del kept[rule_id]

    def drop(self, group_id: str) -> None:
        """Forget a deleted group; rules that name it stay, no longer valid, as on the real cloud."""
        self._rules.pop(group_id, None)
        for rules in self._rules.values():
            for rule in rules.values():
                if group_id in {rule.get("source"), rule.get("destination")}:
                    rule["isValid"] = False

    def _new(self, rule: dict[str, Any]) -> dict[str, Any]:
        return {
            "isStateless": False,
            **{name: value for name, value in rule.items() if value is not None},
            "id": self._ids.token(_ID_DIGITS).upper(),
            "isValid": True,
            "timeCreated": rfc3339(self._clock.now()),
        }


def _faults(rule: dict[str, Any]) -> list[str]:
    faults = [f"{name}: not a field of a rule" for name in sorted(set(rule) - _FIELDS)]
    direction = rule.get("direction")
    if direction not in {"INGRESS", "EGRESS"}:
        return [*faults, f"direction: '{direction}' must be INGRESS or EGRESS"]
    peer = "source" if direction == "INGRESS" else "destination"
    if not rule.get(peer):
        faults.append(f"{peer}: required for {direction}")
    if rule.get(f"{peer}Type", "CIDR_BLOCK") not in _PEER_TYPES:
        faults.append(f"{peer}Type: '{rule[f'{peer}Type']}' must be one of {', '.join(sorted(_PEER_TYPES))}")
    protocol = str(rule.get("protocol") or "")
    if protocol != "all" and not protocol.isdigit():
        faults.append(f"protocol: '{protocol}' must be 'all' or a protocol number, for example '6' for TCP")
    for number, options in _OPTIONS_OF.items():
        if rule.get(options) is not None and protocol != number:
            faults.append(f"{options}: only with protocol '{number}', got '{protocol}'")
    return faults
