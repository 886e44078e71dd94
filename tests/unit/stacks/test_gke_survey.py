"""The survey over HTTP, its answers written by the SDK's own models."""

import json
from dataclasses import replace
from typing import Any

import pytest
from google.cloud import compute_v1, container_v1
from google.oauth2.credentials import Credentials

from stacks.gke_survey import Question, Quota, SurveyFailed, Zone, survey
from tests.support.rest import Rest, serving

PROJECT = "/compute/v1/projects/p"
ZONE = f"{PROJECT}/zones/us-central1-a"
CLUSTERS = "/v1/projects/p/locations/-/clusters"
FORBIDDEN = (403, {"error": {"message": "Required permission is missing"}})


def said(message: Any) -> dict[str, Any]:
    """A message as the API sends it."""
    found: dict[str, Any] = json.loads(
        type(message).to_json(message, always_print_fields_with_no_presence=False)
    )
    return found


def names(list_type: Any, *found: str) -> dict[str, Any]:
    item_type = {
        compute_v1.MachineTypeList: compute_v1.MachineType,
        compute_v1.AcceleratorTypeList: compute_v1.AcceleratorType,
    }[list_type]
    return said(list_type(items=[item_type(name=name) for name in found]))


def documents(**changes: Any) -> dict[str, Any]:
    quota = compute_v1.Quota
    cluster = container_v1.Cluster
    whole = {
        f"{ZONE}/machineTypes": [
            names(compute_v1.MachineTypeList, "t2a-standard-1"),
            names(compute_v1.MachineTypeList, "t2a-standard-2"),
        ],
        f"{ZONE}/acceleratorTypes": names(compute_v1.AcceleratorTypeList, "nvidia-tesla-t4"),
        f"{PROJECT}/regions/us-central1": said(
            compute_v1.Region(quotas=[quota(metric="NVIDIA_T4_GPUS", limit=4, usage=1)])
        ),
        PROJECT: said(compute_v1.Project(quotas=[quota(metric="GPUS_ALL_REGIONS", limit=2, usage=0)])),
        CLUSTERS: said(
            container_v1.ListClustersResponse(
                clusters=[
                    cluster(name="other", location="us-central1-b"),
                    cluster(name="gke", location="europe-west4-a"),
                    cluster(name="gke", location="us-central1-f"),
                ]
            )
        ),
    }
    return {**whole, **changes}


def question(rest: Rest) -> Question:
    return Question(
        project="p",
        region="us-central1",
        zones=("us-central1-a",),
        cluster="gke",
        credentials=Credentials("a-token"),  # type: ignore[no-untyped-call]
        endpoint=rest.url,
    )


def test_everything_is_read_with_the_given_credentials() -> None:
    with serving(documents()) as rest:
        found = survey(question(rest))
    assert found.zones == {
        "us-central1-a": Zone(frozenset({"t2a-standard-1", "t2a-standard-2"}), frozenset({"nvidia-tesla-t4"}))
    }
    assert found.regional == {"NVIDIA_T4_GPUS": Quota(limit=4, usage=1)}
    assert found.everywhere == {"GPUS_ALL_REGIONS": Quota(limit=2, usage=0)}
    assert found.built == "us-central1-f"
    assert found.unread == ()
    assert set(rest.tokens) == {"Bearer a-token"}


def test_a_project_without_the_cluster_has_not_built_it() -> None:
    with serving(documents(**{CLUSTERS: {}})) as rest:
        assert survey(question(rest)).built == ""


def test_what_may_not_be_read_is_said_and_left_out() -> None:
    with serving(documents(**{PROJECT: FORBIDDEN, CLUSTERS: FORBIDDEN})) as rest:
        found = survey(question(rest))
    assert (found.everywhere, found.built) == ({}, "")
    assert found.regional != {}
    assert found.unread == (
        "quotas of the project: Required permission is missing",
        "whether the cluster is there: Required permission is missing",
    )


def test_machine_types_have_to_be_readable() -> None:
    with (
        serving(documents(**{f"{ZONE}/machineTypes": FORBIDDEN})) as rest,
        pytest.raises(SurveyFailed, match="us-central1-a: Required permission is missing"),
    ):
        survey(question(rest))


def test_a_project_that_is_not_there_is_one_line() -> None:
    with (
        serving({}) as rest,
        pytest.raises(SurveyFailed, match=r"^Not found: /compute/v1/.*/machineTypes \(404\)$"),
    ):
        survey(question(rest))


def test_a_cloud_that_is_not_there_is_one_line() -> None:
    with serving({}) as rest:
        gone = question(rest)
    with pytest.raises(SurveyFailed) as caught:
        survey(replace(gone, endpoint="http://127.0.0.1:1"))
    assert len(str(caught.value).splitlines()) == 1
