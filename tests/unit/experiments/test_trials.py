"""What the provisioner's planner says of changes, by the settings in force."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.loader import bundled
from catalog.offering import at_home
from experiments.evidence import MAX_WORKERS, OFFERINGS, WORKER_SIZE, Asked
from experiments.fault import Fault
from experiments.reading import Lists
from experiments.terms import Terms
from experiments.trials import settings_read, trials
from provisioner.core.policy import Policy
from tests.support.kube_json import node_json, pod_json
from tests.support.provision import OKE_NOMINAL

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ZONES = ("US-ASHBURN-AD-1", "US-ASHBURN-AD-2")
WORKERS = Lists(
    nodes=[node_json("n")],
    pods=[pod_json(name, "400m", "1Gi", at="n") for name in ("a", "b")],
    autoscalers=[],
    metrics=[],
)


def terms(zones: tuple[str, ...] = ZONES, **policy: Any) -> Terms:
    offerings = at_home(bundled("oke"), "us-ashburn-1", zones)
    own = Policy(**{"families": ("VM.Standard.A1",), **policy})
    return Terms(replace(OKE_NOMINAL, offerings=offerings), own)


def asked(told: Terms, lists: Lists = WORKERS) -> list[Asked]:
    return list(trials(lists, told, NOW))


def decided(told: Terms) -> dict[str, bool]:
    return {one.change: one.served for one in asked(told) if one.decides}


def test_a_provisioner_that_may_buy_anything_follows_every_change() -> None:
    assert decided(terms(families=())) == {MAX_WORKERS: True, WORKER_SIZE: True, OFFERINGS: True}


def test_the_answers_name_what_would_be_bought() -> None:
    more, larger, gone, withdrawn = asked(terms())
    assert (more.question, more.answer) == ("2 times as many workers", "1 x VM.Standard.A1.Flex 2 OCPU 4 GiB")
    assert (larger.question, larger.answer) == ("workers 2 times as large", more.answer)
    assert gone.question == f"no VM.Standard.A1.Flex in {ZONES[0]} to be had"
    assert gone.answer == "1 x VM.Standard.A1.Flex 1 OCPU 2 GiB"
    assert withdrawn.question == "VM.Standard.A1.Flex no longer offered anywhere"
    assert "2 get no node: " in withdrawn.answer
    assert (withdrawn.served, withdrawn.decides) == (False, False)


@pytest.mark.parametrize(
    ("limits", "change"),
    [
        ({"max_cpu_millicores": 1000}, MAX_WORKERS),
        ({"max_memory_bytes": 3 * 2**30}, WORKER_SIZE),
        ({"zones": ZONES[:1]}, OFFERINGS),
    ],
)
def test_a_setting_in_the_way_of_a_change_is_found(limits: dict[str, Any], change: str) -> None:
    assert not decided(terms(**limits))[change]


def test_without_a_worker_nothing_can_be_tried() -> None:
    with pytest.raises(Fault, match="no worker needs a node"):
        asked(terms(), replace(WORKERS, pods=[]))


def test_the_settings_that_restrict_what_is_bought_are_read() -> None:
    read = {str(one) for one in settings_read(terms(max_nodes=3))}
    assert "policy.families = VM.Standard.A1" in read
    assert "policy.max_nodes = 3" in read
    assert "policy.max_price_per_hour = none" in read
