"""The provisioner's settings: each cloud's section is its own, and every fault is said at once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core import headroom
from provisioner.core.node_budget import NodeBudget
from provisioner.core.policy import MODES, Headroom
from provisioner.core.resources import Resources
from provisioner.settings import SettingsError, parse

COMMON = {"cluster_id": "c", "region": "r", "kubernetes_version": "v1.36.3"}
SITES: dict[str, dict[str, Any]] = {
    "oke": {
        "compartment_id": "ocid1.compartment.oc1..k",
        "node_images": {"arm64": "ocid1.image.oc1..i"},
        "network": {"worker_subnet_id": "ocid1.subnet.oc1..s"},
        "availability_domains": ["X:AD-1"],
    },
    "gke": {
        "project": "emulated-project",
        "location": "us-central1-a",
        "cluster": "gke",
        "zones": ["us-central1-a"],
        "node_service_account": "nodes@emulated-project.iam.gserviceaccount.com",
    },
}


def text(of_cloud: str, **changes: Any) -> str:
    return yaml.safe_dump({"cloud": of_cloud, **COMMON, "site": SITES[of_cloud], **changes})


def faults(document: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(document)
    return caught.value.faults


@pytest.mark.parametrize("cloud", SITES)
def test_each_cloud_has_a_section_of_its_own(cloud: str) -> None:
    site = parse(text(cloud)).site
    assert {key: value for key, value in site.model_dump(mode="json").items() if key in SITES[cloud]} == {
        **SITES[cloud],
        **({"network": site.network.model_dump(mode="json")} if cloud == "oke" else {}),
    }


def test_a_section_of_another_cloud_is_refused_key_by_key() -> None:
    said = faults(text("gke", site=SITES["oke"]))
    assert "site.project: is missing and has no default" in said
    assert "site.compartment_id: is not a setting; remove it or correct its name" in said


def test_an_unknown_cloud_is_one_of_the_faults() -> None:
    said = faults(text("oke", cloud="aks", accounting="guessed"))
    assert said == (
        "cloud: 'aks'; expected oke or gke",
        "accounting: 'guessed'; expected documented or nominal",
    )


@pytest.mark.parametrize(
    ("version", "is_taken"),
    [("v1.36.3", True), ("1.36.3-gke.1200", True), ("1.36.3", True), ("latest", False), ("v1.36", False)],
)
def test_a_version_is_written_as_its_cloud_writes_it(version: str, is_taken: bool) -> None:
    document = text("oke", kubernetes_version=version)
    if is_taken:
        assert parse(document).kubernetes_version == version
    else:
        assert faults(document)[0].startswith(f"kubernetes_version: '{version}'")


@pytest.mark.parametrize(
    ("document", "fault"),
    [("- a", "expected keys and values, got ['a']"), ("{", "not readable as YAML")],
)
def test_what_is_no_document_is_said_to_be_none(document: str, fault: str) -> None:
    assert faults(document)[0].startswith(fault)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_can_be_chosen(mode: str) -> None:
    policy = parse(text("oke", policy={"mode": mode, "decision_deadline_s": 0.5})).policy.policy()
    assert (policy.mode, policy.decision_deadline_s) == (mode, 0.5)


@pytest.mark.parametrize("deadline", [-1, float("nan"), float("inf")])
def test_a_deadline_is_a_time_that_comes(deadline: float) -> None:
    (said,) = faults(text("oke", policy={"decision_deadline_s": deadline}))
    assert said.startswith("policy.decision_deadline_s")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_spot_share", 1.1),
        ("max_spot_share", -0.1),
        ("max_spot_share", float("nan")),
        ("max_cpu_millicores", -1),
        ("max_memory_bytes", -1),
        ("max_price_per_hour", "NaN"),
        ("node_overhead_price_per_hour", -0.001),
        ("node_overhead_price_per_hour", 2.125),
        ("node_overhead_price_per_hour", "NaN"),
        ("node_overhead_price_per_hour", "much"),
        ("preferred_architecture", "s390x"),
        ("preferred_architecture", "amd64"),
    ],
)
def test_limits_and_shares_are_amounts_and_what_is_preferred_is_allowed(name: str, value: Any) -> None:
    (said,) = faults(text("oke", policy={"architectures": ["arm64"], name: value}))
    assert said.startswith(f"policy.{name}")


def test_what_nodes_cost_beside_their_price_is_dollars_as_they_are_written() -> None:
    overhead = parse(text("oke", policy={"node_overhead_price_per_hour": 0.0029})).policy.policy()
    assert overhead.node_overhead_price_per_hour == Decimal("0.0029")


def test_the_preferred_architecture_is_one_of_the_allowed() -> None:
    wanted = {"architectures": ["arm64", "amd64"], "preferred_architecture": "amd64"}
    assert parse(text("oke", policy=wanted)).policy.policy().preferred_architecture == "amd64"


def test_growth_is_one_of_three() -> None:
    assert parse(text("oke", policy={"growth": "max"})).policy.policy().growth == "max"
    assert faults(text("oke", policy={"growth": "all"})) == (
        "policy.growth: 'all'; expected off or desired or max",
    )


@pytest.mark.parametrize("off", [0, "off", None, {}])
def test_no_headroom_is_kept_where_none_is_asked_for(off: Any) -> None:
    policy = parse(text("oke", policy={"headroom": off})).policy.policy()
    assert not headroom.pods_of(policy, ())


def test_headroom_is_a_number_of_pods_or_a_share() -> None:
    wanted = parse(text("oke", policy={"headroom": {"pods": 2, "cpu": "400m", "memory": "1Gi"}}))
    assert [each.requests for each in headroom.pods_of(wanted.policy.policy(), ())] == [
        Resources(400, 2**30, pods=1)
    ] * 2
    assert parse(text("oke", policy={"headroom": {"percent": 10}})).policy.policy().headroom == Headroom(
        percent=Decimal(10)
    )


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ({"pods": 2}, "policy.headroom: pods need a size"),
        ({"pods": 2, "cpu": 1, "percent": 5}, "policy.headroom: pods and percent exclude each other"),
        ({"cpu": 1}, "policy.headroom: cpu and memory are the size of pods"),
        ({"pods": 2, "cpu": "a lot"}, "policy.headroom.cpu: 'a lot' is not a Kubernetes quantity"),
        ({"pods": 2, "cpu": "-1"}, "policy.headroom.cpu: expected an amount that is not negative"),
        ({"percent": float("nan")}, "policy.headroom.percent"),
        ({"pods": -1}, "policy.headroom.pods"),
        ("much", "policy.headroom: 'much'"),
    ],
)
def test_headroom_that_makes_no_sense_is_a_fault(wanted: Any, fault: str) -> None:
    said = faults(text("oke", policy={"headroom": wanted}))[0]
    place, _, reason = fault.partition(": ")
    assert said.startswith(place)
    assert reason in said


@pytest.mark.parametrize("name", ["expire_after_s", "drain_timeout_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_ages_and_waits_are_times_that_come(name: str, value: float) -> None:
    (said,) = faults(text("oke", policy={name: value}))
    assert said.startswith(f"policy.{name}")


def test_node_budgets_are_numbers_or_shares_with_or_without_a_schedule() -> None:
    wanted = [
        {"nodes": 2},
        {"nodes": "10%", "reasons": ["underused", "expired"]},
        {"nodes": 0, "schedule": "0 8 * * mon-fri", "duration_s": 36000},
    ]
    assert parse(text("oke", policy={"node_budgets": wanted})).policy.policy().node_budgets == (
        NodeBudget(2),
        NodeBudget(percent=Decimal(10), reasons=("underused", "expired")),
        NodeBudget(0, schedule="0 8 * * mon-fri", duration_s=36000),
    )


@pytest.mark.parametrize(
    ("wanted", "place", "reason"),
    [
        ({}, ".nodes", "is missing"),
        ({"nodes": -1}, ".nodes", "expected a number of nodes, or per cent of them as in 10%"),
        ({"nodes": "101%"}, ".nodes", "expected a number of nodes"),
        ({"nodes": "a few"}, ".nodes", "expected a number of nodes"),
        ({"nodes": 1, "reasons": ["idle"]}, ".reasons", "expected empty or underused or expired or drifted"),
        ({"nodes": 1, "schedule": "at night", "duration_s": 60}, ".schedule", "Wrong number of fields"),
        ({"nodes": 1, "schedule": "0 25 * * *", "duration_s": 60}, ".schedule", "Bad hour"),
        ({"nodes": 1, "schedule": "0 0 0 * * *", "duration_s": 60}, ".schedule", "expected minute, hour"),
        ({"nodes": 1, "schedule": "0 22 * * *"}, "", "schedule and duration_s go together"),
        ({"nodes": 1, "duration_s": 60}, "", "schedule and duration_s go together"),
    ],
)
def test_a_node_budget_that_makes_no_sense_is_a_fault(wanted: Any, place: str, reason: str) -> None:
    (said,) = faults(text("oke", policy={"node_budgets": [wanted]}))
    assert said.startswith(f"policy.node_budgets.0{place}:")
    assert reason in said


@given(st.text(alphabet="*/-,#LW0123456789 MONJAN²", min_size=1, max_size=24))
def test_whatever_a_schedule_says_it_is_taken_or_a_fault(schedule: str) -> None:
    budget = {"nodes": 1, "schedule": schedule, "duration_s": 60}
    try:
        (found,) = parse(text("oke", policy={"node_budgets": [budget]})).policy.policy().node_budgets
    except SettingsError:
        return
    found.holds("empty", datetime(2026, 1, 2, tzinfo=UTC))
