import pytest

from components.oke.network_rules import (
    ADMINS,
    ANYWHERE,
    CLIENTS,
    EGRESS,
    GROUPS,
    INGRESS,
    PATH_MTU,
    RULES,
    SERVICES,
)

# The documented table, group by group: what comes in from whom, and what goes out to whom.
TABLE = {
    ("api", INGRESS): {
        "workers tcp 6443",
        "workers tcp 12250",
        "workers icmp-3-4",
        "pods tcp 6443",
        "pods tcp 12250",
        "admins tcp 6443",
    },
    ("api", EGRESS): {"osn tcp", "osn icmp-3-4", "workers tcp 10250", "workers icmp-3-4", "pods all"},
    ("workers", INGRESS): {
        "api tcp 10250",
        "anywhere icmp-3-4",
        "lb tcp 30000-32767",
        "lb tcp 10256",
        "workers all",
        "pods all",
    },
    ("workers", EGRESS): {
        "workers all",
        "pods all",
        "anywhere icmp-3-4",
        "osn tcp",
        "api tcp 6443",
        "api tcp 12250",
        "anywhere tcp 443",
    },
    ("pods", INGRESS): {"workers all", "api all", "pods all"},
    ("pods", EGRESS): {
        "pods all",
        "workers all",
        "osn icmp-3-4",
        "osn tcp",
        "api tcp 6443",
        "api tcp 12250",
    },
    ("lb", INGRESS): {"clients tcp 8080"},
    ("lb", EGRESS): {"workers tcp 30000-32767", "workers tcp 10256"},
}


@pytest.mark.parametrize(("group", "direction"), TABLE)
def test_the_rules_are_the_table(group: str, direction: str) -> None:
    found = set()
    for rule in RULES:
        if (rule.group, rule.direction) == (group, direction):
            low, high = rule.ports or (0, 0)
            ports = f" {low}" if low == high else f" {low}-{high}"
            found.add(f"{rule.peer} {rule.protocol}{ports if rule.ports else ''}")
    assert found == TABLE[group, direction]


def test_the_table_covers_every_rule() -> None:
    assert len(RULES) == sum(map(len, TABLE.values()))
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_nothing_but_path_mtu_comes_in_from_anywhere() -> None:
    open_doors = [rule for rule in RULES if rule.direction == INGRESS and rule.peer == ANYWHERE]
    assert {rule.protocol for rule in open_doors} == {PATH_MTU}


def test_between_groups_each_way_out_has_its_way_in() -> None:
    ways_in = [rule for rule in RULES if rule.direction == INGRESS and rule.peer in GROUPS]
    for way_in in ways_in:
        matching = [
            rule
            for rule in RULES
            if (rule.group, rule.peer, rule.direction) == (way_in.peer, way_in.group, EGRESS)
            and rule.protocol in (way_in.protocol, "all")
        ]
        matching += [
            rule
            for rule in RULES
            if (rule.group, rule.peer, rule.direction) == (way_in.peer, ANYWHERE, EGRESS)
            and rule.protocol == way_in.protocol
        ]
        assert matching, way_in.name


def test_peers_are_groups_or_known_outsiders() -> None:
    assert {rule.peer for rule in RULES} - set(GROUPS) == {SERVICES, ANYWHERE, ADMINS, CLIENTS}
