import pickle
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

from components.provisioned_capacity import ProvisionedCapacityProvider, RemovalFailed
from provisioner.drivers.contract import Denied

PROPS = {
    "cluster_id": "ocid1.cluster.oc1..c",
    "compartment_id": "ocid1.compartment.oc1..k",
    "__provider": "x",
}
SETTINGS = {
    "oci:tenancyOcid": "ocid1.tenancy.oc1..a",
    "oci:userOcid": "ocid1.user.oc1..a",
    "oci:fingerprint": "aa:bb",
    "oci:region": "us-ashburn-1",
    "oci:privateKey": "PEM",
    "rightsize:provisioner": '{"endpoint": "http://127.0.0.1:4000"}',
}


def provider(settings: dict[str, Any]) -> ProvisionedCapacityProvider:
    made = ProvisionedCapacityProvider()
    made.configure(ConfigureRequest(Config(settings, "rightsize")))
    return made


@pytest.fixture(autouse=True)
def _frames_are_shown_again() -> Iterator[None]:
    yield
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "provisioner.drivers.oke.remove_pools_of_cluster", lambda **named: calls.append(named)
    )
    return calls


def test_creating_it_asks_nobody(removals: list[dict[str, Any]]) -> None:
    made = ProvisionedCapacityProvider().create(PROPS)
    assert made.outs == {key: PROPS[key] for key in ("cluster_id", "compartment_id")}
    assert removals == []


def test_deleting_it_removes_the_pools_of_its_cluster_with_todays_settings(
    removals: list[dict[str, Any]],
) -> None:
    provider(SETTINGS).delete("id", PROPS)
    (call,) = removals
    assert (call["cluster_id"], call["compartment_id"]) == (PROPS["cluster_id"], PROPS["compartment_id"])
    assert call["endpoint"] == "http://127.0.0.1:4000"
    assert call["credentials"].config["user"] == "ocid1.user.oc1..a"


def test_on_the_real_cloud_there_is_no_endpoint_to_pass(removals: list[dict[str, Any]]) -> None:
    provider({key: value for key, value in SETTINGS.items() if key != "rightsize:provisioner"}).delete(
        "id", PROPS
    )
    assert removals[0]["endpoint"] == ""


def test_a_refusal_is_said_without_a_trace_of_our_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_named: object) -> None:
        raise Denied("NotAuthorizedOrNotFound (404): no such compartment")

    monkeypatch.setattr("provisioner.drivers.oke.remove_pools_of_cluster", refuse)
    with pytest.raises(RemovalFailed, match="no such compartment") as caught:
        provider(SETTINGS).delete("id", PROPS)
    assert caught.value.__suppress_context__


def test_only_another_cluster_or_compartment_makes_another_one() -> None:
    same = ProvisionedCapacityProvider().diff("id", PROPS, {**PROPS, "__provider": "y"})
    other = ProvisionedCapacityProvider().diff("id", PROPS, {**PROPS, "cluster_id": "ocid1.cluster.oc1..d"})
    assert (same.changes, same.replaces) == (False, [])
    assert (other.changes, other.replaces) == (True, ["cluster_id"])


def test_the_state_refers_to_the_class_and_holds_no_code() -> None:
    document = pickle.dumps(ProvisionedCapacityProvider())
    assert b"components.provisioned_capacity" in document
    assert len(document) < 150
