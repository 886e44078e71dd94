"""What each variant's own stack says of its operator's work, against the published judgements."""

from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.complexity import judge
from experiments.declared import declared
from experiments.evidence import CHANGES, Evidence
from experiments.explain import with_trials
from experiments.published import published
from experiments.reading import Lists
from tests.infra.both_clouds import BOTH, Run
from tests.support.every_variant import DEPLOYMENT, VARIANTS, settings_text, told
from tests.support.kube_json import node_json
from tests.support.mocks import Cloud

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Provisioner:
    """The provisioner of a declared stack."""

    def __init__(self, stack: Cloud) -> None:
        self._stack = stack

    def provisioner_settings(self) -> str:
        return settings_text(self._stack)

    def provisioner_log(self) -> str:
        return ""


def rows(stack: Cloud) -> list[dict[str, Any]]:
    """As the engine's state has them."""
    return [
        {
            "type": one.token,
            "urn": f"urn:pulumi:s::rightsize::{one.token}::{one.name}",
            "id": one.id,
            "inputs": one.inputs,
        }
        for one in stack.declared
    ]


def as_served(value: Any) -> Any:
    """As the API server prints it: in the engine every number is a float."""
    if isinstance(value, dict):
        return {key: as_served(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_served(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def workers(stack: Cloud) -> Lists:
    """A worker of each model, on a bought node."""
    pods = [
        {
            "metadata": {
                **one.inputs["spec"]["template"]["metadata"],
                "name": one.name,
                "namespace": "inference",
            },
            "spec": {**as_served(one.inputs["spec"]["template"]["spec"]), "nodeName": "n"},
            "status": {"phase": "Running"},
        }
        for one in stack.all(DEPLOYMENT)
        if one.inputs["metadata"]["namespace"] == "inference"
    ]
    return Lists(nodes=[node_json("n")], pods=pods, autoscalers=[], metrics=[])


def evidence_of(stack: Cloud) -> Evidence:
    found = declared(rows(stack))
    return found if found.pools else with_trials(found, Provisioner(stack), workers(stack), NOW)


@BOTH
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_judged_by_its_own_stack_as_the_talk_judged_it(build: Run, variant: str) -> None:
    found = judge(evidence_of(build({"variant": variant})))
    assert {change: one.adapts for change, one in found.items()} == published().complexity[
        variant
    ].model_dump()


@BOTH
def test_the_settings_of_the_published_tables_leave_the_right_sized_variant_as_free(build: Run) -> None:
    cloud = told(build({"variant": "right-sized"})).cloud
    settings = published().clouds[cloud].reproduced_by
    changes = {"provisioner.mode": settings.mode, "provisioner.families": list(settings.families)}
    found = judge(evidence_of(build({"variant": "right-sized", **changes})))
    assert {change: one.adapts for change, one in found.items()} == dict.fromkeys(CHANGES, True)
