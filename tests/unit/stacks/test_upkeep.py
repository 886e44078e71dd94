"""How the stack's settings say how nodes are kept, and that the provisioner understands what it is told."""

from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.node_budget import NodeBudget
from provisioner.core.policy import Headroom, Policy
from provisioner.core.resources import Resources
from provisioner.settings import PolicySettings
from stacks.faults import Fault
from stacks.reader import Reader
from stacks.upkeep import Upkeep, read_upkeep


def read(value: dict[str, Any]) -> tuple[Upkeep, list[Fault]]:
    faults: list[Fault] = []
    reader = Reader(value, "provisioner", faults)
    upkeep = read_upkeep(reader)
    reader.close()
    return upkeep, faults


def told(value: dict[str, Any]) -> Policy:
    upkeep, faults = read(value)
    assert faults == []
    return PolicySettings.model_validate(upkeep.document).policy()


def test_without_settings_the_provisioners_own_defaults_hold() -> None:
    upkeep, faults = read({})
    assert (upkeep.document, upkeep.replaces_nodes, faults) == ({}, False, [])


def test_the_provisioner_is_told_as_it_understands() -> None:
    policy = told(
        {
            "headroom": {"pods": 2, "cpu": "400m", "memory": "1Gi"},
            "expireAfterSeconds": 86400,
            "replaceDrifted": True,
            "drainTimeoutSeconds": 300,
            "budgets": {
                "all": {"nodes": "10%"},
                "office": {
                    "nodes": 0,
                    "reasons": ["underused"],
                    "schedule": "0 8 * * MON-FRI",
                    "durationSeconds": 36000,
                },
            },
        }
    )
    assert policy.headroom == Headroom(2, Resources(400, 2**30, pods=1))
    assert (policy.expire_after_s, policy.replace_drifted, policy.drain_timeout_s) == (86400, True, 300)
    assert policy.node_budgets == (
        NodeBudget(percent=Decimal(10)),
        NodeBudget(0, Decimal(100), ("underused",), "0 8 * * MON-FRI", 36000),
    )
    assert told({"headroom": {"percent": 20}}).headroom == Headroom(percent=Decimal(20))


@pytest.mark.parametrize(
    ("value", "moves"),
    [
        ({"expireAfterSeconds": 60}, True),
        ({"replaceDrifted": True}, True),
        ({"headroom": {"percent": 5}}, False),
    ],
)
def test_it_may_move_pods_where_nodes_are_replaced(value: dict[str, Any], *, moves: bool) -> None:
    assert read(value)[0].replaces_nodes == moves
    assert told({**value}).expire_after_s == value.get("expireAfterSeconds")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"headroom": {"pods": 1}}, "provisioner.headroom.cpu"),
        ({"headroom": {"cpu": "1"}}, "provisioner.headroom.cpu"),
        ({"headroom": {"pods": 1, "cpu": 1, "memory": "1G", "percent": 5}}, "provisioner.headroom.percent"),
        ({"headroom": {"nodes": 1}}, "provisioner.headroom.nodes"),
        ({"expireAfterSeconds": 5}, "provisioner.expireAfterSeconds"),
        ({"budgets": {"a": {}}}, "provisioner.budgets.a.nodes"),
        ({"budgets": {"a": {"nodes": "some"}}}, "provisioner.budgets.a.nodes"),
        ({"budgets": {"a": {"nodes": 1, "reasons": ["idle"]}}}, "provisioner.budgets.a.reasons[0]"),
        ({"budgets": {"a": {"nodes": 1, "schedule": "0 8 * * *"}}}, "provisioner.budgets.a.schedule"),
        (
            {"budgets": {"a": {"nodes": 1, "schedule": "daily", "durationSeconds": 60}}},
            "provisioner.budgets.a.schedule",
        ),
    ],
)
def test_what_makes_no_sense_is_a_fault_at_its_place(value: dict[str, Any], place: str) -> None:
    assert place in [fault.path for fault in read(value)[1]]
