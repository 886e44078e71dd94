"""Why a steady state costs what it does: found out, kept, read again, shown."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments import explained
from experiments.evidence import CHANGES, Evidence
from experiments.explain import explain, with_trials
from experiments.explained import LEAST_FILE, Explained
from experiments.fault import Fault, Unreachable
from experiments.least_table import least_cell, least_lines
from experiments.published import published
from experiments.reading import Lists
from experiments.said import Said
from tests.support.kube_json import node_json, pod_json

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POINTS = published().points
DECLINED = Said("2026-01-02T03:04:05.123456Z", "$0.002 an hour less is possible, but moving costs $0.003")
ABOVE = Explained(Decimal("0.422"), Decimal("0.42"), Decimal("0.42"), (DECLINED,))
SETTINGS: dict[str, Any] = {
    "cloud": "oke",
    "accounting": "nominal",
    "cluster_id": "c",
    "region": "us-ashburn-1",
    "kubernetes_version": "v1.36.3",
    "site": {
        "compartment_id": "ocid1.compartment.oc1..k",
        "node_images": {"arm64": "ocid1.image.oc1..i"},
        "network": {"worker_subnet_id": "ocid1.subnet.oc1..s"},
        "availability_domains": ["X:US-ASHBURN-AD-1"],
    },
    "policy": {"families": ["VM.Standard.A1"]},
}


class Cluster:
    """A cluster whose provisioner has settings and a log, or not."""

    def __init__(self, settings: str | None = None, log: str | Exception = "") -> None:
        self._settings, self._log = settings, log

    def provisioner_settings(self) -> str | None:
        return self._settings

    def provisioner_log(self) -> str:
        if isinstance(self._log, Exception):
            raise self._log
        return self._log


def lists() -> Lists:
    """A worker on a node that is twice as large as it needs to be."""
    tolerant = pod_json("a", "400m", "1G", at="n", labels={})
    tolerant["spec"]["tolerations"] = [{"key": "rightsize.io/role", "operator": "Exists"}]
    return Lists(nodes=[node_json("n", "2")], pods=[tolerant], autoscalers=[], metrics=[])


def found(cluster: Cluster, price: str = "0.03") -> Explained:
    return explain(cluster, lists(), Decimal(price), "2026-01-02T00:00:00+00:00", NOW)


def test_the_least_is_by_the_provisioners_own_settings_and_the_reason_in_its_words() -> None:
    line = {"event": DECLINED.words, "subject": "moving", "timestamp": DECLINED.time}
    one = found(Cluster(yaml.safe_dump(SETTINGS), json.dumps(line)))
    assert (one.least_per_hour, one.proven) == (Decimal("0.0115"), True)
    assert (one.above, one.reasons, one.unknown) == (Decimal("0.0185"), (DECLINED,), ())


def test_at_the_least_price_no_reason_is_kept_that_was_said_of_another() -> None:
    line = {"event": DECLINED.words, "subject": "moving", "timestamp": DECLINED.time}
    assert found(Cluster(yaml.safe_dump(SETTINGS), json.dumps(line)), price="0.0115").reasons == ()


def test_what_runs_is_possible_whatever_the_planner_finds() -> None:
    one = found(Cluster(yaml.safe_dump(SETTINGS)), price="0.011")
    assert (one.least_per_hour, one.above, one.proven) == (Decimal("0.011"), Decimal(0), False)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (None, "the provisioner's settings cannot be read"),
        ("policy: {}\ncloud: oke", "the provisioner's settings: cluster_id: is missing and has no default"),
        ("mode: optimal", "the provisioner's settings: cloud is missing"),
    ],
)
def test_settings_that_cannot_be_read_are_told_and_fail_nothing(settings: str | None, reason: str) -> None:
    one = found(Cluster(settings))
    assert one.least_per_hour is None
    assert one.unknown[0].startswith(f"the least possible price: {reason}")


@pytest.mark.parametrize("fault", [Unreachable("connection refused"), Fault("pods is forbidden")])
def test_a_log_that_cannot_be_read_is_told_and_fails_nothing(fault: Exception) -> None:
    one = found(Cluster(yaml.safe_dump(SETTINGS), fault))
    assert one.unknown == (f"the provisioner's reasons: {fault}",)
    assert one.proven


def test_the_planner_is_asked_of_every_change_by_the_provisioners_own_settings() -> None:
    known = Evidence(other_pools=("management",))
    one = with_trials(known, Cluster(yaml.safe_dump(SETTINGS)), lists(), NOW)
    assert (one.other_pools, one.unknown) == (known.other_pools, "")
    assert {each.change for each in one.asked} == set(CHANGES)
    assert "policy.families = VM.Standard.A1" in map(str, one.settings)


def test_a_planner_that_cannot_be_asked_fails_nothing() -> None:
    one = with_trials(Evidence(other_pools=("management",)), Cluster(), lists(), NOW)
    assert one == Evidence(other_pools=("management",), unknown="the provisioner's settings cannot be read")


def test_explanations_are_read_as_they_were_written(tmp_path: Path) -> None:
    unread = Explained(Decimal("0.3"), unknown=("the least possible price: no",))
    explained.store(tmp_path, "idle", "right-sized", unread)
    explained.store(tmp_path, "peak", "right-sized", ABOVE)
    assert explained.load(tmp_path) == {"idle": {"right-sized": unread}, "peak": {"right-sized": ABOVE}}
    kept = json.loads((tmp_path / LEAST_FILE).read_text())["points"]["peak"]["right-sized"]
    assert (kept["price_per_hour"], kept["least_per_hour"], kept["proven"]) == (0.422, 0.42, True)


def test_a_run_without_any_has_none(tmp_path: Path) -> None:
    assert explained.load(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("torn", r"not what a run writes \(.*\)"),
        ("[]", r"not what a run writes \(.*\)"),
        ('{"points": {"peak": {"right-sized": {}}}}', r"peak\.right-sized\.price_per_hour: Field required"),
    ],
)
def test_a_file_that_is_none_of_ours_is_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / LEAST_FILE).write_text(text)
    with pytest.raises(Fault, match=rf"least\.json: {fault}; measure again"):
        explained.load(tmp_path)


def lines(**found: Explained) -> list[str]:
    return list(least_lines(found, POINTS))


def test_a_price_above_the_least_has_its_reason_below_the_table() -> None:
    sure, above = lines(idle=Explained(Decimal("0.2"), Decimal("0.2"), Decimal("0.2")), peak=ABOVE)
    assert sure == (
        "Least possible: the cheapest set of nodes for the pods of Right-sized, management nodes included;"
        " proven: no set costs less."
    )
    assert above == (
        "Right-sized, Both models peak: $0.002 an hour above that. The provisioner:"
        " “$0.002 an hour less is possible, but moving costs $0.003” (at 03:04:05 UTC)."
    )


def test_an_old_reason_and_no_reason_are_told_as_such() -> None:
    old = Explained(
        Decimal("0.422"), Decimal("0.42"), Decimal("0.42"), (Said(DECLINED.time, "no", is_older=True),)
    )
    none = Explained(Decimal("0.422"), Decimal("0.42"), Decimal("0.42"))
    _, said, silent = lines(idle=old, peak=none)
    assert said.endswith("“no” (at 03:04:05 UTC, before nodes last changed).")
    assert silent.endswith("The provisioner has said nothing of it.")


def test_how_sure_the_least_is_is_told() -> None:
    sure = Explained(Decimal("0.2"), Decimal("0.2"), Decimal("0.2"))
    unsure = Explained(Decimal("0.4"), Decimal("0.4"), Decimal("0.39"))
    assert lines(peak=unsure)[0].endswith("; not proven: at peak no set costs less than $0.3900.")
    assert lines(idle=sure, peak=unsure)[0].endswith(
        "; proven but for this: at peak no set costs less than $0.3900."
    )


def test_what_is_not_known_is_told_with_the_reason() -> None:
    unread = Explained(Decimal("0.3"), unknown=("the least possible price: no settings",))
    assert lines(idle=unread) == [
        "Right-sized, Both models idle: not known: the least possible price: no settings"
    ]
    assert [least_cell(one).plain for one in (None, unread, ABOVE)] == ["-", "-", "0.4200"]
