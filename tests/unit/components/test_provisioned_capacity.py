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
    "cloud": "oke",
    "cluster_id": "ocid1.cluster.oc1..c",
    "compartment_id": "ocid1.compartment.oc1..k",
    "__provider": "x",
}
GKE_PROPS = {"cloud": "gke", "cluster_id": "projects/p/locations/l/clusters/c", "__provider": "x"}
OLD_PROPS = {key: value for key, value in PROPS.items() if key != "cloud"}
SETTINGS = {
    "oci:tenancyOcid": "ocid1.tenancy.oc1..a",
    "oci:userOcid": "ocid1.user.oc1..a",
    "oci:fingerprint": "aa:bb",
    "oci:region": "us-ashburn-1",
    "oci:privateKey": "PEM",
    "gcp:accessToken": "a-token",
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
    for cloud in ("oke", "gke"):
        monkeypatch.setattr(
            f"provisioner.drivers.{cloud}.remove_pools_of_cluster",
            lambda cloud=cloud, **named: calls.append({"by": cloud, **named}),
        )
    return calls


def test_creating_it_asks_nobody(removals: list[dict[str, Any]]) -> None:
    made = ProvisionedCapacityProvider().create(PROPS)
    assert made.outs == {key: PROPS[key] for key in ("cloud", "cluster_id", "compartment_id")}
    assert removals == []


def test_deleting_it_removes_the_pools_of_its_cluster_with_todays_settings(
    removals: list[dict[str, Any]],
) -> None:
    provider(SETTINGS).delete("id", PROPS)
    (call,) = removals
    assert call["by"] == "oke"
    assert (call["cluster_id"], call["compartment_id"]) == (PROPS["cluster_id"], PROPS["compartment_id"])
    assert call["endpoint"] == "http://127.0.0.1:4000"
    assert call["credentials"].config["user"] == "ocid1.user.oc1..a"


def test_each_cloud_has_a_remover_of_its_own(removals: list[dict[str, Any]]) -> None:
    provider(SETTINGS).delete("id", GKE_PROPS)
    (call,) = removals
    assert call.pop("credentials").token == "a-token"
    assert call == {
        "by": "gke",
        "cluster_id": GKE_PROPS["cluster_id"],
        "endpoint": "http://127.0.0.1:4000",
    }


def test_a_state_that_names_no_cloud_is_of_the_first(removals: list[dict[str, Any]]) -> None:
    provider(SETTINGS).delete("id", OLD_PROPS)
    assert removals[0]["by"] == "oke"
    assert not ProvisionedCapacityProvider().diff("id", OLD_PROPS, PROPS).changes


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


def test_another_cloud_makes_another_one() -> None:
    assert ProvisionedCapacityProvider().diff("id", PROPS, GKE_PROPS).replaces == [
        "cloud",
        "cluster_id",
        "compartment_id",
    ]


def test_the_state_refers_to_the_class_and_holds_no_code() -> None:
    document = pickle.dumps(ProvisionedCapacityProvider())
    assert b"components.provisioned_capacity" in document
    assert len(document) < 150
